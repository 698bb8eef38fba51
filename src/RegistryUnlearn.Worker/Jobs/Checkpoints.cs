using RegistryUnlearn.Registry;
using RegistryUnlearn.Unlearning.Methods;

namespace RegistryUnlearn.Worker.Jobs;

/// <summary>
/// Saves the states of a job's runs in the registry now and then, and takes them up again. Only the newest attempt at a job writes.
/// </summary>
/// <param name="folder">For local copies of the states, which can be larger than memory allows twice.</param>
sealed class Checkpoints(JobStore jobs, JobId job, JobWatch watch, string folder, TimeProvider clock, TimeSpan interval)
{
    readonly string copy = Path.Combine(folder, "checkpoint");
    long last = clock.GetTimestamp();

    /// <summary>Restores a run to its last saved state, if there is one that this release has written.</summary>
    /// <returns>The step to go on from; 0 for the beginning.</returns>
    public async Task<int> RestoreAsync(string name, MethodRun run, CancellationToken cancellation)
    {
        var state = (await jobs.ReadAsync(job, cancellation)).State;
        if (state.Checkpoint is not { Release: var release } checkpoint || release != PublishStage.ProductVersion
            || checkpoint.Runs.GetValueOrDefault(name) is not { } saved)
            return 0;
        try
        {
            await jobs.BlobsOf(state).DownloadAsync(saved.Digest, copy, cancellation);
        }
        catch (RegistryException e) when (e.Kind is RegistryErrorKind.NotFound)
        {
            // Cleared by a twin that went on or ended the job: work is repeated, the result is the same.
            return 0;
        }
        try
        {
            await using var content = File.OpenRead(copy);
            run.Restore(content);
        }
        finally
        {
            File.Delete(copy);
        }
        return run.Step;
    }

    /// <returns>Whether it was due.</returns>
    /// <inheritdoc cref="JobWatch.Require"/>
    public async Task<bool> SaveIfDueAsync(string name, MethodRun run, CancellationToken cancellation)
    {
        if (clock.GetElapsedTime(last) < interval)
        {
            await watch.LookIfDueAsync(cancellation);
            return false;
        }
        await SaveAsync(name, run, cancellation);
        return true;
    }

    /// <summary>Saves a finished run if that spares work worth sparing: nothing later would repeat it otherwise.</summary>
    public async Task SaveIfStaleAsync(string name, MethodRun run, CancellationToken cancellation)
    {
        if (clock.GetElapsedTime(last) >= interval / 2)
            await SaveAsync(name, run, cancellation);
    }

    /// <inheritdoc cref="JobWatch.Require"/>
    public async Task SaveAsync(string name, MethodRun run, CancellationToken cancellation)
    {
        await using (var content = File.Create(copy))
            run.Save(content);
        try
        {
            await StoreAsync(name, run.Step, cancellation);
        }
        finally
        {
            File.Delete(copy);
        }
        last = clock.GetTimestamp();
    }

    async Task StoreAsync(string name, int step, CancellationToken cancellation)
    {
        while (true)
        {
            var current = await jobs.ReadAsync(job, cancellation);
            watch.Require(current.State);
            var blobs = jobs.BlobsOf(current.State);
            var (digest, _) = await blobs.PutFileAsync(copy, cancellation);
            var runs = new SortedDictionary<string, RunCheckpoint>(StringComparer.Ordinal) { [name] = new(digest, step) };
            var before = current.State.Checkpoint is { Release: var release } known && release == PublishStage.ProductVersion
                ? known.Runs : new Dictionary<string, RunCheckpoint>();
            foreach (var (other, saved) in before)
                runs.TryAdd(other, saved);
            if (await jobs.TryUpdateAsync(current, current.State.Advanced(new(PublishStage.ProductVersion, runs)), cancellation) is null)
                continue;
            if (before.GetValueOrDefault(name) is { } replaced && runs.Values.All(r => r.Digest != replaced.Digest))
                await blobs.DeleteAsync(replaced.Digest, cancellation);
            return;
        }
    }
}
