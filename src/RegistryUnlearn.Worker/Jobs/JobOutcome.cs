using System.Globalization;
using RegistryUnlearn.Auditing;
using RegistryUnlearn.Registry;

namespace RegistryUnlearn.Worker.Jobs;

/// <summary>How a job ended.</summary>
/// <param name="Result">The new version.</param>
/// <param name="AlreadyDone">The same request had been carried out before; nothing was done now.</param>
/// <param name="Audit">What the audit found; null for a job that was carried out before.</param>
public sealed record JobOutcome(JobId Job, JobResult Result, bool AlreadyDone, AuditResult? Audit);

/// <summary>The job was cancelled: nothing was published, and its local copies and checkpoints are gone.</summary>
public sealed class JobCancelledException(JobId job)
    : Exception($"{job}: the job was cancelled, nothing was published. To carry it out after all: registry-unlearn jobs retry {job}")
{
    public JobId Job { get; } = job;
}

/// <summary>An audit gate failed: nothing was published. The message says which numbers missed, and by how much.</summary>
public sealed class GateFailedException(JobId job, AuditResult audit, IReadOnlyList<ManifestFile> candidate)
    : Exception("the audit failed, nothing was published: " + string.Join("; ", audit.Gates.Where(g => !g.Passed).Select(Describe)))
{
    public JobId Job { get; } = job;

    public AuditResult Audit { get; } = audit;

    /// <summary>What would have been published: model, metrics and report, kept as blobs of the job.</summary>
    public IReadOnlyList<ManifestFile> Candidate { get; } = candidate;

    static string Describe(GateOutcome gate)
    {
        var bound = gate.Comparison is GateComparison.AtMost ? "at most" : "at least";
        var missed = gate.MissedBy is { } by ? $", missed by {Number(by)}" : "";
        return $"{gate.Metric} is {(gate.Value is { } value ? Number(value) : "not measured")}, "
            + $"wanted {bound} {Number(gate.Threshold)}{missed}";
    }

    static string Number(double value) => value.ToString("0.####", CultureInfo.InvariantCulture);
}
