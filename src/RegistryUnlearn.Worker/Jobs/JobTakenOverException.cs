using RegistryUnlearn.Registry;

namespace RegistryUnlearn.Worker.Jobs;

/// <summary>Another worker has begun or ended the job meanwhile: this one stops, and writes nothing more.</summary>
public sealed class JobTakenOverException(JobId job)
    : Exception($"job {job}: another worker has taken it over; this one stops")
{
    /// <param name="attempt">The attempt that this worker began.</param>
    internal static void ThrowIf(JobState now, int attempt)
    {
        if (now.Status is not JobStatus.Running || now.Attempt != attempt)
            throw new JobTakenOverException(now.JobId);
    }
}
