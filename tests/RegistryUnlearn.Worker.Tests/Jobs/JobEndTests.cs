using System.Text;
using System.Text.Json.Nodes;
using RegistryUnlearn.Faults;
using RegistryUnlearn.Registry;
using RegistryUnlearn.Unlearning.Methods;
using RegistryUnlearn.Worker.Jobs;

namespace RegistryUnlearn.Worker.Tests.Jobs;

/// <summary>How whole jobs end: what becomes of the parent, of aliases, of failures, of repetitions.</summary>
public sealed class JobEndTests
{
    [Theory]
    [InlineData("keep", new[] { 1, 2 }, null)]
    [InlineData("quarantine", new[] { 2 },
        "tiny@1: version 1 was quarantined; its files are under .registry-unlearn/quarantine/tiny/1/. Use tiny@2, which replaced it.")]
    [InlineData("delete", new[] { 2 }, "tiny@1: version 1 was deleted. Use tiny@2, which replaced it.")]
    public async Task The_parent_is_treated_as_asked(string policy, int[] versions, string? refusal)
    {
        using var lab = await Lab.CreateAsync();
        await lab.SetAliasAsync("stable", 1);
        var parent = (await lab.FilesAsync())["tiny/1/model.onnx"];
        var request = TinyRegistry.Request(r => r["publish"]!["parent"] = policy);
        var outcome = await lab.RunAsync(request);

        Assert.Equal((2, false), (outcome.Result.Version, outcome.AlreadyDone));
        Assert.Equal(versions, await lab.VersionsAsync());
        Assert.Equal((2, policy == "keep" ? 1 : 2), (await lab.AliasAsync("production"), await lab.AliasAsync("stable")));
        var files = await lab.FilesAsync();
        Assert.Equal(policy == "quarantine", files.TryGetValue(".registry-unlearn/quarantine/tiny/1/model.onnx", out var quarantined));
        if (policy == "quarantine")
            Assert.Equal(parent, quarantined);
        if (policy == "keep")
            Assert.Equal(parent, files["tiny/1/model.onnx"]);
        if (refusal is not null)
            Assert.Equal(refusal, (await Assert.ThrowsAsync<RegistryException>(() => lab.ResolveAsync("tiny@1"))).Message);

        var again = await lab.RunAsync(request);
        Assert.Equal((outcome.Job, outcome.Result, true), (again.Job, again.Result, again.AlreadyDone));
        Assert.Equivalent(files, await lab.FilesAsync(), strict: true);
        Assert.True(lab.IsTidy);
    }

    [Fact]
    public async Task One_sample_can_be_forgotten()
    {
        using var lab = await Lab.CreateAsync();
        var outcome = await lab.RunAsync(TinyRegistry.Request(r =>
        {
            r["forget"]!["ids"] = new JsonArray("train-1");
            r["method"] = JsonNode.Parse("""{ "name": "ltu", "options": { "steps": 3, "target": "quantile", "preservation": "none" } }""");
        }));
        Assert.Equal((2, 1), (outcome.Result.Version, outcome.Audit!.Sets["forget"]));
    }

    [Fact]
    public async Task A_person_can_be_forgotten()
    {
        using Lab byGroup = await Lab.CreateAsync(), byIds = await Lab.CreateAsync();
        var person = await byGroup.RunAsync(
            TinyRegistry.Request(r => r["forget"] = JsonNode.Parse("""{ "groups": ["person-3"] }""")));
        var samples = await byIds.RunAsync(
            TinyRegistry.Request(r => r["forget"] = JsonNode.Parse("""{ "ids": ["train-29", "train-3", "train-16"] }""")));

        Assert.Equal(3, person.Audit!.Sets["forget"]);
        Assert.Equal(samples.Audit!.After.Metrics, person.Audit.After.Metrics);
        Assert.DoesNotContain(await byGroup.FilesAsync(),
            f => !f.Key.StartsWith(".registry-unlearn/requests/") && !f.Key.StartsWith("datasets/") && Encoding.UTF8.GetString(f.Value).Contains("person-3"));
    }

    [Fact]
    public async Task Another_spelling_of_the_same_request_is_the_same_job()
    {
        using var lab = await Lab.CreateAsync();
        var request = TinyRegistry.Request(r => r["publish"]!["parent"] = "quarantine");
        var first = await lab.RunAsync(request);
        var spelled = JsonNode.Parse(request)!.AsObject();
        var reversed = new JsonObject(spelled.Reverse().Select(p => KeyValuePair.Create(p.Key, p.Value?.DeepClone())));
        var again = await lab.RunAsync(reversed.ToJsonString(new() { WriteIndented = true }));
        Assert.Equal((first.Job, true), (again.Job, again.AlreadyDone));
    }

    [Fact]
    public async Task The_same_request_elsewhere_gives_the_same_bytes()
    {
        using Lab one = await Lab.CreateAsync(), other = await Lab.CreateAsync();
        await one.RunAsync(TinyRegistry.Request());
        await other.RunAsync(TinyRegistry.Request());
        Assert.Equivalent(await one.FilesAsync(), await other.FilesAsync(), strict: true);
    }

    [Fact]
    public async Task A_failed_gate_publishes_nothing_keeps_the_candidate_and_can_be_tried_again()
    {
        using var lab = await Lab.CreateAsync();
        var request = TinyRegistry.Request(r =>
            r["audit"] = JsonNode.Parse("""{ "gates": [{ "metric": "test.accuracy", "atLeast": 1.5 }] }"""));
        var before = await lab.FilesAsync();
        for (var retry = 0; retry < 2; retry++)
        {
            var refusal = await Assert.ThrowsAsync<GateFailedException>(() => lab.RunAsync(request));
            Assert.Matches(
                @"^the audit failed, nothing was published: test\.accuracy is [\d.]+, wanted at least 1\.5, missed by [\d.]+$",
                refusal.Message);
            var state = await lab.StateAsync(request);
            Assert.Equal((JobStatus.Failed, "gate-failed", retry), (state.Status, state.Error?.Reason, state.Retry));
            Assert.Equal(refusal.Message, state.Error!.Message);
            Assert.Equal(["model.onnx", "metrics.json", "report.html"], state.Candidate!.Select(f => f.Path));
            Assert.Equal(refusal.Candidate, state.Candidate);
        }
        Assert.Equal(["fetch", "prepare", "unlearn", "audit", "fetch", "prepare", "unlearn", "audit"], lab.Journal.Stages);
        var after = await lab.FilesAsync();
        var kept = after.Where(f => f.Key.Contains("/blobs/")).ToDictionary(f => Path.GetFileName(f.Key), f => f.Value);
        var candidate = (await lab.StateAsync(request)).Candidate!.ToDictionary(f => f.Path, f => kept[f.Digest.Hex]);
        Assert.Equal(candidate.Count, kept.Count);
        Assert.All(after.Keys.Where(p => p.Contains("/blobs/")), p => Assert.Contains("/blobs/1/", p));
        Assert.Contains(
            "The gate failed, so nothing was published; see below.", Encoding.UTF8.GetString(candidate["report.html"]));
        var unpublished = Onnx.Proto.ModelProto.Parser.ParseFrom(candidate["model.onnx"]);
        var parent = Onnx.Proto.ModelProto.Parser.ParseFrom(before["tiny/1/model.onnx"]);
        Assert.Equal(parent.Graph.Node, unpublished.Graph.Node);
        Assert.Contains(unpublished.MetadataProps, p => p.Key == "registryunlearn.parent.sha256");
        Assert.False(JsonNode.Parse(candidate["metrics.json"])!["passed"]!.GetValue<bool>());
        Assert.Equivalent(before, after.Where(f => !f.Key.StartsWith(".registry-unlearn/")).ToDictionary(), strict: true);
        Assert.Null(await lab.AliasAsync("production"));
        Assert.True(lab.IsTidy);
    }

    [Fact]
    public async Task Divergence_stops_at_the_last_good_state()
    {
        using var lab = await Lab.CreateAsync();
        var request = TinyRegistry.Request(r => r["method"]!["options"] =
            JsonNode.Parse("""{ "steps": 500, "batch": 8, "optimizer": "sgd", "learningRate": 10 }"""));
        var refusal = await Assert.ThrowsAsync<DivergedException>(() => lab.RunAsync(request));
        Assert.InRange(refusal.Step, 1, 499);
        Assert.Equal(Enumerable.Range(1, refusal.Step), lab.Journal.Steps);
        var state = await lab.StateAsync(request);
        Assert.Equal((JobStatus.Failed, "diverged"), (state.Status, state.Error?.Reason));
        Assert.Equal(1, Assert.Single(await lab.VersionsAsync()));
    }

    [Fact]
    public async Task A_parent_that_changed_since_the_request_is_refused()
    {
        using var lab = await Lab.CreateAsync();
        var job = await lab.SubmitAsync(TinyRegistry.Request());
        await lab.PutAsync("tiny/1/model.onnx", "other bytes"u8.ToArray());
        var refusal = await Assert.ThrowsAsync<RegistryException>(() => lab.RunAsync(job));
        Assert.Equal(
            "tiny@1: the reference points to another version than when the job was submitted. Submit the request again.", refusal.Message);
        Assert.Equal(1, Assert.Single(await lab.VersionsAsync()));
    }

    [Fact]
    public async Task An_alias_to_an_adopted_version_that_changed_is_refused()
    {
        using var lab = await Lab.CreateAsync();
        await lab.SetAliasAsync("stable", 1);
        await lab.PutAsync("tiny/1/notes.txt", "more"u8.ToArray());
        var request = TinyRegistry.Request(r => r["model"] = "tiny:stable");
        var refusal = await Assert.ThrowsAsync<RegistryException>(() => lab.RunAsync(request));
        Assert.Equal(RegistryErrorKind.Corrupt, refusal.Kind);
        Assert.Contains("but the alias was set to sha256:", refusal.Message);
        Assert.Equal(1, Assert.Single(await lab.VersionsAsync()));
    }

    /// <summary>
    /// Ids with a mark are asked to be forgotten, kept, or do not exist; the mark is looked for everywhere but in the request and the data.
    /// </summary>
    [Theory]
    [InlineData("{}", null)]
    [InlineData("""
        {
          "audit": { "compare": ["neggrad+"], "gates": [] },
          "method": { "name": "ltu", "options": { "steps": 3, "target": "quantile", "preservation": "none" } }
        }
        """, null)]
    [InlineData(
        """{ "retain": { "ids": ["zebra-1", "zebra-2", "zebra-3"] } }""",
        "the forget set and the retained set have 1 samples in common")]
    [InlineData("""{ "forget": { "ids": ["zebra-3", "zebra-nobody"] } }""", "names 1 of 2 ids that no sample has")]
    [InlineData("""{ "forget": { "ids": ["zebra-3", "zebra-3"] } }""", "repeats 1 of 2 entries")]
    [InlineData("""{ "audit": { "gates": [{ "metric": "test.accuracy", "atLeast": 2 }] } }""", "the audit failed")]
    public async Task Ids_appear_nowhere(string changes, string? refusal)
    {
        using var lab = await Lab.CreateAsync();
        await lab.PutAsync("datasets/zebra.npz", TinyRegistry.Data("zebra", TinyRegistry.Samples));
        var request = TinyRegistry.Request(r =>
        {
            r["data"]!["train"]!["path"] = "datasets/zebra.npz";
            r["forget"]!["ids"] = new JsonArray("zebra-3", "zebra-5", "zebra-8", "zebra-13");
            foreach (var (name, value) in JsonNode.Parse(changes)!.AsObject())
                r[name] = value!.DeepClone();
        });
        var failure = await Record.ExceptionAsync(() => lab.RunAsync(request));
        Assert.Equal(refusal is null, failure is null);
        if (refusal is not null)
            Assert.Contains(refusal, failure!.Message);

        var files = await lab.FilesAsync();
        var stored = Assert.Single(files.Keys, p => p.StartsWith(".registry-unlearn/requests/"));
        Assert.Contains("zebra-3", Encoding.UTF8.GetString(files[stored]));
        var told = files.Where(f => f.Key != stored && f.Key != "datasets/zebra.npz")
            .Select(f => (f.Key, Text: Encoding.UTF8.GetString(f.Value)))
            .Append(("messages", string.Join('\n', lab.Journal.Notes) + failure));
        foreach (var (place, text) in told)
            Assert.False(text.Contains("zebra-"), $"{place} holds an id");
    }
}
