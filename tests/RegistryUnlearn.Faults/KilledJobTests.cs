using System.Text.Json.Nodes;
using RegistryUnlearn.Conformance;
using RegistryUnlearn.Lineage;
using RegistryUnlearn.Registry;
using RegistryUnlearn.Worker.Jobs;
using RegistryUnlearn.Worker.Verification;

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

    /// <summary>
    /// Signatures are randomised: a worker that takes up the job signs anew, but what was fixed at Committing is what is published.
    /// </summary>
    [Fact]
    public async Task Signed_it_ends_in_one_version_that_verifies()
    {
        using var key = SigningKey.Create(SigningCurve.P256);
        var signing = EveryStepIsSaved with { SigningKey = key };
        var request = TinyRegistry.Request(r => r["method"]!["options"] = JsonNode.Parse("""{ "steps": 3, "batch": 8 }"""));
        var unbroken = await StoreAsync();
        var counting = new FaultyStore(unbroken);
        await RunAsync(counting, request, signing);
        var expected = Comparable(await TinyRegistry.FilesAsync(unbroken, "tiny/2/"));
        await Parallel.ForEachAsync(Enumerable.Range(1, counting.Operations).Where(o => o % 3 is 0), async (operation, _) =>
        {
            var store = await StoreAsync();
            await Assert.ThrowsAsync<KilledException>(() => RunAsync(new FaultyStore(store, Fault.KillAfter, operation), request, signing));
            var fixedBytes = await ManifestAsync(store);
            await RunAsync(store, request, signing);
            var files = await TinyRegistry.FilesAsync(store, "tiny/2/");
            Assert.Equivalent(expected, Comparable(files), strict: true);
            Assert.True(fixedBytes is null || fixedBytes == Digest.Of(files["tiny/2/manifest.json"]));
            Assert.Empty(await TinyRegistry.FilesAsync(store, "tiny/3/"));
            var report = await VersionVerifier.VerifyAsync(new StoreFiles(store, ModelName.Parse("tiny"), 2), key.PublicKey, []);
            Assert.True(report.IsAuthenticated, string.Join('\n', report.Checks));
        });

        // Statements without their signatures; the rest but what holds or lists signatures.
        static Dictionary<string, byte[]> Comparable(Dictionary<string, byte[]> files) => files
            .Where(f => f.Key is not ("tiny/2/model.sig" or "tiny/2/manifest.json"))
            .ToDictionary(f => f.Key, f => f.Key is "tiny/2/lineage.intoto.jsonl"
                ? LineageFile.Write(LineageFile.Read(f.Value, f.Key).Select(e => e.Statement))
                : f.Value);

        // The digest that the state has fixed, once it has.
        static async Task<Digest?> ManifestAsync(IObjectStore store)
        {
            var jobs = new JobStore(store, new FixedClock());
            return await jobs.ListAsync().FirstOrDefaultAsync() is var job && job != default
                ? (await jobs.ReadAsync(job)).State.Commit?.ManifestDigest
                : null;
        }
    }

    static async Task<IObjectStore> StoreAsync()
    {
        var store = new MemoryStore();
        await TinyRegistry.FillAsync(store);
        return store;
    }

    static async Task RunAsync(IObjectStore store, string request, JobOptions? options = null)
    {
        var runner = new JobRunner(store, new FixedClock(), options ?? EveryStepIsSaved);
        await runner.RunAsync(await runner.SubmitAsync(request, "request"), SilentProgress.Instance);
    }
}
