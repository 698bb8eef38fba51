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

/// <summary>Where a job can resume: a blob of the job and what is needed to read it.</summary>
public sealed record JobCheckpoint(Digest Digest, IReadOnlyDictionary<string, string> Meta);

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

    /// <summary>How often a worker began or took over the job; counted anew when the job is retried.</summary>
    public int Attempt { get; init; }

    /// <summary>How often the job was asked for again after it had failed. Each retry has blobs of its own.</summary>
    public int Retry { get; init; }

    public JobCheckpoint? Checkpoint { get; init; }

    public CommitIntent? Commit { get; init; }

    public JobResult? Result { get; init; }

    public JobError? Error { get; init; }

    public required DateTimeOffset Submitted { get; init; }

    public required DateTimeOffset Updated { get; init; }

    public DateTimeOffset? Finished { get; init; }

    [JsonIgnore]
    public bool HasEnded => Status is JobStatus.Succeeded or JobStatus.Failed or JobStatus.Cancelled;

    /// <summary>The state of a worker that begins, takes over or retries the job.</summary>
    public JobState Started() => this with
    {
        Status = JobStatus.Running,
        Attempt = Attempt + 1,
        Retry = Status is JobStatus.Failed ? Retry + 1 : Retry,
        Error = null,
        Finished = null,
    };

    /// <summary>The state of a failed or cancelled job that waits for a worker again, from its beginning.</summary>
    public JobState Retried() => this with
    {
        Status = JobStatus.Submitted,
        Stage = null,
        Attempt = 0,
        Retry = Retry + 1,
        Error = null,
        Finished = null,
    };

    internal bool MayBecome(JobState next) => JobId == next.JobId && (Status, next.Status) switch
    {
        (JobStatus.Submitted, JobStatus.Running or JobStatus.Failed or JobStatus.Cancelled) => next.Retry == Retry,
        (JobStatus.Running, JobStatus.Running or JobStatus.Failed or JobStatus.Cancelled) => next.Retry == Retry,
        (JobStatus.Running, JobStatus.Committing) => next.Retry == Retry && next.Commit is not null,
        (JobStatus.Committing, JobStatus.Committing or JobStatus.Succeeded) => next.Retry == Retry && next.Commit == Commit,
        (JobStatus.Failed, JobStatus.Running) => next.Retry == Retry + 1,
        (JobStatus.Failed or JobStatus.Cancelled, JobStatus.Submitted) => next.Retry == Retry + 1,
        _ => false,
    };
}

/// <summary>A state with the tag that a change of it has to show.</summary>
public sealed record TrackedJob(JobState State, ETag ETag);
