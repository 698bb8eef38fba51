namespace RegistryUnlearn.Auditing;

/// <summary>
/// The gates of a request that sets none. A model that was genuinely retrained passes them and an untouched one does not, as far as the
/// data allow to tell: with oracles by the distance to them, without by what is measured retrain-free. They ask whether the result is
/// fit to be published, not whether it is good: thresholds leave room for chance.
/// </summary>
public static class DefaultGates
{
    /// <summary>Of H and H10; the untouched model has about 0.6. Oracles that differ more among themselves raise it to their own largest.
    /// </summary>
    public const double Distance = 0.25;

    /// <summary>Confidences that moved less, in nats, are those of the model before: nothing was done.</summary>
    public const double Change = 0.001;

    /// <summary>Lower end of the matched attack's AUC: above it forget samples are better known than unseen ones, beyond chance.</summary>
    public const double Known = 0.51;

    /// <summary>
    /// Upper end of the matched attack's AUC: below it the set stands out as unknown. Far below 1/2, because a set may be harder than its
    /// classes.
    /// </summary>
    public const double Unknown = 0.35;

    /// <summary>A forget set that is learned again in less than this share of the time was not gone.</summary>
    public const double Relearn = 0.5;

    /// <summary>With fewer samples the relearn time of a genuine retrain scatters below <see cref="Relearn"/>.</summary>
    public const int LeastRelearned = 32;

    /// <summary>
    /// Accuracy that may be lost, as a share: a guard against collapse. A retrained model that lacks a fifth of a small data set loses
    /// half of it.
    /// </summary>
    public const double AccuracyDrop = 0.1;

    /// <param name="after">Metrics of the model after unlearning.</param>
    /// <param name="relearned">Samples behind the relearn time; 0 without.</param>
    internal static IReadOnlyList<Gate> For(AuditRow after, OracleBand? h, OracleBand? h10, int relearned) =>
    [
        new(MetricCatalogue.Change, GateComparison.AtLeast, Change),
        .. after[MetricCatalogue.H] is null ? RetrainFree(after, relearned) : AgainstOracles(h, h10),
    ];

    static IEnumerable<Gate> AgainstOracles(OracleBand? h, OracleBand? h10)
    {
        yield return new(MetricCatalogue.H, GateComparison.AtMost, Math.Max(Distance, h?.Max ?? 0));
        yield return new(MetricCatalogue.H10, GateComparison.AtMost, Math.Max(Distance, h10?.Max ?? 0));
    }

    static IEnumerable<Gate> RetrainFree(AuditRow after, int relearned)
    {
        if (after[MetricCatalogue.Auc(MetricCatalogue.Matched)] is not null)
        {
            yield return new(MetricCatalogue.AucLow(MetricCatalogue.Matched), GateComparison.AtMost, Known);
            yield return new(MetricCatalogue.AucHigh(MetricCatalogue.Matched), GateComparison.AtLeast, Unknown);
        }

        if (relearned >= LeastRelearned && after[MetricCatalogue.RelearnRatio] is not null)
            yield return new(MetricCatalogue.RelearnRatio, GateComparison.AtLeast, Relearn);
        foreach (var set in (string[])[AuditSets.Retained, MetricCatalogue.KeptClasses])
            if (after[MetricCatalogue.AccuracyDrop(set)] is not null)
                yield return new(MetricCatalogue.AccuracyDrop(set), GateComparison.AtMost, AccuracyDrop);
    }
}
