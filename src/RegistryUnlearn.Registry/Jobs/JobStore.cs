using System.Runtime.CompilerServices;
using System.Text;

namespace RegistryUnlearn.Registry;

/// <summary>Requests and job states. Thread-safe; holds no state of its own.</summary>
public sealed class JobStore(IObjectStore store, TimeProvider clock)
{
    /// <summary>The blobs of a job in its present retry.</summary>
    public JobBlobs BlobsOf(JobState job) => new(store, job.JobId, job.Retry);

    /// <summary>What was asked, as stored: canonical JSON of the model's digest and the request. Its SHA-256 is the job id.</summary>
    /// <exception cref="FormatException">The request is not JSON with unique keys.</exception>
    public static byte[] RequestDocument(Digest model, string requestJson) =>
        [.. Encoding.UTF8.GetBytes($$"""{"model":"{{model}}","request":"""), .. CanonicalJson.Canonicalize(requestJson), (byte)'}'];

    /// <inheritdoc cref="RequestDocument"/>
    public static JobId IdOf(Digest model, string requestJson) => JobId.From(Digest.Of(RequestDocument(model, requestJson)));

    /// <summary>Stores a request and its job. The same request on the same model bytes is the same job, in whatever state it is.</summary>
    public async Task<TrackedJob> SubmitAsync(Digest model, string requestJson, CancellationToken cancellation = default)
    {
        var document = RequestDocument(model, requestJson);
        var job = JobId.From(Digest.Of(document));
        if (await store.CreateOrFindAsync(RegistryLayout.Request(job), document, cancellation) is null)
            throw CorruptRequest(job);
        return await OpenAsync(job, cancellation);
    }

    /// <summary>The job of a stored request, begun if nobody has begun it.</summary>
    async Task<TrackedJob> OpenAsync(JobId job, CancellationToken cancellation)
    {
        var now = clock.GetUtcNow();
        var state = new JobState
        {
            SchemaVersion = JobState.CurrentSchemaVersion,
            JobId = job,
            Status = JobStatus.Submitted,
            Submitted = now,
            Updated = now,
        };
        await store.TryCreateAsync(RegistryLayout.JobState(job), RegistryJson.Serialize(state), cancellation);
        return await ReadAsync(job, cancellation);
    }

    /// <summary>
    /// The job of a request, also of one whose submission broke off before its state was written; null when there is neither.
    /// </summary>
    public async Task<TrackedJob?> FindAsync(JobId job, CancellationToken cancellation = default)
    {
        if (await TryReadAsync(job, cancellation) is { } found)
            return found;
        return await store.GetSizeAsync(RegistryLayout.Request(job), cancellation) is null ? null : await OpenAsync(job, cancellation);
    }

    /// <summary>The request document (see <see cref="RequestDocument"/>), verified against the job id.</summary>
    /// <exception cref="RegistryException">NotFound, or Corrupt.</exception>
    public async Task<byte[]> ReadRequestAsync(JobId job, CancellationToken cancellation = default)
    {
        var stored = await store.ReadAsync(RegistryLayout.Request(job), cancellation)
            ?? throw new RegistryException(RegistryErrorKind.NotFound, RegistryLayout.Request(job),
                "there is no such request. Submit it again.");
        return JobId.From(Digest.Of(stored.Content.Span)) == job ? stored.Content.ToArray() : throw CorruptRequest(job);
    }

    /// <exception cref="RegistryException">NotFound: there is no such job.</exception>
    public async Task<TrackedJob> ReadAsync(JobId job, CancellationToken cancellation = default) =>
        await TryReadAsync(job, cancellation)
            ?? throw new RegistryException(RegistryErrorKind.NotFound, RegistryLayout.JobState(job),
                "there is no such job. Submit its request.");

    /// <summary>A job's state; null when there is no such job.</summary>
    public async Task<TrackedJob?> TryReadAsync(JobId job, CancellationToken cancellation = default)
    {
        var path = RegistryLayout.JobState(job);
        if (await store.ReadAsync(path, cancellation) is not { } stored)
            return null;
        var state = RegistryJson.Deserialize<JobState>(stored.Content.Span, path);
        if (state.SchemaVersion is not JobState.CurrentSchemaVersion || state.JobId != job)
        {
            throw new RegistryException(RegistryErrorKind.Invalid, path,
                $"schemaVersion {state.SchemaVersion} or jobId {state.JobId} is not expected here. Restore the file, or use the " +
                $"release that wrote it.");
        }
        return new(state, stored.ETag);
    }

    /// <summary>
    /// Replaces a state by compare-and-swap, with the time of the change set; null when someone else changed it first. A lost
    /// acknowledgement counts as a success.
    /// </summary>
    /// <exception cref="InvalidOperationException">The change is not one that <see cref="JobStatus"/> allows.</exception>
    public async Task<TrackedJob?> TryUpdateAsync(TrackedJob current, JobState next, CancellationToken cancellation = default)
    {
        if (!current.State.MayBecome(next))
            throw new InvalidOperationException($"A job that is {current.State.Status} cannot become {next.Status} this way.");
        next = next with { Updated = clock.GetUtcNow() };
        var tag = await store.ReplaceOrFindAsync(RegistryLayout.JobState(next.JobId), RegistryJson.Serialize(next), current.ETag,
            cancellation);
        return tag is { } stored ? new(next, stored) : null;
    }

    /// <summary>
    /// Changes a job by compare-and-swap, as often as it takes. The change is asked anew of every state that it meets; null leaves the job
    /// as it is.
    /// </summary>
    /// <returns>The job as it is then.</returns>
    /// <inheritdoc cref="ReadAsync"/>
    /// <inheritdoc cref="TryUpdateAsync"/>
    public async Task<TrackedJob> ChangeAsync(JobId job, Func<JobState, JobState?> change, CancellationToken cancellation = default)
    {
        while (true)
        {
            var current = await ReadAsync(job, cancellation);
            if (change(current.State) is not { } next)
                return current;
            if (await TryUpdateAsync(current, next, cancellation) is { } updated)
                return updated;
        }
    }

    /// <summary>What whoever works on a job last told of it; null when nobody has.</summary>
    public async Task<ReadOnlyMemory<byte>?> ReadProgressAsync(JobId job, CancellationToken cancellation = default) =>
        (await store.ReadAsync(RegistryLayout.JobProgress(job), cancellation))?.Content;

    /// <summary>Tells of a job; false when someone else told at the same moment, whose words then stand.</summary>
    public async Task<bool> TryWriteProgressAsync(JobId job, ReadOnlyMemory<byte> content, CancellationToken cancellation = default)
    {
        var path = RegistryLayout.JobProgress(job);
        return await store.ReadAsync(path, cancellation) is { } before
            ? await store.TryReplaceAsync(path, content, before.ETag, cancellation) is not null
            : await store.TryCreateAsync(path, content, cancellation) is not null;
    }

    /// <summary>All requests, in no promised order; a request without a job is one whose submission broke off.</summary>
    public IAsyncEnumerable<JobId> ListRequestsAsync(CancellationToken cancellation = default) =>
        ListDocumentsAsync(RegistryLayout.Requests, cancellation);

    /// <summary>The jobs that somebody has a lease of, or left one behind; in no promised order.</summary>
    public IAsyncEnumerable<JobId> ListLeasedAsync(CancellationToken cancellation = default) =>
        ListDocumentsAsync(RegistryLayout.Leases, cancellation);

    /// <summary>All jobs, in no promised order.</summary>
    public async IAsyncEnumerable<JobId> ListAsync([EnumeratorCancellation] CancellationToken cancellation = default)
    {
        await foreach (var name in store.ListFoldersAsync(RegistryLayout.Jobs, cancellation))
        {
            if (JobId.TryParse(name, out var job))
                yield return job;
        }
    }

    /// <summary>The jobs that have a document of their own below a prefix.</summary>
    async IAsyncEnumerable<JobId> ListDocumentsAsync(string prefix, [EnumeratorCancellation] CancellationToken cancellation)
    {
        const string extension = ".json";
        await foreach (var entry in store.ListAsync(prefix, cancellation))
        {
            if (entry.Path.EndsWith(extension, StringComparison.Ordinal)
                && JobId.TryParse(entry.Path[prefix.Length..^extension.Length], out var job))
                yield return job;
        }
    }

    static RegistryException CorruptRequest(JobId job) => new(RegistryErrorKind.Corrupt, RegistryLayout.Request(job),
        "the stored request does not have the digest that is its name. Remove the file and submit the request again.");
}
