using System.Text.Json.Serialization;

namespace RegistryUnlearn.Auditing;

/// <summary>A model that is audited, by the name of its row; its summary holds all losses, not thinned ones.</summary>
/// <param name="Estimates">What was measured without oracles beside the summary; null when it was not.</param>
public sealed record AuditedModel(string Name, ModelSummary Summary, RetrainFreeEstimates? Estimates = null);

/// <summary>Settings of the statistics; they are part of the result.</summary>
/// <param name="Seed">Seed of the bootstrap.</param>
/// <param name="Resamples">Bootstrap draws per interval.</param>
/// <param name="Level">Coverage of the intervals, in (0, 1).</param>
public sealed record AuditOptions(ulong Seed = 1, int Resamples = 1000, double Level = 0.95);

/// <summary>What a row of the result is.</summary>
public enum RowKind
{
    Before,
    After,
    Comparison,
    Oracle,
}

/// <summary>The metrics of one model by <see cref="MetricCatalogue"/> name; what could not be measured is absent.</summary>
public sealed record AuditRow(string Name, RowKind Kind, SortedDictionary<string, double> Metrics)
{
    public double? this[string metric] => Metrics.TryGetValue(metric, out var value) ? value : null;
}

/// <summary>Mean and spread of a metric over the oracles.</summary>
/// <param name="StandardDeviation">With n − 1; null for a single oracle.</param>
public sealed record OracleStatistic(string Metric, double Mean, double? StandardDeviation = null);

/// <summary>How far one metric still is from the oracles.</summary>
/// <param name="Before">Distance of the model before unlearning, in the metric's unit.</param>
/// <param name="After">Distance of the model after unlearning.</param>
/// <param name="Gap">After / Before; null where the quotient has no value (see <see cref="MetricCatalogue"/> and the report's
/// glossary).</param>
/// <param name="Band">The same quotient for each oracle against the others; null with fewer than two.</param>
/// <param name="DistanceBand">The distance of each oracle to the others, in the metric's unit; null with fewer than two.</param>
/// <param name="BeforeInsideBand">The model before unlearning is no farther away than an oracle is from the others: there was nothing to
/// close.</param>
public sealed record GapRow(
    string Metric, double Before, double After, double? Gap, OracleBand? Band, OracleBand? DistanceBand, bool BeforeInsideBand);

/// <summary>Leave-one-out spread of the oracles.</summary>
/// <param name="Values">One per oracle, in their order.</param>
public sealed record OracleBand(double Mean, double Max, IReadOnlyList<double> Values);

/// <summary>Everything an audit found, in the form that is kept as metrics.json.</summary>
/// <param name="Reference">Set that stands for unseen data in the attack, test or holdout; null when there is neither.</param>
/// <param name="Sets">Number of samples per set.</param>
/// <param name="HBand">H of each oracle against the others; null with fewer than two.</param>
public sealed record AuditResult(
    int SchemaVersion,
    AuditOptions Options,
    string? Reference,
    SortedDictionary<string, int> Sets,
    IReadOnlyList<AuditRow> Rows,
    IReadOnlyList<OracleStatistic> Oracles,
    int OracleCount,
    IReadOnlyList<GapRow> Gaps,
    OracleBand? HBand,
    OracleBand? H10Band,
    IReadOnlyList<GateOutcome> Gates,
    IReadOnlyList<string> Notes)
{
    public const int CurrentSchema = 1;

    /// <summary>Whether the gates are those that apply when none are asked for, see <see cref="DefaultGates"/>.</summary>
    public bool HasDefaultGates { get; init; }

    /// <summary>What a pool of oracles and reference models let the audit find; null without one.</summary>
    public PoolFindings? Pool { get; init; }

    [JsonIgnore]
    public AuditRow Before => Rows.First(row => row.Kind == RowKind.Before);
    [JsonIgnore]
    public AuditRow After => Rows.First(row => row.Kind == RowKind.After);

    /// <summary>Whether every gate passed.</summary>
    public bool Passed => Gates.All(gate => gate.Passed);

    /// <summary>Deterministic UTF-8 JSON: same result, same bytes.</summary>
    public byte[] ToJson() => AuditJson.Bytes(this, AuditJson.Default.AuditResult);
}
