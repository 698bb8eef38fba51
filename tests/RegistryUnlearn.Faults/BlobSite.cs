using System.Globalization;
using System.Text.Json.Nodes;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;
using RegistryUnlearn.Conformance;
using RegistryUnlearn.Registry;
using RegistryUnlearn.Registry.Azure;
using RegistryUnlearn.Registry.Azure.Tests.Http;
using RegistryUnlearn.Worker.Hosting;
using RegistryUnlearn.Worker.Hosting.Progress;
using RegistryUnlearn.Worker.Jobs;

namespace RegistryUnlearn.Faults;

/// <summary>
/// A tiny registry in a container of the emulator, and workers on it that know nothing of each other: each has a clock of its own, which
/// stands still until it is set.
/// </summary>
sealed class BlobSite : IDisposable
{
    /// <summary>A worker that says nothing for so long has lost its job.</summary>
    public static readonly TimeSpan Lease = TimeSpan.FromSeconds(1);

    static readonly DateTimeOffset Beginning = new(2026, 3, 5, 12, 30, 0, TimeSpan.Zero);

    readonly TempFolder work = new();
    readonly List<IDisposable> owned = [];
    readonly BlobLocation location;
    int workers;

    BlobSite(BlobLocation location) => this.location = location;

    /// <summary>The registry without faults.</summary>
    public IObjectStore Whole => Connect(null);

    /// <param name="location">Where nothing is yet.</param>
    public static async Task<BlobSite> CreateAsync(BlobLocation location)
    {
        var site = new BlobSite(location);
        await TinyRegistry.FillAsync(site.Whole);
        return site;
    }

    public AzureBlobStore Connect(FaultTransport? transport)
    {
        var options = BlobService.Options();
        options.Retry.Delay = TimeSpan.FromMilliseconds(1);
        options.Retry.MaxDelay = TimeSpan.FromMilliseconds(10);
        options.Transport = transport ?? options.Transport;
        return new(location.Connect(options, _ => null), location.Prefix);
    }

    public Task<JobId> SubmitAsync(IObjectStore store) => new JobRunner(store, new FakeTimeProvider(Beginning), Options).SubmitAsync(
        TinyRegistry.Request(r => r["method"]!["options"] = new JsonObject { ["steps"] = 2, ["batch"] = 8 }), "request");

    public BlobWorker NewWorker(IObjectStore store)
    {
        var clock = new FakeTimeProvider(Beginning);
        var queue = Own(new ReconcileQueue(clock));
        var feed = new JobFeed(new JobStore(store, clock), clock);
        var options = new ReconcileOptions { Worker = string.Create(CultureInfo.InvariantCulture, $"{++workers}"), LeaseDuration = Lease };
        return new(clock, options, new(
            store, clock, Options, options, feed, Own(new WorkerMetrics(queue, feed)), NullLogger<JobReconciler>.Instance));
    }

    /// <summary>One new version with these files, a closed job, one line in the log; neither blobs nor a lease, no local copies.</summary>
    /// <param name="expected">The new version's files by path.</param>
    /// <param name="what">What was done to the job.</param>
    public async Task AssertDoneAsync(JobId job, Dictionary<string, byte[]> expected, string what)
    {
        var store = Whole;
        var files = await TinyRegistry.FilesAsync(store, "tiny/");
        Assert.True(files.Remove("tiny/1/model.onnx"), what);
        Assert.True(expected.Keys.Order().SequenceEqual(files.Keys.Order()), $"{what}: {string.Join(", ", files.Keys)}");
        Assert.All(files, file => Assert.True(expected[file.Key].AsSpan().SequenceEqual(file.Value), $"{what}: {file.Key}"));
        var state = (await new JobStore(store, TimeProvider.System).ReadAsync(job)).State;
        Assert.True(state is { Status: JobStatus.Succeeded, Closed: true, Error: null }, $"{what}: {state}");
        Assert.True(1 == (await new AuditLog(store).VerifyAsync()).Lines, what);
        await foreach (var entry in store.ListAsync(".registry-unlearn/"))
            Assert.False(entry.Path.Contains("/blobs/") || entry.Path.Contains("/leases/"), $"{what}: {entry.Path}");
        Assert.False(Directory.Exists(Options.WorkFolder) && Directory.EnumerateFileSystemEntries(Options.WorkFolder).Any(), what);
    }

    public void Dispose()
    {
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
}

/// <summary>A worker and its clock.</summary>
sealed record BlobWorker(FakeTimeProvider Clock, ReconcileOptions Options, JobReconciler Reconciler)
{
    /// <summary>Looks once, and waits as long as the worker's loop would before it looks again.</summary>
    /// <returns>Null when the registry did not answer.</returns>
    public async Task<ReconcileResult?> LookAsync(JobId job)
    {
        try
        {
            var result = await Reconciler.ReconcileAsync(job);
            if (result is ReconcileResult.RetryAfter retry)
                Clock.Advance(retry.Delay);
            return result;
        }
        catch (RegistryException e) when (e.Kind is RegistryErrorKind.Unavailable)
        {
            Clock.Advance(Options.RetryDelay);
            return null;
        }
    }

    /// <summary>Looks until nothing is left to do.</summary>
    public async Task FinishAsync(JobId job, string what)
    {
        ReconcileResult? result = null;
        for (var look = 1; look <= 5; look++)
        {
            result = await LookAsync(job);
            if (result is ReconcileResult.Done)
                return;
        }
        Assert.Fail($"{what}: {result}");
    }
}
