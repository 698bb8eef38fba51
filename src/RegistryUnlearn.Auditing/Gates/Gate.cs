namespace RegistryUnlearn.Auditing;

/// <summary>Which side of the threshold passes; the threshold itself always does.</summary>
public enum GateComparison
{
    AtMost,
    AtLeast,
}

/// <summary>A condition on a metric of the model after unlearning.</summary>
/// <param name="Metric">A name of <see cref="MetricCatalogue"/>.</param>
/// <param name="Threshold">In the metric's own unit: shares and points as fractions, 0.01 = 1 %.</param>
public sealed record Gate(string Metric, GateComparison Comparison, double Threshold)
{
    /// <summary>Judges a value; null means that this audit could not measure the metric, which fails.</summary>
    /// <exception cref="AuditInputException">The metric is unknown or the threshold is not finite.</exception>
    public GateOutcome Judge(double? value)
    {
        MetricCatalogue.Find(Metric);
        if (!double.IsFinite(Threshold))
            throw new AuditInputException($"gate on '{Metric}': the threshold is not a finite number; give one");
        if (value is not { } measured)
            return new(Metric, Comparison, Threshold, Passed: false);
        var missedBy = Comparison == GateComparison.AtMost ? measured - Threshold : Threshold - measured;
        return missedBy <= 0
            ? new(Metric, Comparison, Threshold, Passed: true, measured)
            : new(Metric, Comparison, Threshold, Passed: false, measured, missedBy);
    }
}

/// <summary>What a gate found.</summary>
/// <param name="Value">The measured value; null when this audit could not measure it, for example H without oracles.</param>
/// <param name="MissedBy">Positive distance to the threshold when a measured value failed.</param>
public sealed record GateOutcome(
    string Metric, GateComparison Comparison, double Threshold, bool Passed, double? Value = null, double? MissedBy = null);
