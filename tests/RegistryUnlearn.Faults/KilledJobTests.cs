using System.Text.Json.Nodes;
using RegistryUnlearn.Conformance;
using RegistryUnlearn.Registry;
using RegistryUnlearn.Worker.Jobs;

namespace RegistryUnlearn.Faults;

/// <summary>
/// A job killed before or after any write to the registry, then run again by a fresh worker, ends in the same version, with one line in
/// the audit log and no blob left.
/// </summary>
public sealed class KilledJobTests
{
    static readonly JobOptions EveryStepIsSaved = new()
    {
        WorkFolder = Path.Combine(Path.GetTempPath(), "registry-unlearn-faults"),
        CheckpointInterval = TimeSpan.Zero,
        CommitmentKey = new byte[32],
    };

    // Every operation for the cheap method; for the other every ninth, which meets all stages.
    [Theory]
    [InlineData("finetune", 1, "{\"steps\": 3, \"batch\": 8}")]
    [InlineData("ltu", 9, """
        {
          "steps": 3, "target": "quantile", "preservation": "none", "forgetBatch": 4, "retainedBatch": 4, "evaluateEvery": 1
        }
        """)]
    public async Task Ends_in_the_same_bytes(string method, int stride, string options)
    {
        var request = TinyRegistry.Request(r =>
            r["method"] = new JsonObject { ["name"] = method, ["options"] = JsonNode.Parse(options) });
        var unbroken = await StoreAsync();
        var counting = new FaultyStore(unbroken);
        await RunAsync(counting, request);
        var expected = await TinyRegistry.FilesAsync(unbroken, "tiny/2/");
        Assert.Contains("tiny/2/model.onnx", expected.Keys);
        Assert.InRange(counting.Operations, 20, 1000);

        var kills =
            from operation in Enumerable.Range(1, counting.Operations)
            where (operation - 1) % stride == 0
            from fault in new[] { Fault.KillBefore, Fault.KillAfter }
            select (fault, operation);
        await Parallel.ForEachAsync(kills, async (kill, _) =>
        {
            var store = await StoreAsync();
            await Assert.ThrowsAsync<KilledException>(() => RunAsync(new FaultyStore(store, kill.fault, kill.operation), request));
            await RunAsync(store, request);
            Assert.Equivalent(expected, await TinyRegistry.FilesAsync(store, "tiny/2/"), strict: true);
            Assert.Empty(await TinyRegistry.FilesAsync(store, "tiny/3/"));
            var own = await TinyRegistry.FilesAsync(store, ".registry-unlearn/");
            Assert.DoesNotContain(own.Keys, p => p.Contains("/blobs/"));
            Assert.Equal(1, own.Single(f => f.Key.EndsWith(".jsonl")).Value.Count(b => b == '\n'));
        });
    }

    static async Task<IObjectStore> StoreAsync()
    {
        var store = new MemoryStore();
        await TinyRegistry.FillAsync(store);
        return store;
    }

    static async Task RunAsync(IObjectStore store, string request)
    {
        var runner = new JobRunner(store, new FixedClock(), EveryStepIsSaved);
        await runner.RunAsync(await runner.SubmitAsync(request, "request"), SilentProgress.Instance);
    }
}
