using RegistryUnlearn.Registry;

namespace RegistryUnlearn.Worker.Hosting.Progress;

/// <summary>Progress in the registry, one document per job. The last writer wins; losing one costs a look.</summary>
public sealed class JobProgressStore(JobStore jobs)
{
    /// <summary>Null when there is none, or none that can be read.</summary>
    public async Task<JobProgressDocument?> ReadAsync(JobId job, CancellationToken cancellation = default) =>
        await jobs.ReadProgressAsync(job, cancellation) is { } stored ? ProgressJson.TryRead(stored.Span) : null;

    /// <summary>False when the registry did not take it.</summary>
    public async Task<bool> TryWriteAsync(JobId job, JobProgressDocument document, CancellationToken cancellation)
    {
        try
        {
            return await jobs.TryWriteProgressAsync(job, ProgressJson.Write(document), cancellation);
        }
        catch (RegistryException)
        {
            return false;
        }
    }
}
