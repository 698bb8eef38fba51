using Microsoft.Extensions.Hosting.Internal;
using Microsoft.Extensions.Logging.Abstractions;
using RegistryUnlearn.Conformance;
using RegistryUnlearn.Registry;
using RegistryUnlearn.Registry.Azure;
using RegistryUnlearn.Worker.Hosting;
using RegistryUnlearn.Worker.Hosting.Progress;
using RegistryUnlearn.Worker.Hosting.Sources;
using RegistryUnlearn.Worker.Jobs;

namespace RegistryUnlearn.Faults;

/// <summary>
/// A tiny registry in memory, and workers on it that hear of jobs by a queue alone: they do not list the registry, so that only messages
/// bring a job to its end.
/// </summary>
sealed class QueueSite : IAsyncDisposable
{
    /// <summary>The shortest that the service knows.</summary>
    public static readonly TimeSpan Hold = TimeSpan.FromSeconds(1);

    readonly TempFolder work = new();
    readonly MemoryStore store = new();
    readonly List<WorkerService> running = [];
    readonly List<IDisposable> owned = [];

    public JobStore Jobs => new(store, TimeProvider.System);

    public static async Task<QueueSite> CreateAsync()
    {
        var site = new QueueSite();
        await TinyRegistry.FillAsync(site.store);
        return site;
    }

    public Task<JobId> SubmitAsync() =>
        new JobRunner(store, TimeProvider.System, Options).SubmitAsync(TinyRegistry.Request(), "request");

    /// <param name="until">A job's first checkpoint waits for it, but no longer than four times as long as a message is held.</param>
    public async Task StartWorkerAsync(string name, HintQueue hints, Task? until = null)
    {
        var clock = TimeProvider.System;
        IObjectStore seen = until is null ? store : new PatientStore(store, until);
        var queue = Own(new ReconcileQueue(clock));
        var feed = new JobFeed(new JobStore(seen, clock), clock);
        var metrics = Own(new WorkerMetrics(queue, feed));
        var reconcile = new ReconcileOptions { Worker = name, LeaseDuration = TimeSpan.FromSeconds(5) };
        var worker = Own(new WorkerService(queue,
            [new QueueSource(hints, 2, clock, NullLogger<QueueSource>.Instance) { Hold = Hold, Pause = Hold / 10 }],
            new JobReconciler(seen, clock, Options, reconcile, feed, metrics, NullLogger<JobReconciler>.Instance),
            new WorkerOptions { Name = name, Registry = "memory", Concurrency = 2, Reconcile = reconcile }, metrics, clock,
            new ApplicationLifetime(NullLogger<ApplicationLifetime>.Instance), NullLogger<WorkerService>.Instance));
        running.Add(worker);
        await worker.StartAsync(CancellationToken.None);
    }

    /// <summary>The job made one version and one line in the log, and is closed.</summary>
    public async Task AssertDoneOnceAsync(JobId job, string what)
    {
        var state = (await Jobs.ReadAsync(job)).State;
        Assert.True(state is { Status: JobStatus.Succeeded, Closed: true, Error: null }, $"{what}: {state}");
        var versions = await new ModelRegistry(store).ListVersionsAsync(ModelName.Parse("tiny"));
        Assert.True(versions.Select(v => v.Version).SequenceEqual([1, 2]), what);
        Assert.True(1 == (await new AuditLog(store).VerifyAsync()).Lines, what);
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var worker in running)
            await worker.StopAsync(CancellationToken.None);
        owned.ForEach(o => o.Dispose());
        work.Dispose();
    }

    JobOptions Options => new()
    {
        WorkFolder = Path.Combine(work.Path, "jobs"),
        CommitmentKey = new byte[32],
        CheckpointInterval = TimeSpan.Zero,
    };

    T Own<T>(T resource) where T : IDisposable
    {
        owned.Add(resource);
        return resource;
    }

    sealed class PatientStore(IObjectStore inner, Task until) : StoreDecorator(inner)
    {
        protected override async Task<T> WritingAsync<T>(StoreWrite write, Func<Task<T>> operation, T conflict)
        {
            if (write.Path.Contains("/blobs/", StringComparison.Ordinal))
                await Task.WhenAny(until, Task.Delay(Hold * 4));
            return await operation();
        }
    }
}
