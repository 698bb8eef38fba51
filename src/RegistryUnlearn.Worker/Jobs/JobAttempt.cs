using RegistryUnlearn.Registry;

namespace RegistryUnlearn.Worker.Jobs;

/// <summary>One worker's go at a job.</summary>
/// <param name="State">What the job was when the attempt began.</param>
/// <param name="Folder">For local copies.</param>
sealed record JobAttempt(JobState State, string Folder, JobWatch Watch, IJobProgress Progress, JobStop Ends)
{
    /// <inheritdoc cref="JobWatch.EnterAsync"/>
    public async Task EnterAsync(string stage)
    {
        Progress.Stage(stage);
        await Watch.EnterAsync(stage, Ends.Either);
    }
}
