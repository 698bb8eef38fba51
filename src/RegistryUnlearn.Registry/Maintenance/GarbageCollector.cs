namespace RegistryUnlearn.Registry;

/// <summary>What nothing needs any more.</summary>
/// <param name="Kind">What it is: blobs of a job, or temporary files of the store.</param>
/// <param name="Place">Where it lies in the registry.</param>
/// <param name="Why">Why it is not needed.</param>
/// <param name="Objects">How many files or blobs; at least one.</param>
/// <param name="Bytes">Their size together.</param>
public sealed record Garbage(string Kind, string Place, string Why, int Objects, long Bytes);

/// <summary>
/// Finds staging blobs that no job state refers to (mark), and removes them (sweep), with temporary files that killed processes left.
/// Claims, requests, job states, versions and quarantined files stay: they are the record.
/// </summary>
public sealed class GarbageCollector(IObjectStore store, JobStore jobs, TimeProvider clock)
{
    /// <summary>A worker stores blobs before its job's state names them: a job that stands still for less is left alone.</summary>
    public static readonly TimeSpan MinGrace = TimeSpan.FromHours(1);

    /// <param name="grace">How long a job must stand still; longer than any stage of a job.</param>
    /// <param name="delete">Removes what is found; otherwise nothing is changed.</param>
    /// <exception cref="ArgumentOutOfRangeException">The grace period is shorter than <see cref="MinGrace"/>.</exception>
    public async Task<IReadOnlyList<Garbage>> CollectAsync(TimeSpan grace, bool delete, CancellationToken cancellation = default)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(grace, MinGrace);
        var found = new List<Garbage>();
        foreach (var folder in await store.ListFoldersAsync(RegistryLayout.Jobs, cancellation).ToListAsync(cancellation))
        {
            if (JobId.TryParse(folder, out var job) && await OfJobAsync(job, grace, delete, cancellation) is { } garbage)
                found.Add(garbage);
        }
        if (store is ITemporaryFiles temporary && OfStore(temporary, grace, delete) is { } left)
            found.Add(left);
        return found;
    }

    async Task<Garbage?> OfJobAsync(JobId job, TimeSpan grace, bool delete, CancellationToken cancellation)
    {
        var blobs = await store.ListAsync(RegistryLayout.Blobs(job), cancellation).ToListAsync(cancellation);
        // Read after the listing: a blob stored since is not in it, and a job that goes on since is seen.
        var state = (await jobs.TryReadAsync(job, cancellation))?.State;
        if (state is not null && clock.GetUtcNow() - state.Updated < grace)
            return null;
        var kept = Referenced(state);
        var unused = blobs.Where(b => !kept(b.Path)).ToList();
        if (unused.Count is 0)
            return null;
        if (delete)
        {
            foreach (var blob in unused)
                await store.DeleteAsync(blob.Path, cancellation);
        }
        return new("blobs", RegistryLayout.Blobs(job), Why(state), unused.Count, unused.Sum(b => b.Size));
    }

    /// <summary>Whether a job can still need a blob.</summary>
    static Func<string, bool> Referenced(JobState? state)
    {
        if (state is null || state.HasEnded)
            return _ => false;
        // A publication under way needs all its files, and can be finished by anyone at any time.
        if (state.Status is JobStatus.Committing)
            return path => path.StartsWith(RegistryLayout.Blobs(state.JobId, state.Retry), StringComparison.Ordinal);
        var checkpoints = state.Checkpoint?.Runs.Values ?? [];
        return checkpoints.Select(r => RegistryLayout.Blob(state.JobId, state.Retry, r.Digest)).ToHashSet().Contains;
    }

    static string Why(JobState? state) => state switch
    {
        null => "no job of this id is on record",
        { HasEnded: true } => $"the job has ended ({state.Status})",
        _ => $"the job stands still ({state.Status}), and its state does not refer to them",
    };

    static Garbage? OfStore(ITemporaryFiles temporary, TimeSpan grace, bool delete)
    {
        var files = temporary.ListAbandoned(grace);
        if (files.Count is 0)
            return null;
        if (delete)
        {
            foreach (var file in files)
                temporary.DeleteAbandoned(file);
        }
        return new("temporary files", Path.GetDirectoryName(files[0].Path)!, "a process was killed while it wrote them", files.Count,
            files.Sum(f => f.Size));
    }
}
