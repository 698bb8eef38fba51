using Microsoft.Extensions.Logging;
using RegistryUnlearn.Registry;
using RegistryUnlearn.Worker.Hosting.Progress;
using RegistryUnlearn.Worker.Jobs;

namespace RegistryUnlearn.Worker.Hosting;

/// <summary>
/// Looks at a job and does whatever it needs: nothing, carrying it out, finishing what a dead worker left, giving it up. The only way in;
/// whoever calls it, however often and from how many workers, the job ends once.
/// </summary>
public sealed class JobReconciler(
    IObjectStore store, TimeProvider clock, JobOptions jobOptions, ReconcileOptions options, JobFeed feed, WorkerMetrics metrics,
    ILogger<JobReconciler> logger)
{
    const string Poison = "poison";

    readonly JobStore jobs = new(store, clock);
    readonly JobRunner runner = new(store, clock, jobOptions);
    readonly JobLeases leases = new(store, clock, options.Worker);
    readonly CommitProtocol commit = new(store, new JobStore(store, clock), clock);

    /// <param name="stop">Ends the work after a checkpoint; the job is then free for another worker.</param>
    /// <exception cref="RegistryException">The registry does not answer, or the job's own documents are damaged.</exception>
    public async Task<ReconcileResult> ReconcileAsync(JobId job, CancellationToken stop = default)
    {
        var scope = new JobScope(job.ToString());
        using var lines = logger.BeginScope(scope);
        return await ReconcileAsync(job, scope, stop);
    }

    /// <param name="scope">Around the caller's lines; is told the attempt.</param>
    internal async Task<ReconcileResult> ReconcileAsync(JobId job, JobScope scope, CancellationToken stop)
    {
        if (await jobs.FindAsync(job, stop) is not { State: var state })
            return new ReconcileResult.Terminal("unknown-job");
        scope.Attempt = state.Attempt;
        if (state is { HasEnded: true, Closed: true })
        {
            await leases.RemoveAsync(job, stop);
            return EndOf(state);
        }
        if (state.NotBefore is { } notBefore && notBefore > clock.GetUtcNow())
            return new ReconcileResult.RetryAfter(notBefore - clock.GetUtcNow(), state.Error?.Reason ?? "postponed");
        switch (await leases.TryAcquireAsync(job, options.LeaseDuration, stop))
        {
            case LeaseAnswer.Held held:
                return new ReconcileResult.RetryAfter(held.For, "held");
            case LeaseAnswer.Acquired acquired:
                return await WithLeaseAsync(job, acquired.Lease, scope, stop);
            case var other:
                throw new InvalidOperationException($"{other} is no answer");
        }
    }

    async Task<ReconcileResult> WithLeaseAsync(JobId job, JobLease lease, JobScope scope, CancellationToken stop)
    {
        await using var keeper = new LeaseKeeper(lease, options.LeaseDuration, clock, logger);
        // Read again: it may have ended before the lease was had.
        var state = (await jobs.ReadAsync(job, stop)).State;
        scope.Attempt = state.HasEnded ? state.Attempt : state.Attempt + 1;
        var result = await CarryOutAsync(state, keeper, stop);
        if (result is ReconcileResult.RetryAfter)
        {
            await keeper.EndAsync(jobHasEnded: false);
            return result;
        }
        return await keeper.EndAsync(jobHasEnded: true) ? result : new ReconcileResult.RetryAfter(options.RetryDelay, "lease-left");
    }

    async Task<ReconcileResult> CarryOutAsync(JobState state, LeaseKeeper keeper, CancellationToken stop)
    {
        var job = state.JobId;
        try
        {
            if (state.Status is JobStatus.Failed)
                return EndOf(await commit.FailAsync(job, state.Error!, state.Candidate, stop));
            if (state.Status is JobStatus.Cancelled)
                return EndOf(await commit.CancelAsync(job, stop));
            if (state.Status is JobStatus.Running && state.Strikes >= options.MaxStrikes)
                return await GiveUpAsync(state, stop);
            logger.LogInformation("Carrying out, from {Status}", state.Status);
            await using var progress = feed.Begin(state, options.Worker);
            await Task.Run(() => runner.RunAsync(job, progress, stop, keeper.Lost), CancellationToken.None);
            return new ReconcileResult.Done();
        }
        catch (OperationCanceledException) when (keeper.Lost.IsCancellationRequested)
        {
            metrics.LeaseLost();
            logger.LogWarning("The lease is lost: another worker may have the job, this one has stopped");
            return new ReconcileResult.RetryAfter(options.LeaseDuration, "lease-lost");
        }
        catch (OperationCanceledException) when (stop.IsCancellationRequested)
        {
            logger.LogInformation("Stopped after a checkpoint; the job is free for another worker");
            return new ReconcileResult.RetryAfter(TimeSpan.Zero, "stopped");
        }
        catch (JobTakenOverException)
        {
            metrics.LeaseLost();
            logger.LogWarning("Another worker has taken the job over; this one has stopped");
            return new ReconcileResult.RetryAfter(options.LeaseDuration, "taken-over");
        }
        catch (Exception e)
        {
            return await JudgeAsync(state, e);
        }
    }

    /// <summary>What a failed attempt means: the end of the job, if it was recorded as that, or another attempt later.</summary>
    /// <param name="before">The job as it was before the attempt began.</param>
    async Task<ReconcileResult> JudgeAsync(JobState before, Exception e)
    {
        var current = await jobs.ReadAsync(before.JobId);
        if (current.State is { HasEnded: true, Closed: false } && e is RegistryException && !JobFailure.IsTerminal(e))
        {
            logger.LogWarning("The job has ended, but what follows is not done; again in {Delay}: {Message}", options.RetryDelay,
                e.Message);
            return new ReconcileResult.RetryAfter(options.RetryDelay, JobFailure.Reason(e));
        }
        if (current.State.HasEnded)
        {
            if (current.State.Status is not JobStatus.Succeeded)
                logger.LogError("The job has failed: {Message}", e.Message);
            return EndOf(current.State);
        }
        if (current.State.Retry != before.Retry || current.State.Attempt > before.Attempt + 1)
        {
            logger.LogWarning("Another worker has taken the job over; this one has stopped: {Message}", e.Message);
            return new ReconcileResult.RetryAfter(options.LeaseDuration, "taken-over");
        }
        if (current.State.Strikes >= options.MaxStrikes)
            return await GiveUpAsync(current.State with { Error = JobFailure.Describe(e) }, CancellationToken.None);
        var delay = options.DelayAfter(current.State.Strikes);
        var error = JobFailure.Describe(e);
        // What is no defect is said by its message alone.
        logger.LogWarning(error.Reason == "defect" ? e : null,
            "Attempt without progress, number {Strikes} of {MaxStrikes}; the next in {Delay}: {Message}",
            current.State.Strikes, options.MaxStrikes, delay, e.Message);
        if (current.State.Status is JobStatus.Running)
            await jobs.TryUpdateAsync(current, current.State.Postponed(error, clock.GetUtcNow() + delay));
        return new ReconcileResult.RetryAfter(delay, error.Reason);
    }

    async Task<ReconcileResult> GiveUpAsync(JobState state, CancellationToken cancellation)
    {
        var last = state.Error is { } error
            ? $"the last one ended with: {error.Message}"
            : "the workers that tried were killed, or crashed";
        var reason = new JobError(Poison,
            $"{state.Strikes} attempts in a row brought the job no further; {last} "
            + $"Remove the cause, then: registry-unlearn jobs retry {state.JobId}");
        logger.LogError("The job is given up: {Message}", reason.Message);
        return EndOf(await commit.FailAsync(state.JobId, reason, cancellation));
    }

    static ReconcileResult EndOf(JobState state) => state.Status switch
    {
        JobStatus.Failed => new ReconcileResult.Terminal(state.Error?.Reason ?? "failed"),
        JobStatus.Cancelled => new ReconcileResult.Terminal("cancelled"),
        _ => new ReconcileResult.Done(),
    };
}
