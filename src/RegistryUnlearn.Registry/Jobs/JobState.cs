using System.Text.Json.Serialization;

namespace RegistryUnlearn.Registry;

/// <summary>
/// Submitted → Running → Committing → Succeeded; Submitted or Running → Failed or Cancelled. Asked for again, a failed job becomes Running,
/// and a failed or cancelled one Submitted when it is retried.
/// </summary>
public enum JobStatus
{
    Submitted,
    Running,

    /// <summary>Version and bytes are fixed; from here the only way is forward.</summary>
    Committing,
    Succeeded,
    Failed,

    /// <summary>Stopped on request; no worker takes it up until it is retried.</summary>
    Cancelled,
}

/// <summary>A saved state of one run of a method: a blob of the job, after so many steps.</summary>
public sealed record RunCheckpoint(Digest Digest, int Step);

/// <summary>Where a job can resume: the last saved state of each of its runs, by the run's name.</summary>
/// <param name="Release">The release that wrote the states; another one may keep them in another form.</param>
public sealed record JobCheckpoint(string Release, IReadOnlyDictionary<string, RunCheckpoint> Runs);

/// <summary>All that is needed to finish a publication; the manifest is a blob of the job.</summary>
public sealed record CommitIntent(ModelName Model, int Version, Digest ManifestDigest, ParentPolicy ParentPolicy, Alias? Alias = null);

/// <summary>The version a job ended in.</summary>
public sealed record JobResult(ModelName Model, int Version, Digest Digest)
{
    /// <summary>Where the version's files lie in the registry.</summary>
    [JsonIgnore]
    public string Folder => RegistryLayout.Version(Model, Version);
}

/// <summary>Why a job failed: a short machine-readable reason and a sentence with the remedy. Never holds sample identities.</summary>
public sealed record JobError(string Reason, string Message);

/// <summary>The truth about a job, changed only by compare-and-swap.</summary>
public sealed record JobState
{
    public const int CurrentSchemaVersion = 1;

    public required int SchemaVersion { get; init; }

    public required JobId JobId { get; init; }

    public required JobStatus Status { get; init; }

    /// <summary>The stage that runs, in the worker's words.</summary>
    public string? Stage { get; init; }

    /// <summary>
    /// How often a worker began or took over the job; counted anew when the job is retried. A worker whose attempt is not the newest has
    /// lost the job.
    /// </summary>
    public int Attempt { get; init; }

    /// <summary>Attempts begun since the job last got further. A job that keeps breaking its workers is given up by this count.</summary>
    public int Strikes { get; init; }

    /// <summary>How often the job was asked for again after it had failed. Each retry has blobs of its own.</summary>
    public int Retry { get; init; }

    /// <summary>No worker should try before; null for at once.</summary>
    public DateTimeOffset? NotBefore { get; init; }

    public JobCheckpoint? Checkpoint { get; init; }

    public CommitIntent? Commit { get; init; }

    public JobResult? Result { get; init; }

    /// <summary>Why the job failed; while it runs, why the last attempt could not go on.</summary>
    public JobError? Error { get; init; }

    /// <summary>
    /// The version that was not published because its audit failed: blobs of the job, which stay until it is retried or garbage is
    /// collected. Null for every other end.
    /// </summary>
    public IReadOnlyList<ManifestFile>? Candidate { get; init; }

    public required DateTimeOffset Submitted { get; init; }

    public required DateTimeOffset Updated { get; init; }

    public DateTimeOffset? Finished { get; init; }

    /// <summary>What follows the end is done too: the audit line stands, the blobs are gone.</summary>
    public bool Closed { get; init; }

    [JsonIgnore]
    public bool HasEnded => Status is JobStatus.Succeeded or JobStatus.Failed or JobStatus.Cancelled;

    /// <summary>Whether two states are of the same go at the job: the fence against a worker that was overtaken.</summary>
    public bool IsSameAttemptAs(JobState other) => (JobId, Retry, Attempt) == (other.JobId, other.Retry, other.Attempt);

    /// <summary>The state of a worker that begins, takes over or retries the job.</summary>
    public JobState Started() => this with
    {
        Status = JobStatus.Running,
        Attempt = Attempt + 1,
        Strikes = Status is JobStatus.Failed ? 1 : Strikes + 1,
        Retry = Status is JobStatus.Failed ? Retry + 1 : Retry,
        NotBefore = null,
        Error = Status is JobStatus.Failed ? null : Error,
        Candidate = null,
        Finished = null,
        Closed = false,
    };

    /// <summary>The state of a worker that has saved how far it came.</summary>
    public JobState Advanced(JobCheckpoint checkpoint) => this with { Checkpoint = checkpoint, Strikes = 1, Error = null };

    /// <summary>The state of a worker that stops of its own will: the attempt is not held against the job.</summary>
    public JobState Released() => this with { Strikes = Math.Max(0, Strikes - 1) };

    /// <summary>The state of a worker that could not go on and leaves the job for later.</summary>
    public JobState Postponed(JobError error, DateTimeOffset notBefore) => this with { Error = error, NotBefore = notBefore };

    /// <summary>The state of a failed or cancelled job that waits for a worker again, from its beginning.</summary>
    public JobState Retried() => this with
    {
        Status = JobStatus.Submitted,
        Stage = null,
        Attempt = 0,
        Strikes = 0,
        Retry = Retry + 1,
        NotBefore = null,
        Error = null,
        Candidate = null,
        Finished = null,
        Closed = false,
    };

    internal bool MayBecome(JobState next) => JobId == next.JobId && (Status, next.Status) switch
    {
        (JobStatus.Submitted, JobStatus.Running or JobStatus.Failed or JobStatus.Cancelled) => next.Retry == Retry,
        (JobStatus.Running, JobStatus.Running or JobStatus.Failed or JobStatus.Cancelled) => next.Retry == Retry,
        (JobStatus.Running, JobStatus.Committing) => next.Retry == Retry && next.Commit is not null,
        (JobStatus.Committing, JobStatus.Committing or JobStatus.Succeeded) => next.Retry == Retry && next.Commit == Commit,
        (JobStatus.Failed, JobStatus.Running) => next.Retry == Retry + 1,
        (JobStatus.Succeeded, JobStatus.Succeeded) => MayClose(next),
        (JobStatus.Failed, JobStatus.Failed) => MayClose(next),
        (JobStatus.Cancelled, JobStatus.Cancelled) => MayClose(next),
        (JobStatus.Failed or JobStatus.Cancelled, JobStatus.Submitted) => next.Retry == Retry + 1,
        _ => false,
    };

    bool MayClose(JobState next) => !Closed && next == this with { Closed = true };
}

/// <summary>A state with the tag that a change of it has to show.</summary>
public sealed record TrackedJob(JobState State, ETag ETag);
