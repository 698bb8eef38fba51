using System.Net.ServerSentEvents;
using System.Runtime.CompilerServices;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.Hosting;
using RegistryUnlearn.Registry;
using RegistryUnlearn.Worker.Jobs;

namespace RegistryUnlearn.Worker.Hosting.Http;

/// <summary>Jobs: list, look at, watch, submit, cancel, retry.</summary>
static class JobsApi
{
    const string Json = "application/json";

    static readonly TimeSpan LookInterval = TimeSpan.FromMilliseconds(500);

    /// <summary>Looks after which an unchanged job is told again, so that both ends know that the connection stands.</summary>
    const int LooksInSilence = 30;

    public static void Map(IEndpointRouteBuilder routes)
    {
        var reading = routes.MapGroup("/api/jobs").RequireAuthorization(HttpSetup.Read);
        reading.MapGet("/", (JobWindow window, CancellationToken stop) => window.ListAsync(stop));
        reading.MapGet("/{job}", (string job, JobWindow window, CancellationToken stop) => window.LookAsync(JobId.Parse(job), stop));
        reading.MapGet("/{job}/events", EventsAsync);

        var writing = routes.MapGroup("/api/jobs").RequireAuthorization(HttpSetup.Write);
        writing.MapPost("/", SubmitAsync).Accepts<object>(Json);
        writing.MapPost("/{job}/cancel", async (string job, CommitProtocol commit, CancellationToken stop) =>
            JobSummary.Of(await commit.CancelAsync(JobId.Parse(job), stop)));
        writing.MapPost("/{job}/retry", RetryAsync);
    }

    static async Task<JobSummary> RetryAsync(
        string job, CommitProtocol commit, JobWindow window, ReconcileQueue queue, CancellationToken stop)
    {
        var state = await commit.RetryAsync(JobId.Parse(job), stop);
        window.Forget(state.JobId);
        queue.Add(state.JobId);
        return JobSummary.Of(state);
    }

    static async Task<IResult> SubmitAsync(HttpRequest request, JobRunner runner, ReconcileQueue queue, CancellationToken stop)
    {
        using var body = new StreamReader(request.Body);
        var job = await runner.SubmitAsync(await body.ReadToEndAsync(stop), "request body", stop);
        queue.Add(job);
        return TypedResults.Accepted($"/api/jobs/{job}", new { job = job.ToString() });
    }

    static async Task<IResult> EventsAsync(
        string job, JobWindow window, TimeProvider clock, IHostApplicationLifetime lifetime, CancellationToken gone)
    {
        var id = JobId.Parse(job);
        // An unknown job is an error, not an empty stream.
        var first = await window.LookAsync(id, gone);
        return TypedResults.ServerSentEvents(WatchAsync(id, first, window, clock, lifetime.ApplicationStopping, gone));
    }

    /// <summary>What changed, until the job has ended, the watcher goes, or the worker stops.</summary>
    static async IAsyncEnumerable<SseItem<JobView>> WatchAsync(
        JobId job, JobView view, JobWindow window, TimeProvider clock, CancellationToken stopping,
        [EnumeratorCancellation] CancellationToken gone)
    {
        using var end = CancellationTokenSource.CreateLinkedTokenSource(stopping, gone);
        yield return new(view, "job");
        for (var silence = 0; view.Job.Finished is null; silence++)
        {
            await Task.Delay(LookInterval, clock, end.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            if (end.IsCancellationRequested)
                yield break;
            var next = await window.LookAsync(job, gone);
            if ((next.Job.Updated, next.Progress?.Updated) == (view.Job.Updated, view.Progress?.Updated) && silence < LooksInSilence)
                continue;
            (view, silence) = (next, 0);
            yield return new(view, "job");
        }
    }
}
