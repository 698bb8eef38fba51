using Microsoft.Extensions.Logging.Abstractions;
using RegistryUnlearn.Conformance;
using RegistryUnlearn.Faults;
using RegistryUnlearn.Registry;
using RegistryUnlearn.Worker.Hosting;
using RegistryUnlearn.Worker.Hosting.Progress;
using RegistryUnlearn.Worker.Jobs;

namespace RegistryUnlearn.Worker.Tests.Hosting;

/// <summary>A tiny registry in memory and workers that look at its jobs, each as a process of its own would.</summary>
sealed class WorkerLab : IDisposable
{
    readonly TempFolder work = new();
    readonly List<IDisposable> owned = [];

    WorkerLab(TimeProvider clock) => Clock = clock;

    public MemoryStore Store { get; } = new();

    public TimeProvider Clock { get; }

    public JobStore Jobs => new(Store, Clock);

    public static async Task<WorkerLab> CreateAsync(TimeProvider clock)
    {
        var lab = new WorkerLab(clock);
        await TinyRegistry.FillAsync(lab.Store);
        return lab;
    }

    public JobOptions JobOptions => new()
    {
        WorkFolder = Path.Combine(work.Path, "jobs"),
        CommitmentKey = new byte[32],
        CheckpointInterval = TimeSpan.Zero,
    };

    public JobReconciler Worker(string name, IObjectStore? store = null, TimeSpan? lease = null)
    {
        var seen = store ?? Store;
        var queue = Own(new ReconcileQueue(Clock));
        var feed = new JobFeed(new JobStore(seen, Clock), Clock);
        var options = new ReconcileOptions { Worker = name };
        return new(seen, Clock, JobOptions, options with { LeaseDuration = lease ?? options.LeaseDuration }, feed,
            Own(new WorkerMetrics(queue, feed)), NullLogger<JobReconciler>.Instance);
    }

    public Task<JobId> SubmitAsync(string? request = null) =>
        new JobRunner(Store, Clock, JobOptions).SubmitAsync(request ?? TinyRegistry.Request(), "request.json");

    public async Task<JobState> StateAsync(JobId job) => (await Jobs.ReadAsync(job)).State;

    /// <summary>Another worker begins the job, and nothing more is heard of it.</summary>
    public async Task BeginElsewhereAsync(JobId job)
    {
        var tracked = await Jobs.ReadAsync(job);
        await Jobs.TryUpdateAsync(tracked, tracked.State.Started());
    }

    public void Dispose()
    {
        owned.ForEach(o => o.Dispose());
        work.Dispose();
    }

    T Own<T>(T resource) where T : IDisposable
    {
        owned.Add(resource);
        return resource;
    }
}
