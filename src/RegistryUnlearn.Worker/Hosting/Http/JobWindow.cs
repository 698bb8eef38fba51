using System.Collections.Concurrent;
using RegistryUnlearn.Registry;
using RegistryUnlearn.Worker.Hosting.Progress;
using RegistryUnlearn.Worker.Jobs;

namespace RegistryUnlearn.Worker.Hosting.Http;

/// <summary>Puts together what is known of jobs, for people. Thread-safe.</summary>
public sealed class JobWindow(JobStore jobs, JobFeed feed, TimeProvider clock)
{
    /// <summary>Documents read at a time for a list.</summary>
    const int Parallelism = 8;

    /// <summary>How long a closed job is believed to be closed still; only a retry opens one again.</summary>
    static readonly TimeSpan Trust = TimeSpan.FromSeconds(30);

    /// <summary>Requests never change.</summary>
    readonly ConcurrentDictionary<JobId, RequestSummary?> requests = new();
    readonly ConcurrentDictionary<JobId, (JobRow Row, DateTimeOffset Seen)> closed = new();

    /// <summary>All jobs, the newest first; a damaged one is there with what is wrong with it, and does not hide the others.</summary>
    public async Task<IReadOnlyList<JobRow>> ListAsync(CancellationToken cancellation)
    {
        var rows = new ConcurrentBag<JobRow>();
        await Parallel.ForEachAsync(jobs.ListAsync(cancellation), new ParallelOptions
        {
            MaxDegreeOfParallelism = Parallelism,
            CancellationToken = cancellation,
        }, async (job, stop) =>
        {
            if (await FindRowAsync(job, stop) is { } row)
                rows.Add(row);
        });
        return [.. rows.OrderByDescending(r => r.Job?.Submitted).ThenBy(r => r.Job?.Job, StringComparer.Ordinal)];
    }

    /// <exception cref="RegistryException">NotFound: there is no such job.</exception>
    public async Task<JobView> LookAsync(JobId job, CancellationToken cancellation)
    {
        var state = (await jobs.ReadAsync(job, cancellation)).State;
        return new(JobSummary.Of(state), await FindRequestAsync(job, cancellation), await feed.ReadAsync(job, cancellation));
    }

    /// <summary>Looks anew at a job that was closed.</summary>
    public void Forget(JobId job) => closed.TryRemove(job, out _);

    async Task<JobRow?> FindRowAsync(JobId job, CancellationToken cancellation)
    {
        if (closed.TryGetValue(job, out var known) && clock.GetUtcNow() - known.Seen < Trust)
            return known.Row;
        try
        {
            if (await jobs.TryReadAsync(job, cancellation) is not { State: var state })
                return null;
            var progress = state.Status is JobStatus.Running ? await feed.ReadAsync(job, cancellation) : null;
            var row = new JobRow(JobSummary.Of(state), await FindRequestAsync(job, cancellation),
                progress is { Runs: [.., var run] } ? new(run.Method, run.Step, run.Steps) : null);
            if (state.Closed)
                closed[job] = (row, clock.GetUtcNow());
            return row;
        }
        catch (RegistryException e) when (e.Kind is RegistryErrorKind.Invalid or RegistryErrorKind.Corrupt)
        {
            return new(null, Damage: e.Message);
        }
    }

    /// <summary>A request of another release may not be readable here; the job is shown without it.</summary>
    async Task<RequestSummary?> FindRequestAsync(JobId job, CancellationToken cancellation)
    {
        if (requests.TryGetValue(job, out var known))
            return known;
        try
        {
            return requests[job] = RequestSummary.Of(await StoredRequest.ReadAsync(jobs, job, cancellation));
        }
        catch (InputException)
        {
            return requests[job] = null;
        }
        catch (RegistryException e) when (e.Kind is RegistryErrorKind.NotFound or RegistryErrorKind.Corrupt)
        {
            return null;
        }
    }
}
