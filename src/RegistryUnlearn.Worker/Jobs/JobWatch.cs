using RegistryUnlearn.Registry;

namespace RegistryUnlearn.Worker.Jobs;

/// <summary>Looks, now and then, whether a job that is worked on has been cancelled.</summary>
sealed class JobWatch(JobStore jobs, JobId job, TimeProvider clock)
{
    /// <summary>A look is a reading from the store: steps may be much faster.</summary>
    static readonly TimeSpan Interval = TimeSpan.FromSeconds(1);

    long last = clock.GetTimestamp();

    /// <summary>Looks unless the last look is too young.</summary>
    /// <exception cref="JobCancelledException">The job was cancelled.</exception>
    public async Task LookIfDueAsync(CancellationToken cancellation)
    {
        if (clock.GetElapsedTime(last) >= Interval)
            await LookAsync(cancellation);
    }

    /// <inheritdoc cref="LookIfDueAsync"/>
    public async Task LookAsync(CancellationToken cancellation) => Require((await jobs.ReadAsync(job, cancellation)).State);

    /// <summary>Judges a state that was read for another reason. A job that waits again was cancelled and retried meanwhile.</summary>
    /// <exception cref="JobCancelledException">The job was cancelled.</exception>
    public void Require(JobState current)
    {
        if (current.Status is JobStatus.Cancelled or JobStatus.Submitted)
            throw new JobCancelledException(job);
        last = clock.GetTimestamp();
    }
}
