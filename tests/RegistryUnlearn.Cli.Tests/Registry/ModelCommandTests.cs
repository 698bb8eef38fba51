using System.Text;
using RegistryUnlearn.Faults;

namespace RegistryUnlearn.Cli.Tests.Registry;

/// <summary><c>models promote</c>, <c>retire</c> and <c>lineage</c>, <c>audit</c> and <c>gc</c> on a folder.</summary>
public sealed class ModelCommandTests
{
    [Fact]
    public async Task Versions_are_promoted_retired_and_shown_with_their_parents()
    {
        using var folder = await TinyFolder.CreateAsync();
        var first = await JobAsync(TinyRegistry.Request(r => r["seed"] = 1));
        var second = await JobAsync(TinyRegistry.Request(r => r["seed"] = 2));
        var third = await JobAsync(TinyRegistry.Request(r => r["model"] = "tiny@2"));

        Assert.Equal((0, "tiny:production points to tiny@2; before, to tiny@4.\n"),
            await SaidAsync("models promote tiny@2 --alias production"));
        Assert.Equal((0, "tiny:canary points to tiny@4.\n"), await SaidAsync("models promote tiny@4 --alias canary"));
        Assert.Equal((2, "tiny@2: consumers reach it by the alias production. Promote another version first.\n"),
            await SaidAsync("models retire tiny@2"));
        Assert.Equal((2, "tiny:canary: an alias is not retired; name the version, such as digits@2\n"),
            await SaidAsync("models retire tiny:canary"));
        Assert.Equal((0, "tiny@3 is in quarantine: no consumer is given it, and its files are kept.\n"),
            await SaidAsync("models retire tiny@3"));
        Assert.Equal((2, "tiny@3: version 3 was quarantined; its files are under .registry-unlearn/quarantine/tiny/3/. "
            + "It was retired; use another version of tiny.\n"), await SaidAsync("models promote tiny@3 --alias production"));

        var day = DateTime.UtcNow.ToString("yyyy-MM-dd");
        string Tree(string retired) => $"""
            tiny
            └─ tiny@1  adopted
               ├─ tiny@2  published  {day}  job {first[..12]}  <- production
               │  └─ tiny@4  published  {day}  job {third[..12]}  <- canary
               └─ tiny@3  {retired}  {day}  job {second[..12]}

            """;
        Assert.Equal((0, Tree("quarantined")), await SaidAsync("models lineage tiny"));
        Assert.Equal((0, "tiny@3 is deleted from the registry; copies elsewhere are not.\n"),
            await SaidAsync("models retire tiny@3 --policy delete"));
        Assert.Equal((0, Tree("deleted")), await SaidAsync("models lineage tiny"));
        var json = (await CommandResult.OfAsync("models", "lineage", "tiny", "--registry", folder.Path, "--output", "json")).Json;
        var versions = json.GetProperty("versions");
        Assert.Equal(("tiny", 4), (json.GetProperty("model").GetString(), versions.GetArrayLength()));
        Assert.Equal(("deleted", 1, second), (versions[2].GetProperty("status").GetString(), versions[2].GetProperty("parent").GetInt32(),
            versions[2].GetProperty("job").GetString()));
        Assert.Equal((2, "other: there is no such model. See: models list\n"), await SaidAsync("models lineage other"));

        Assert.Equal(["published", "published", "published", "promoted", "promoted", "retired", "retired"],
            (await CommandResult.OfAsync("audit", "list", "--registry", folder.Path, "--output", "json")).Json.EnumerateArray()
                .Select(e => e.GetProperty("event").GetString()));

        async Task<string> JobAsync(string request) =>
            (await folder.RunAsync(request, "--output", "json")).Json.GetProperty("job").GetString()!;

        async Task<(int, string)> SaidAsync(string command)
        {
            var result = await CommandResult.OfAsync([.. command.Split(' '), "--registry", folder.Path]);
            return (result.Code, result.Output + result.Error);
        }
    }

    [Fact]
    public async Task A_changed_line_of_the_audit_log_is_exit_code_4()
    {
        using var folder = await TinyFolder.CreateAsync();
        await folder.RunAsync(TinyRegistry.Request());
        var whole = await CommandResult.OfAsync("audit", "verify", "--registry", folder.Path);
        Assert.Equal(0, whole.Code);
        Assert.Matches("^1 lines, each following from the one before.\nHead  sha256:[0-9a-f]{64}\n", whole.Output);
        Assert.Matches("published +[0-9a-f]{64} ", (await CommandResult.OfAsync("audit", "list", "--registry", folder.Path)).Output);

        var log = Directory.GetFiles(Path.Combine(folder.Path, ".registry-unlearn/audit"), "*.jsonl", SearchOption.AllDirectories).Single();
        File.WriteAllText(log, File.ReadAllText(log).Replace("tiny@2", "tiny@3"), new UTF8Encoding(false));
        var changed = await CommandResult.OfAsync("audit", "verify", "--registry", folder.Path, "--output", "json");
        Assert.Equal((4, false), (changed.Code, changed.Json.GetProperty("isVerified").GetBoolean()));
        Assert.Contains("the audit log was tampered with or damaged", changed.Json.GetProperty("message").GetString());
    }

    [Fact]
    public async Task Garbage_is_shown_first_and_removed_when_asked()
    {
        using var folder = await TinyFolder.CreateAsync();
        var orphan = $".registry-unlearn/jobs/{new string('a', 64)}/blobs/0/sha256/bb/{new string('b', 64)}";
        folder.Write(orphan, new byte[1000]);
        var shown = await CommandResult.OfAsync("gc", "--registry", folder.Path);
        Assert.Equal((0, ""), (shown.Code, shown.Error));
        Assert.Contains("no job of this id is on record", shown.Output);
        Assert.Contains("nothing was changed. Remove them with --delete.\n", shown.Output);
        Assert.True(File.Exists(Path.Combine(folder.Path, orphan)));

        var removed = (await CommandResult.OfAsync("gc", "--registry", folder.Path, "--delete", "--grace", "12h", "--output", "json")).Json;
        Assert.True(removed.GetProperty("deleted").GetBoolean());
        var blobs = removed.GetProperty("found").EnumerateArray().Single(g => g.GetProperty("kind").GetString() == "blobs");
        Assert.Equal((1, 1000), (blobs.GetProperty("objects").GetInt32(), blobs.GetProperty("bytes").GetInt32()));
        Assert.False(File.Exists(Path.Combine(folder.Path, orphan)));
        Assert.Contains("collected", (await CommandResult.OfAsync("audit", "list", "--registry", folder.Path)).Output);
        Assert.DoesNotContain("blobs", (await CommandResult.OfAsync("gc", "--registry", folder.Path)).Output);
    }

    [Theory]
    [InlineData("soon")]
    [InlineData("59m")]
    [InlineData("0d")]
    [InlineData("-1d")]
    [InlineData("9999999999d")]
    [InlineData("4000d")]
    [InlineData("d")]
    public async Task A_grace_period_that_is_none_is_refused(string grace)
    {
        using var folder = await TinyFolder.CreateAsync();
        var refused = await CommandResult.OfAsync("gc", "--registry", folder.Path, "--grace=" + grace);
        Assert.Equal(2, refused.Code);
        Assert.Contains("--grace is not a time; give a whole number and a unit, such as 90m, 12h or 7d, from 1h to 3650d.", refused.Error);
    }
}
