using Microsoft.Extensions.Logging;
using RegistryUnlearn.Registry;

namespace RegistryUnlearn.Worker.Hosting;

/// <summary>Looks through the registry at every interval for jobs with something left to do: what no event may be trusted with.</summary>
public sealed class RegistryListing(JobStore jobs, TimeSpan interval, TimeProvider clock, ILogger<RegistryListing> logger) : IJobSource
{
    /// <summary>Jobs that were closed when they were last seen; only a retry opens them again.</summary>
    readonly Dictionary<JobId, DateTimeOffset> closed = [];

    /// <summary>How long a closed job is believed to be closed still.</summary>
    readonly TimeSpan trust = interval * 6;

    /// <summary>When a listing last began or ended, well or not; null before the first. A worker that hangs shows by it.</summary>
    public DateTimeOffset? LastTurn { get; private set; }

    public async Task RunAsync(ReconcileQueue queue, bool once, CancellationToken stop)
    {
        while (true)
        {
            LastTurn = clock.GetUtcNow();
            try
            {
                await ReadAsync(queue, stop);
            }
            catch (RegistryException e) when (!once)
            {
                logger.LogWarning("The registry could not be listed: {Message}", e.Message);
            }
            if (once)
                return;
            await Task.Delay(interval, clock, stop);
        }
    }

    public Task LookedAtAsync(JobId job, ReconcileResult result, CancellationToken cancellation) => Task.CompletedTask;

    async Task ReadAsync(ReconcileQueue queue, CancellationToken stop)
    {
        var now = clock.GetUtcNow();
        // Somebody works on these, or died before the lease of a closed job was removed.
        await foreach (var job in jobs.ListLeasedAsync(stop))
            queue.Add(job);
        await foreach (var job in jobs.ListRequestsAsync(stop))
        {
            if (closed.TryGetValue(job, out var seen) && now - seen < trust)
                continue;
            if (await IsOpenAsync(job, stop))
            {
                closed.Remove(job);
                queue.Add(job);
            }
            else
                closed[job] = now;
        }
        LastTurn = clock.GetUtcNow();
    }

    /// <summary>
    /// A job whose documents are damaged is named in the log at every listing, and does not keep the others from being seen.
    /// </summary>
    async Task<bool> IsOpenAsync(JobId job, CancellationToken stop)
    {
        try
        {
            return (await jobs.TryReadAsync(job, stop))?.State is not { HasEnded: true, Closed: true };
        }
        catch (RegistryException e) when (e.Kind is RegistryErrorKind.Invalid or RegistryErrorKind.Corrupt)
        {
            using var lines = logger.BeginScope(new JobScope(job.ToString()));
            logger.LogError("The job cannot be read: {Message}", e.Message);
            return false;
        }
    }
}
