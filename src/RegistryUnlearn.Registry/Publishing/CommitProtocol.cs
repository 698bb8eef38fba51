using System.Globalization;

namespace RegistryUnlearn.Registry;

/// <summary>
/// Makes one version out of one job, however often and by however many workers it is tried. Stage the files as blobs; claim a version; fix
/// version and bytes by compare-and-swap of the job's state (Committing); copy the blobs into the version's folder, <c>model.onnx</c> after
/// its data files and <c>manifest.json</c> last; move the alias; withdraw the parent; Succeeded; audit line; remove the blobs; mark the job
/// as closed. Before Committing a failure costs only work; from Committing on anyone can finish with the same bytes.
/// </summary>
public sealed class CommitProtocol(IObjectStore store, JobStore jobs, TimeProvider clock)
{
    readonly ModelRegistry registry = new(store);
    readonly VersionClaims claims = new(store, new ModelRegistry(store));
    readonly AuditLog audit = new(store);

    /// <summary>
    /// Publishes the result of a running job, or finishes a publication under way, whose bytes then win over those of the plan.
    /// </summary>
    /// <exception cref="RegistryException">
    /// Conflict: the job is neither running nor being published, or foreign files stand in the version's folder. Others as the store has
    /// them. After any of them the same call can be repeated.
    /// </exception>
    public async Task<JobResult> PublishAsync(JobId job, PublishPlan plan, CancellationToken cancellation = default)
    {
        (int Retry, List<ManifestFile> Files)? staged = null;
        while (true)
        {
            var current = await jobs.ReadAsync(job, cancellation);
            if (current.State.Status is JobStatus.Committing or JobStatus.Succeeded)
                return await RollForwardAsync(current, cancellation);
            if (current.State.Status is not JobStatus.Running)
            {
                throw new RegistryException(RegistryErrorKind.Conflict, job.ToString(),
                    $"the job is {current.State.Status}, so it has nothing to publish. Start it again.");
            }
            var blobs = jobs.BlobsOf(current.State);
            if (staged?.Retry != current.State.Retry)
            {
                staged = (current.State.Retry, await StageAsync(blobs, plan.Files, cancellation));
                // Before anything is claimed: the number does not matter to the check.
                Manifest(1).Check($"plan for {plan.Model}");
            }
            var version = await claims.ClaimAsync(plan.Model, job, cancellation);
            var manifest = Manifest(version);
            if (plan.Seal is { } seal)
            {
                var rows = await StageAsync(blobs, seal(manifest), cancellation);
                manifest = manifest with { Files = [.. manifest.Files.Concat(rows).OrderBy(f => f.Path, StringComparer.Ordinal)] };
                manifest.Check($"plan for {plan.Model}");
            }
            var digest = await blobs.PutAsync(manifest.ToJson(), cancellation);
            var intent = new CommitIntent(plan.Model, version, digest, plan.ParentPolicy, plan.Alias);
            // The fence: a slower twin's tag is stale here, so version and bytes are fixed once.
            var committing = current.State with { Status = JobStatus.Committing, Commit = intent };
            if (await jobs.TryUpdateAsync(current, committing, cancellation) is { } fixedState)
                return await RollForwardAsync(fixedState, cancellation);
        }

        Manifest Manifest(int version) => new()
        {
            SchemaVersion = Registry.Manifest.CurrentSchemaVersion,
            Model = plan.Model,
            Version = version,
            Created = plan.Created,
            JobId = job,
            Parent = plan.Parent,
            Files = staged.Value.Files,
        };
    }

    /// <summary>Finishes a publication that anyone began; null when the job has not come so far.</summary>
    public async Task<JobResult?> ResumeAsync(JobId job, CancellationToken cancellation = default)
    {
        var current = await jobs.ReadAsync(job, cancellation);
        if (current.State is { Status: JobStatus.Succeeded, Closed: true })
            return current.State.Result;
        return current.State.Status is JobStatus.Committing or JobStatus.Succeeded ? await RollForwardAsync(current, cancellation) : null;
    }

    /// <summary>
    /// Ends a job as failed, with an audit line, and removes its blobs. A publication under way is not stopped.
    /// </summary>
    /// <returns>The state the job is in afterwards.</returns>
    public Task<JobState> FailAsync(JobId job, JobError error, CancellationToken cancellation = default) =>
        FailAsync(job, error, candidate: null, cancellation);

    /// <inheritdoc cref="FailAsync(JobId, JobError, CancellationToken)"/>
    /// <param name="candidate">Blobs of the job that are kept, for whoever wants to see what was not published; null for none.</param>
    public async Task<JobState> FailAsync(
        JobId job, JobError error, IReadOnlyList<ManifestFile>? candidate, CancellationToken cancellation)
    {
        var ended = await EndAsync(
            job, s => s with { Status = JobStatus.Failed, Error = error, NotBefore = null, Candidate = candidate }, cancellation);
        if (ended.State is { Status: JobStatus.Failed, Closed: false })
            ended = await FinishAsync(ended, cancellation);
        return ended.State;
    }

    /// <summary>
    /// Ends a job as cancelled, with an audit line, and removes its blobs; a worker that has it notices at its next step. Harmless when
    /// repeated.
    /// </summary>
    /// <exception cref="RegistryException">Conflict: the job is being published, or has ended otherwise.</exception>
    public async Task<JobState> CancelAsync(JobId job, CancellationToken cancellation = default)
    {
        var ended = await EndAsync(job, s => s with { Status = JobStatus.Cancelled }, cancellation);
        if (ended.State.Status is not JobStatus.Cancelled)
            throw new RegistryException(RegistryErrorKind.Conflict, job.ToString(), WhyNotCancelled(ended.State));
        return (await FinishAsync(ended, cancellation)).State;
    }

    /// <summary>Ends a job that waits or is worked on; leaves one that is being published or has ended.</summary>
    Task<TrackedJob> EndAsync(JobId job, Func<JobState, JobState> end, CancellationToken cancellation) => jobs.ChangeAsync(job,
        state => state.Status is JobStatus.Submitted or JobStatus.Running
            ? end(state) with { Checkpoint = null, Finished = clock.GetUtcNow() }
            : null,
        cancellation);

    /// <summary>Does again what follows a job's end; nothing for a job that goes on.</summary>
    public async Task FinishEndedAsync(JobId job, CancellationToken cancellation = default)
    {
        if (await jobs.ReadAsync(job, cancellation) is { State.HasEnded: true } ended)
            await FinishAsync(ended, cancellation);
    }

    /// <summary>Lets a failed or cancelled job wait for a worker again, with an audit line.</summary>
    /// <exception cref="RegistryException">Conflict: the job has neither failed nor been cancelled.</exception>
    public async Task<JobState> RetryAsync(JobId job, CancellationToken cancellation = default)
    {
        while (true)
        {
            var current = await jobs.ReadAsync(job, cancellation);
            if (current.State.Status is not (JobStatus.Failed or JobStatus.Cancelled))
            {
                throw new RegistryException(RegistryErrorKind.Conflict, job.ToString(),
                    $"the job is {current.State.Status}. Only a failed or cancelled job is retried.");
            }
            // What an ended attempt left undone is done first: afterwards its line could not be written any more.
            current = await FinishAsync(current, cancellation);
            if (current.State.Status is not (JobStatus.Failed or JobStatus.Cancelled)
                || await jobs.TryUpdateAsync(current, current.State.Retried(), cancellation) is not { } retried)
                continue;
            await audit.AppendAsync(new(retried.State.Updated, "retried", job.ToString(), new Dictionary<string, string>
            {
                ["retry"] = retried.State.Retry.ToString(CultureInfo.InvariantCulture),
            }), cancellation);
            return retried.State;
        }
    }

    static string WhyNotCancelled(JobState state) => state.Status is JobStatus.Committing
        ? "its version is being published, which is not stopped half-way. Wait for it, then retire the version."
        : state.Result is { } result
            ? $"it has ended in {result.Model}@{result.Version}. Retire that version if it is not wanted."
            : "it has failed already. There is nothing to cancel.";

    async Task<List<ManifestFile>> StageAsync(JobBlobs blobs, IReadOnlyList<PublishFile> local, CancellationToken cancellation)
    {
        var files = new List<ManifestFile>();
        foreach (var file in local.OrderBy(f => f.Path, StringComparer.Ordinal))
        {
            var (digest, size) = await blobs.PutFileAsync(file.LocalPath, cancellation);
            files.Add(new(file.Path, digest, size, file.MediaType, file.Role));
        }
        return files;
    }

    async Task<JobResult> RollForwardAsync(TrackedJob current, CancellationToken cancellation)
    {
        var job = current.State.JobId;
        while (current.State.Status is JobStatus.Committing)
        {
            try
            {
                await MaterializeAsync(current.State, current.State.Commit!, cancellation);
            }
            catch (RegistryException e) when (e.Kind is RegistryErrorKind.NotFound)
            {
                // A twin that has finished removes the blobs; without one, they are missing indeed.
                current = await jobs.ReadAsync(job, cancellation);
                if (current.State.Status is not JobStatus.Succeeded)
                    throw;
                break;
            }
            var intent = current.State.Commit!;
            var succeeded = current.State with
            {
                Status = JobStatus.Succeeded,
                Result = new(intent.Model, intent.Version, intent.ManifestDigest),
                NotBefore = null,
                Error = null,
                Checkpoint = null,
                Finished = clock.GetUtcNow(),
            };
            current = await jobs.TryUpdateAsync(current, succeeded, cancellation) ?? await jobs.ReadAsync(job, cancellation);
        }
        return (await FinishAsync(current, cancellation)).State.Result!;
    }

    /// <summary>The version, its alias and its parent's withdrawal; all of it from the intent alone.</summary>
    async Task MaterializeAsync(JobState job, CommitIntent intent, CancellationToken cancellation)
    {
        var path = RegistryLayout.Manifest(intent.Model, intent.Version);
        var manifestBytes = await jobs.BlobsOf(job).ReadAsync(intent.ManifestDigest, cancellation);
        var manifest = Manifest.Parse(manifestBytes, path);
        foreach (var file in manifest.Files.OrderBy(f => f.Path == RegistryLayout.ModelFile))
            await CopyAsync(job, file.Digest, RegistryLayout.Version(intent.Model, intent.Version) + file.Path, cancellation);
        await CopyAsync(job, intent.ManifestDigest, path, cancellation);
        var published = new VersionPointer(intent.Version, intent.ManifestDigest);
        if (intent.Alias is { } alias)
            await registry.AdvanceAliasAsync(intent.Model, alias, published, cancellation);
        if (manifest.Parent is { } parent)
            await registry.WithdrawAsync(intent.Model, parent.Version, intent.ParentPolicy, published, cancellation);
    }

    async Task CopyAsync(JobState job, Digest digest, string target, CancellationToken cancellation)
    {
        if (await store.TryCopyAsync(RegistryLayout.Blob(job.JobId, job.Retry, digest), target, cancellation))
            return;
        var found = await store.GetDigestAsync(target, cancellation)
            ?? throw new RegistryException(RegistryErrorKind.NotFound, target,
                "it was removed while it was published. Run the same job again.");
        if (found != digest)
        {
            throw new RegistryException(RegistryErrorKind.Conflict, target,
                "a file that is not ours stands where the new version goes. Move it to another version number, then run the same job " +
                "again.");
        }
    }

    /// <summary>
    /// What follows the end of a job, repeatable: the audit line, the removal of its blobs, and the mark that it is done.
    /// </summary>
    async Task<TrackedJob> FinishAsync(TrackedJob ended, CancellationToken cancellation)
    {
        var state = ended.State;
        await audit.AppendAsync(EntryFor(state), cancellation);
        await jobs.BlobsOf(state).DeleteAllButAsync(state.Candidate?.Select(file => file.Digest) ?? [], cancellation);
        // A copy that was under way while a later job withdrew this version may have brought back a file.
        if (state.Result is { } result)
            await registry.CompleteWithdrawalAsync(result.Model, result.Version, cancellation);
        if (state.Closed)
            return ended;
        // Someone else who closed it, or began it anew, is as good.
        return await jobs.TryUpdateAsync(ended, state with { Closed = true }, cancellation)
            ?? await jobs.ReadAsync(state.JobId, cancellation);
    }

    static AuditEntry EntryFor(JobState state)
    {
        var details = new Dictionary<string, string> { ["attempt"] = state.Attempt.ToString(CultureInfo.InvariantCulture) };
        if (state is { Result: { } result, Commit: { } commit })
        {
            details["version"] = $"{result.Model}@{result.Version}";
            details["digest"] = result.Digest.ToString();
            details["parentPolicy"] = commit.ParentPolicy.ToString();
            if (commit.Alias is { } alias)
                details["alias"] = alias.ToString();
        }
        if (state.Error is { } error)
            details["reason"] = error.Reason;
        var what = state.Status switch
        {
            JobStatus.Succeeded => "published",
            JobStatus.Cancelled => "cancelled",
            _ => "failed",
        };
        return new(state.Finished ?? state.Updated, what, state.JobId.ToString(), details);
    }
}
