using System.Text.Json;
using System.Text.Json.Nodes;
using RegistryUnlearn.Faults;

namespace RegistryUnlearn.Cli.Tests.Registry;

public sealed class RunCommandTests
{
    [Fact]
    public async Task The_answer_names_what_was_made_and_a_repetition_says_so()
    {
        using var folder = await TinyFolder.CreateAsync();
        var first = await folder.RunAsync(TinyRegistry.Request(), "--output", "json");
        Assert.Equal(0, first.Code);
        var answer = first.Json;
        Assert.Equal(("tiny@2", false), (answer.GetProperty("version").GetString(), answer.GetProperty("alreadyDone").GetBoolean()));
        Assert.Matches("^[0-9a-f]{64}$", answer.GetProperty("job").GetString());
        Assert.Matches("^sha256:[0-9a-f]{64}$", answer.GetProperty("digest").GetString());
        foreach (var file in new[] { "model", "report" })
            Assert.True(File.Exists(answer.GetProperty(file).GetString()));
        var names = answer.GetProperty("rows").EnumerateArray().Select(r => r.GetProperty("name").GetString());
        Assert.Equal(["do nothing", "finetune"], names);
        Assert.InRange(answer.GetProperty("rows")[1].GetProperty("metrics").GetProperty("test.accuracy").GetDouble(), 0, 1);
        foreach (var stage in new[] { "fetch", "prepare", "unlearn", "audit", "publish" })
            Assert.Contains($" s  {stage}\n", first.Error);

        var files = folder.Served();
        var again = await folder.RunAsync(TinyRegistry.Request());
        Assert.Equal(0, again.Code);
        var job = answer.GetProperty("job").GetString();
        Assert.StartsWith($"This request was carried out before (job {job}); nothing was done.\nNew version  tiny@2", again.Output);
        Assert.Equal(files, folder.Served());
        var third = await folder.RunAsync(TinyRegistry.Request(), "--output", "json");
        Assert.True(third.Json.GetProperty("alreadyDone").GetBoolean());
        Assert.Equal(answer.GetProperty("digest").GetString(), third.Json.GetProperty("digest").GetString());
    }

    [Fact]
    public async Task A_failed_gate_is_exit_code_3()
    {
        using var folder = await TinyFolder.CreateAsync();
        var before = folder.Served();
        var request = TinyRegistry.Request(r =>
            r["audit"] = JsonNode.Parse("""{ "gates": [{ "metric": "test.accuracy", "atLeast": 1.5 }] }"""));
        var json = await folder.RunAsync(request, "--output", "json");
        Assert.Equal((ExitCodes.FailedGate, 3), (json.Code, json.Code));
        var gate = Assert.Single(json.Json.GetProperty("gates").EnumerateArray());
        Assert.Equal(("test.accuracy", "at-least", false),
            (gate.GetProperty("metric").GetString(), gate.GetProperty("comparison").GetString(), gate.GetProperty("passed").GetBoolean()));
        Assert.StartsWith("the audit failed, nothing was published: test.accuracy is ", json.Json.GetProperty("message").GetString());
        var text = await folder.RunAsync(request);
        Assert.Equal(3, text.Code);
        var job = json.Json.GetProperty("job").GetString()!;
        Assert.Contains($"Job {job}: the audit failed, nothing was published: ", text.Output);
        Assert.Contains($"registry-unlearn jobs candidate {job} --out <folder>", text.Output);
        Assert.Equal(before, folder.Served());

        var target = Path.Combine(folder.Path, ".registry-unlearn/kept");
        var candidate = await JobAsync("candidate", "--out", target, "--output", "json");
        Assert.Equal(0, candidate.Code);
        Assert.Equal(["metrics.json", "model.onnx", "report.html"], Directory.GetFiles(target).Select(Path.GetFileName).Order());
        Assert.All(candidate.Json.EnumerateArray(), f => Assert.Equal(
            f.GetProperty("size").GetInt64(), new FileInfo(Path.Combine(target, f.GetProperty("path").GetString()!)).Length));
        await JobAsync("retry");
        var gone = await JobAsync("candidate", "--out", target);
        Assert.Equal(2, gone.Code);
        Assert.Contains("the job is Submitted and keeps no candidate", gone.Error);

        Task<CommandResult> JobAsync(string command, params string[] more) =>
            CommandResult.OfAsync(["jobs", command, job, "--registry", folder.Path, .. more]);
    }

    [Theory]
    [InlineData("--checkpoint-interval", "-1", "--checkpoint-interval is not from 0 to 86400; give the seconds between two checkpoints.")]
    [InlineData("--checkpoint-interval", "soon", "--checkpoint-interval is not from 0 to 86400; give the seconds between two checkpoints.")]
    [InlineData("--checkpoint-interval", "NaN", "--checkpoint-interval is not from 0 to 86400; give the seconds between two checkpoints.")]
    [InlineData("--commitment-key", "{short}", "short: the key has 5 bytes; give at least 32")]
    [InlineData("--commitment-key", "{none}",
        "none: the commitment key cannot be read (FileNotFoundException); give a file with --commitment-key")]
    public async Task Options_that_cannot_be_used_are_refused(string option, string value, string expected)
    {
        using var folder = await TinyFolder.CreateAsync();
        folder.Write("short", new byte[5]);
        var before = folder.Served();
        var result = await folder.RunAsync(TinyRegistry.Request(), option, value.Replace("{", folder.Path + "/").Replace("}", ""));
        Assert.Equal(2, result.Code);
        Assert.Contains(expected, result.Error);
        Assert.Equal(before, folder.Served());
    }

    [Fact]
    public async Task Models_and_jobs_are_listed_and_shown()
    {
        using var folder = await TinyFolder.CreateAsync();
        var job = (await folder.RunAsync(TinyRegistry.Request(), "--output", "json")).Json.GetProperty("job").GetString()!;

        var models = await JsonAsync("models list");
        var model = Assert.Single(models.EnumerateArray());
        Assert.Equal("""{"model":"tiny","versions":[1,2],"aliases":{"production":2}}""", JsonSerializer.Serialize(model));
        Assert.Equal("model  versions  aliases\ntiny   1, 2      production -> 2\n", await TextAsync("models list"));

        var parent = await JsonAsync("models show tiny@1");
        Assert.Equal(("tiny@1", true), (parent.GetProperty("version").GetString(), parent.GetProperty("isAdopted").GetBoolean()));
        var version = await JsonAsync("models show tiny:production");
        Assert.Equal(("tiny@2", false), (version.GetProperty("version").GetString(), version.GetProperty("isAdopted").GetBoolean()));
        Assert.Equal(["lineage.intoto.jsonl", "metrics.json", "model-card.cdx.json", "model.onnx", "report.html"],
            version.GetProperty("manifest").GetProperty("files").EnumerateArray().Select(f => f.GetProperty("path").GetString()));
        Assert.Contains($"made from tiny@1 by job {job}\n", await TextAsync("models show tiny@2"));

        var listed = Assert.Single((await JsonAsync("jobs list")).EnumerateArray());
        Assert.Equal((job, "succeeded"), (listed.GetProperty("jobId").GetString(), listed.GetProperty("status").GetString()));
        var shown = await JsonAsync($"jobs show {job}");
        Assert.Equal(2, shown.GetProperty("result").GetProperty("version").GetInt32());
        Assert.Contains("tiny@2\n", await TextAsync("jobs list"));
        Assert.Matches(@"(?m)^attempts\s+1$", await TextAsync($"jobs show {job}"));

        async Task<JsonElement> JsonAsync(string command) => (await OfAsync(command, "--output", "json")).Json;

        async Task<string> TextAsync(string command) => (await OfAsync(command)).Output;

        async Task<CommandResult> OfAsync(string command, params string[] more)
        {
            var result = await CommandResult.OfAsync([.. command.Split(' '), "--registry", folder.Path, .. more]);
            Assert.Equal((0, ""), (result.Code, result.Error));
            return result;
        }
    }

    [Fact]
    public async Task What_is_not_there_or_withdrawn_is_explained()
    {
        using var folder = await TinyFolder.CreateAsync();
        Assert.Equal(0, (await folder.RunAsync(TinyRegistry.Request(r => r["publish"]!["parent"] = "quarantine"))).Code);
        var unknown = new string('0', 64);
        var rows = new (string Command, string Message)[]
        {
            ("models show tiny@1", "tiny@1: version 1 was quarantined; its files are under .registry-unlearn/quarantine/tiny/1/. "
                + "Use tiny@2, which replaced it."),
            ("models show tiny@7", "tiny@7: there is no version 7. Versions of tiny: 2."),
            ("models show tiny", "'tiny' is not a model reference: write name@7 (a version) or name:production (an alias)."),
            ("jobs show 12", "'12' is not a job id: write its 64 lower-case hexadecimal digits."),
            ($"jobs show {unknown}", $".registry-unlearn/jobs/{unknown}/state.json: there is no such job. Submit its request."),
        };
        foreach (var (command, message) in rows)
        {
            var result = await CommandResult.OfAsync([.. command.Split(' '), "--registry", folder.Path, "--output", "json"]);
            Assert.Equal((2, message + "\n"), (result.Code, result.Error));
            Assert.Equal(message, result.Json.GetProperty("error").GetProperty("message").GetString());
        }
    }
}
