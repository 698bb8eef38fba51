using RegistryUnlearn.Registry;

namespace RegistryUnlearn.Worker.Jobs;

/// <summary>Looks, now and then, whether a job is still this worker's: not cancelled, and not begun by another since.</summary>
/// <param name="begun">The state that this attempt began with.</param>
sealed class JobWatch(JobStore jobs, JobState begun, TimeProvider clock)
{
    /// <summary>A look is a reading from the store: steps may be much faster.</summary>
    static readonly TimeSpan Interval = TimeSpan.FromSeconds(1);

    long last = clock.GetTimestamp();

    /// <summary>Looks unless the last look is too young.</summary>
    /// <inheritdoc cref="Require"/>
    public async Task LookIfDueAsync(CancellationToken cancellation)
    {
        if (clock.GetElapsedTime(last) >= Interval)
            await LookAsync(cancellation);
    }

    /// <inheritdoc cref="Require"/>
    public async Task LookAsync(CancellationToken cancellation) => Require((await jobs.ReadAsync(begun.JobId, cancellation)).State);

    /// <summary>Records that the attempt enters a stage.</summary>
    /// <inheritdoc cref="Require"/>
    public Task EnterAsync(string stage, CancellationToken cancellation) => jobs.ChangeAsync(begun.JobId, current =>
    {
        Require(current);
        return current with { Stage = stage };
    }, cancellation);

    /// <summary>Judges a state that was read for another reason. A job that waits again was cancelled and retried meanwhile.</summary>
    /// <exception cref="JobCancelledException">The job was cancelled.</exception>
    /// <exception cref="JobTakenOverException">Another worker has the job.</exception>
    public void Require(JobState current)
    {
        if (current.Status is JobStatus.Cancelled or JobStatus.Submitted)
            throw new JobCancelledException(begun.JobId);
        if (current.Status is not JobStatus.Running || !current.IsSameAttemptAs(begun))
            throw new JobTakenOverException(begun.JobId);
        last = clock.GetTimestamp();
    }
}
