using System.Diagnostics;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using RegistryUnlearn.Registry;

namespace RegistryUnlearn.Worker.Hosting;

/// <summary>The worker's loop: sources say what to look at, a few loops look, and one place decides when to look again.</summary>
public sealed class WorkerService(
    ReconcileQueue queue, IEnumerable<IJobSource> sources, JobReconciler reconciler, WorkerOptions options, WorkerMetrics metrics,
    TimeProvider clock, IHostApplicationLifetime lifetime, ILogger<WorkerService> logger) : BackgroundService
{
    readonly IJobSource[] sources = [.. sources];

    /// <summary>What ended the worker, if it did not end as it should.</summary>
    public Exception? Failure { get; private set; }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        logger.LogInformation("Worker {Worker} on {Registry}, {Concurrency} at a time",
            options.Name, options.Registry, options.Concurrency);
        using var end = CancellationTokenSource.CreateLinkedTokenSource(stoppingToken);
        try
        {
            var looking = Enumerable.Range(0, options.Concurrency).Select(_ => LookAsync(end.Token)).ToArray();
            await Task.WhenAll(sources.Select(s => s.RunAsync(queue, options.Once, stoppingToken)));
            while (!queue.IsIdle)
                await Task.Delay(TimeSpan.FromMilliseconds(100), clock, stoppingToken);
            await end.CancelAsync();
            await Task.WhenAll(looking);
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
            await WaitUntilIdleAsync();
            logger.LogInformation("Worker {Worker} has stopped", options.Name);
        }
        catch (Exception e)
        {
            Failure = e;
            logger.LogCritical("The worker cannot go on: {Message}", e.Message);
        }
        lifetime.StopApplication();
    }

    /// <summary>Jobs at work save their state and give back their leases.</summary>
    async Task WaitUntilIdleAsync()
    {
        while (queue.IsAtWork)
            await Task.Delay(TimeSpan.FromMilliseconds(20), CancellationToken.None);
    }

    async Task LookAsync(CancellationToken stop)
    {
        try
        {
            while (true)
            {
                var job = await queue.TakeAsync(stop);
                try
                {
                    await LookAtAsync(job, stop);
                }
                finally
                {
                    queue.Done(job);
                }
            }
        }
        catch (OperationCanceledException)
        {
            // The worker stops.
        }
    }

    async Task LookAtAsync(JobId job, CancellationToken stop)
    {
        var scope = new JobScope(job.ToString());
        using var lines = logger.BeginScope(scope);
        using var activity = WorkerMetrics.Activities.StartActivity("reconcile");
        activity?.SetTag("registry_unlearn.job", job.ToString());
        var start = clock.GetTimestamp();
        ReconcileResult? result = null;
        metrics.Began();
        try
        {
            result = await reconciler.ReconcileAsync(job, scope, stop);
        }
        catch (Exception e) when (e is not OperationCanceledException)
        {
            activity?.SetStatus(ActivityStatusCode.Error, e.Message);
            logger.LogError(e is RegistryException ? null : e, "The look at the job failed: {Message}", e.Message);
        }
        finally
        {
            metrics.Ended(result, clock.GetElapsedTime(start));
            activity?.SetTag("registry_unlearn.attempt", scope.Attempt);
        }
        Decide(job, result);
        if (result is not null)
            await TellSourcesAsync(job, result);
    }

    /// <summary>A source that cannot be told will hint at the job again, which does no harm.</summary>
    async Task TellSourcesAsync(JobId job, ReconcileResult result)
    {
        foreach (var source in sources)
        {
            try
            {
                await source.LookedAtAsync(job, result, CancellationToken.None);
            }
            catch (RegistryException e)
            {
                logger.LogWarning("A source of jobs could not be told: {Message}", e.Message);
            }
        }
    }

    /// <summary>The only place that decides when a job is looked at again.</summary>
    void Decide(JobId job, ReconcileResult? result)
    {
        switch (result)
        {
            case ReconcileResult.Done:
                logger.LogInformation("Done");
                break;
            case ReconcileResult.Terminal terminal:
                logger.LogInformation("Ended: {Reason}", terminal.Reason);
                break;
            case ReconcileResult.RetryAfter retry:
                logger.LogDebug("Again in {Delay}: {Reason}", retry.Delay, retry.Reason);
                queue.AddAfter(job, retry.Delay);
                break;
            case null:
                queue.AddAfter(job, options.Reconcile.RetryDelay);
                break;
        }
    }
}
