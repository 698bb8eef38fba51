using System.Globalization;
using RegistryUnlearn.Registry;
using RegistryUnlearn.Unlearning.Methods;

namespace RegistryUnlearn.Worker.Jobs;

/// <summary>Saves the state of a run in the registry now and then, and takes it up again.</summary>
sealed class Checkpoints(JobStore jobs, JobId job, JobWatch watch, TimeProvider clock, TimeSpan interval)
{
    const string Step = "step";

    /// <summary>The release that wrote a checkpoint: another one may keep other state.</summary>
    const string Release = "release";

    long last = clock.GetTimestamp();

    /// <summary>Restores the run to the last checkpoint, if there is one that this release has written.</summary>
    /// <returns>The step to go on from; 0 for the beginning.</returns>
    public async Task<int> RestoreAsync(MethodRun run, CancellationToken cancellation)
    {
        var state = (await jobs.ReadAsync(job, cancellation)).State;
        if (state.Checkpoint is not { } checkpoint || checkpoint.Meta.GetValueOrDefault(Release) != PublishStage.ProductVersion)
            return 0;
        try
        {
            using var content = new MemoryStream(await jobs.BlobsOf(state).ReadAsync(checkpoint.Digest, cancellation), writable: false);
            run.Restore(content);
        }
        catch (RegistryException e) when (e.Kind is RegistryErrorKind.NotFound)
        {
            // Cleared by a twin that ended the job: work is repeated, the result is the same.
            return 0;
        }
        return run.Step;
    }

    /// <exception cref="JobCancelledException">The job was cancelled.</exception>
    public async Task SaveIfDueAsync(MethodRun run, CancellationToken cancellation)
    {
        if (clock.GetElapsedTime(last) < interval)
        {
            await watch.LookIfDueAsync(cancellation);
            return;
        }
        await SaveAsync(run, cancellation);
        last = clock.GetTimestamp();
    }

    /// <exception cref="JobCancelledException">The job was cancelled.</exception>
    public async Task SaveAsync(MethodRun run, CancellationToken cancellation)
    {
        using var content = new MemoryStream();
        run.Save(content);
        while (true)
        {
            var current = await jobs.ReadAsync(job, cancellation);
            watch.Require(current.State);
            // A twin is further on: its result will be the same.
            if (current.State.Status is not JobStatus.Running)
                return;
            var digest = await jobs.BlobsOf(current.State).PutAsync(content.GetBuffer().AsMemory(0, (int)content.Length), cancellation);
            var at = new Dictionary<string, string>
            {
                [Step] = run.Step.ToString(CultureInfo.InvariantCulture),
                [Release] = PublishStage.ProductVersion,
            };
            var next = current.State with { Stage = "unlearn", Checkpoint = new JobCheckpoint(digest, at) };
            if (await jobs.TryUpdateAsync(current, next, cancellation) is not null)
                return;
        }
    }
}
