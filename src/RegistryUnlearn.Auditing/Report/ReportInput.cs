namespace RegistryUnlearn.Auditing.Report;

/// <summary>Everything a report shows. The same input gives the same bytes.</summary>
/// <param name="Before">The model that was to unlearn, as it was audited; likewise <paramref name="After"/>.</param>
/// <param name="Oracles">The oracles of the audit; may be empty.</param>
/// <param name="Steps">The steps of the run in ascending order; may be empty.</param>
public sealed record ReportInput(
    AuditResult Result,
    ModelSummary Before,
    ModelSummary After,
    IReadOnlyList<OracleRecord> Oracles,
    IReadOnlyList<StepRecord> Steps,
    ErasureRecord Record);

/// <summary>What was asked for and done. Nothing here may identify a forgotten sample.</summary>
/// <param name="Model">Reference of the new version, for example name@8.</param>
/// <param name="Parent">Reference of the version that was to unlearn.</param>
/// <param name="ParentPolicy">In words, what becomes of the parent.</param>
/// <param name="Method">Name of the unlearning method.</param>
/// <param name="Time">When the record was made, as it is to be printed; null prints none.</param>
/// <param name="Sections">Further facts in groups: digests, options, data, versions.</param>
public sealed record ErasureRecord(
    string Model,
    string Parent,
    string ParentPolicy,
    string JobId,
    string Method,
    IReadOnlyList<RecordSection> Sections,
    string? Time = null);

/// <summary>A titled group of facts.</summary>
public sealed record RecordSection(string Title, IReadOnlyList<RecordEntry> Entries);

/// <summary>One fact; both parts are plain text.</summary>
public sealed record RecordEntry(string Name, string Value);
