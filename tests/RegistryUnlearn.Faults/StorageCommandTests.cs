using System.Text.Json.Nodes;
using RegistryUnlearn.Conformance;
using RegistryUnlearn.Registry.Azure;

namespace RegistryUnlearn.Faults;

/// <summary>
/// The command, each time as a process of its own, on a registry and a queue of the emulator: a job from request to record.
/// </summary>
public sealed class StorageCommandTests : IDisposable
{
    readonly TempFolder folder = new();

    static CancellationToken Stop => TestContext.Current.CancellationToken;

    public void Dispose() => folder.Dispose();

    [Fact]
    public async Task A_request_is_submitted_carried_out_verified_and_on_record()
    {
        var missing = Azurite.Missing(Repository.Root);
        Assert.SkipUnless(missing is null, missing ?? "");
        await using var blobs = await Azurite.StartAsync(Repository.Root);
        await using var queues = await Azurite.StartAsync(Repository.Root, "queue");
        var registry = $"{blobs.Account}models/some/prefix";
        var location = (BlobLocation)RegistryLocation.Parse(registry);
        await location.Connect(BlobService.Options(), _ => null).CreateAsync(cancellationToken: Stop);
        await TinyRegistry.FillAsync(location.Open(_ => null));
        var queue = QueueLocation.Parse($"{queues.Account}hints");
        await queue.Connect(_ => null).CreateAsync(cancellationToken: Stop);
        var request = Path.Combine(folder.Path, "request.json");
        await File.WriteAllTextAsync(request, TinyRegistry.Request(), Stop);

        var submitted = await RunAsync("submit", request, "--registry", registry, "--queue", $"{queue}");
        var job = (string)submitted["jobId"]!;
        Assert.Equal("submitted", (string)submitted["status"]!, ignoreCase: true);
        Assert.Equal(1, await MessagesAsync(queue));

        await RunAsync("worker", "--registry", registry, "--queue", $"{queue}", "--once");
        Assert.Equal(0, await MessagesAsync(queue));
        Assert.False(await queue.ConnectPoison(_ => null).ExistsAsync(Stop));

        var done = Assert.Single((await RunAsync("jobs", "list", "--registry", registry)).AsArray())!;
        Assert.Equal((job, "succeeded", 1, true, 2), ((string)done["jobId"]!, ((string)done["status"]!).ToLowerInvariant(),
            (int)done["attempt"]!, (bool)done["closed"]!, (int)done["result"]!["version"]!));

        var verified = await RunAsync("verify", "tiny:production", "--registry", registry);
        Assert.True((bool)verified["isVerified"]!);
        Assert.False((bool)verified["isAuthenticated"]!);

        var versions = (await RunAsync("models", "lineage", "tiny", "--registry", registry))["versions"]!.AsArray();
        Assert.Equal([(1, null, null), (2, 1, job)], versions.Select(v =>
            ((int)v!["version"]!, (int?)v["parent"], (string?)v["job"])).Order());

        var garbage = await RunAsync("gc", "--registry", registry, "--grace", "1h");
        Assert.Equal((false, 0), ((bool)garbage["deleted"]!, (int)garbage["objects"]!));

        var again = await RunAsync("submit", request, "--registry", registry, "--queue", $"{queue}");
        Assert.Equal((job, "succeeded"), ((string)again["jobId"]!, ((string)again["status"]!).ToLowerInvariant()));
        await RunAsync("worker", "--registry", registry, "--queue", $"{queue}", "--once");
        Assert.Equal(0, await MessagesAsync(queue));
        Assert.Single((await RunAsync("jobs", "list", "--registry", registry)).AsArray());

        await File.WriteAllTextAsync(request, TinyRegistry.Request(r => r["model"] = "absent@1"), Stop);
        var refused = await RealProcess.RunAsync(folder.Path, "submit", request, "--registry", registry);
        Assert.True(refused.Code is 2, refused.Error);
        Assert.Contains("absent", refused.Error);
    }

    /// <summary>The answer of a command that ends well.</summary>
    async Task<JsonNode> RunAsync(params string[] args)
    {
        var (code, output, error) = await RealProcess.RunAsync(folder.Path, [.. args, "--output", "json"]);
        Assert.True(code is 0, $"{args[0]} ends with {code}: {error}");
        return JsonNode.Parse(output)!;
    }

    static async Task<int> MessagesAsync(QueueLocation queue) =>
        (await queue.Connect(_ => null).GetPropertiesAsync(Stop)).Value.ApproximateMessagesCount;
}
