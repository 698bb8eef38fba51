using System.Globalization;
using System.Text.Json.Nodes;
using RegistryUnlearn.Conformance;
using RegistryUnlearn.Registry;
using RegistryUnlearn.Worker.Jobs;

namespace RegistryUnlearn.Faults;

/// <summary>A tiny registry in a folder, and workers on it that are processes of their own.</summary>
sealed class WorkerSite : IDisposable
{
    readonly TempFolder folder = new();

    WorkerSite()
    {
        foreach (var path in new[] { Registry, Temp })
            Directory.CreateDirectory(path);
        Store = new FolderStore(Registry);
    }

    public FolderStore Store { get; }

    public JobStore Jobs => new(Store, TimeProvider.System);

    string Registry => Path.Combine(folder.Path, "registry");

    string Temp => Path.Combine(folder.Path, "temp");

    public static async Task<WorkerSite> CreateAsync()
    {
        var site = new WorkerSite();
        await TinyRegistry.FillAsync(site.Store);
        return site;
    }

    /// <summary>A job of so many steps; another seed is another job.</summary>
    public Task<JobId> SubmitAsync(int steps, int seed = 5) =>
        new JobRunner(Store, TimeProvider.System, new JobOptions()).SubmitAsync(TinyRegistry.Request(r =>
        {
            r["seed"] = seed;
            r["method"] = new JsonObject { ["name"] = "finetune", ["options"] = new JsonObject { ["steps"] = steps, ["batch"] = 8 } };
        }), "request");

    /// <summary>The command's worker: quick to look and to believe that another one is dead; saves every step.</summary>
    public RealProcess StartWorker(bool once = false) => RealProcess.Start(Temp,
        new()
        {
            ["REGISTRY_UNLEARN_WORKER__PollSeconds"] = "0.2",
            ["REGISTRY_UNLEARN_WORKER__LeaseSeconds"] = "1",
            ["REGISTRY_UNLEARN_WORKER__RetrySeconds"] = "0.2",
            ["REGISTRY_UNLEARN_WORKER__CheckpointSeconds"] = "0",
        },
        ["worker", "--registry", Registry, "--http", "none", .. once ? ["--once"] : Array.Empty<string>()]);

    /// <summary>A worker that is killed before or after its n-th write.</summary>
    public RealProcess StartFaulty(bool before, int write) => RealProcess.StartOther("RegistryUnlearn.FaultyWorker", Temp,
        Registry, Path.Combine(Temp, "faulty"), before ? "before" : "after", write.ToString(CultureInfo.InvariantCulture));

    public async Task<JobState> StateAsync(JobId job) => (await Jobs.ReadAsync(job)).State;

    /// <summary>
    /// Waits for a job to be done with and let go of, and for a worker to have begun its own work, while it lives.
    /// </summary>
    public async Task UntilClosedAsync(JobId job, RealProcess worker) => Assert.True(await worker.UntilAsync(() =>
        StateAsync(job).GetAwaiter().GetResult().Closed
        && !Jobs.ListLeasedAsync().ToBlockingEnumerable().Contains(job)
        && worker.Error.Contains("at a time")), worker.Error);

    /// <summary>
    /// Puts a worker to sleep while it holds no lock of the folder: others would wait for that one until the sleeper wakes or dies, which
    /// no protocol can change.
    /// </summary>
    public async Task PauseAsync(RealProcess worker)
    {
        worker.Pause();
        while (HoldsLock())
        {
            worker.Continue();
            await Task.Delay(1);
            worker.Pause();
        }
    }

    bool HoldsLock()
    {
        foreach (var file in Directory.EnumerateFiles(Path.Combine(Registry, ".registry-unlearn", "locks")))
        {
            try
            {
                new FileStream(file, FileMode.Open, FileAccess.ReadWrite, FileShare.None).Dispose();
            }
            catch (IOException)
            {
                return true;
            }
        }
        return false;
    }

    /// <summary>Ends a worker as a service manager does; it must have stopped by itself.</summary>
    public static async Task StopAsync(RealProcess worker)
    {
        worker.Terminate();
        var (code, _, error) = await worker.EndAsync();
        Assert.True(code == 0, $"exit code {code}: {error}");
    }

    /// <summary>What consumers see of the version that a job made.</summary>
    public async Task<(string Model, string Metrics)> PublishedAsync(int version)
    {
        var files = await TinyRegistry.FilesAsync(Store, $"tiny/{version}/");
        return (Digest.Of(files[$"tiny/{version}/model.onnx"]).ToString(), Digest.Of(files[$"tiny/{version}/metrics.json"]).ToString());
    }

    /// <summary>Each job ended in one version of its own, all versions are whole, and nothing else is left anywhere.</summary>
    public async Task AssertSoundAsync(params JobId[] jobs)
    {
        var registry = new ModelRegistry(Store);
        var versions = (await registry.ListVersionsAsync(ModelName.Parse("tiny"))).Select(v => v.Version).ToList();
        Assert.Equal(Enumerable.Range(1, jobs.Length + 1), versions);
        var makers = new HashSet<JobId?>();
        foreach (var version in versions.Skip(1))
        {
            var resolved = await registry.ResolveAsync(ModelReference.Parse($"tiny@{version}"));
            makers.Add(resolved.Manifest.JobId);
            foreach (var file in resolved.Manifest.Files)
                Assert.Equal(file.Digest, Digest.Of((await Store.ReadAsync($"tiny/{version}/{file.Path}"))!.Content.Span));
        }
        Assert.Equal(jobs.Select(j => (JobId?)j).ToHashSet(), makers);
        Assert.Equal(jobs.Length, (await new AuditLog(Store).VerifyAsync()).Lines);
        var own = await TinyRegistry.FilesAsync(Store, ".registry-unlearn/");
        Assert.DoesNotContain(own.Keys, path => path.Contains("/blobs/") || path.Contains("/leases/"));
    }

    /// <summary>Workers that ended by themselves leave no file of a job behind.</summary>
    public void AssertTidy() => Assert.Empty(Directory.EnumerateFiles(Temp, "*", SearchOption.AllDirectories));

    public void Dispose() => folder.Dispose();
}
