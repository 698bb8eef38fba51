using System.Net.ServerSentEvents;
using System.Runtime.CompilerServices;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using RegistryUnlearn.Registry;
using RegistryUnlearn.Worker.Hosting.Progress;
using RegistryUnlearn.Worker.Jobs;

namespace RegistryUnlearn.Worker.Hosting.Http;

/// <summary>Jobs: list, look at, watch, submit, cancel, retry.</summary>
static class JobsApi
{
    const string Json = "application/json";

    static readonly TimeSpan LookInterval = TimeSpan.FromMilliseconds(500);

    public static void Map(IEndpointRouteBuilder routes)
    {
        var reading = routes.MapGroup("/api/jobs").RequireAuthorization(HttpSetup.Read);
        reading.MapGet("/", async (JobStore jobs, CancellationToken stop) => (await ListAsync(jobs, stop)).OrderByDescending(j => j.Submitted));
        reading.MapGet("/{job}", (string job, JobWindow window, CancellationToken stop) => window.LookAsync(JobId.Parse(job), stop));
        reading.MapGet("/{job}/events", (string job, JobWindow window, TimeProvider clock, CancellationToken stop) =>
            TypedResults.ServerSentEvents(WatchAsync(JobId.Parse(job), window, clock, stop)));

        var writing = routes.MapGroup("/api/jobs").RequireAuthorization(HttpSetup.Write);
        writing.MapPost("/", SubmitAsync).Accepts<object>(Json);
        writing.MapPost("/{job}/cancel", async (string job, CommitProtocol commit, CancellationToken stop) =>
            JobSummary.Of(await commit.CancelAsync(JobId.Parse(job), stop)));
        writing.MapPost("/{job}/retry", async (string job, CommitProtocol commit, ReconcileQueue queue, CancellationToken stop) =>
        {
            var state = await commit.RetryAsync(JobId.Parse(job), stop);
            queue.Add(state.JobId);
            return JobSummary.Of(state);
        });
    }

    static async Task<IResult> SubmitAsync(HttpRequest request, JobRunner runner, ReconcileQueue queue, CancellationToken stop)
    {
        using var body = new StreamReader(request.Body);
        var job = await runner.SubmitAsync(await body.ReadToEndAsync(stop), "request body", stop);
        queue.Add(job);
        return TypedResults.Accepted($"/api/jobs/{job}", new { job = job.ToString() });
    }

    static async Task<List<JobSummary>> ListAsync(JobStore jobs, CancellationToken stop)
    {
        var all = new List<JobSummary>();
        await foreach (var job in jobs.ListAsync(stop))
            if (await jobs.TryReadAsync(job, stop) is { } tracked)
                all.Add(JobSummary.Of(tracked.State));
        return all;
    }

    /// <summary>What changed, until the job has ended or the watcher goes.</summary>
    static async IAsyncEnumerable<SseItem<JobView>> WatchAsync(
        JobId job, JobWindow window, TimeProvider clock, [EnumeratorCancellation] CancellationToken stop)
    {
        (DateTimeOffset, DateTimeOffset?)? shown = null;
        while (true)
        {
            var view = await window.LookAsync(job, stop);
            var state = (view.Job.Updated, view.Progress?.Updated);
            if (state != shown)
                yield return new(view, "job");
            shown = state;
            if (view.Job.Finished is not null)
                yield break;
            await Task.Delay(LookInterval, clock, stop);
        }
    }
}

/// <summary>Puts together what is known of a job.</summary>
public sealed class JobWindow(JobStore jobs, JobFeed feed)
{
    public async Task<JobView> LookAsync(JobId job, CancellationToken cancellation)
    {
        var state = (await jobs.ReadAsync(job, cancellation)).State;
        return new(JobSummary.Of(state), await FindRequestAsync(job, cancellation), await feed.ReadAsync(job, cancellation));
    }

    /// <summary>A request of another release may not be readable here; the job is shown without it.</summary>
    async Task<RequestSummary?> FindRequestAsync(JobId job, CancellationToken cancellation)
    {
        try
        {
            return RequestSummary.Of(await StoredRequest.ReadAsync(jobs, job, cancellation));
        }
        catch (Exception e) when (e is InputException or RegistryException { Kind: RegistryErrorKind.NotFound or RegistryErrorKind.Corrupt })
        {
            return null;
        }
    }
}
