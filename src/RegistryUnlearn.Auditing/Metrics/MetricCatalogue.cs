namespace RegistryUnlearn.Auditing;

/// <summary>How a metric is read.</summary>
public enum MetricUnit
{
    /// <summary>In [0, 1]; printed in percent.</summary>
    Share,

    /// <summary>Difference of two shares; printed in percentage points.</summary>
    Points,

    /// <summary>Nats of cross-entropy.</summary>
    Nats,

    /// <summary>A pure number.</summary>
    Number,
}

/// <summary>One metric of the audit.</summary>
/// <param name="Name">Key in metrics.json and in gates.</param>
/// <param name="Title">What a reader calls it.</param>
/// <param name="NeedsOracles">Whether it compares with retrained models; the others are retrain-free.</param>
public sealed record MetricInfo(string Name, string Title, MetricUnit Unit, bool NeedsOracles = false);

/// <summary>Every metric that the audit can report.</summary>
public static class MetricCatalogue
{
    public const string H = "h";
    public const string H10 = "h10";
    public const string OracleKs = "oracle.forget-loss-ks";
    public const string CanaryTrainedLabel = "canary.trained-label";
    public const string CanaryTrueLabel = "canary.true-label";
    public const string Change = "forget.change";
    public const string RelearnSteps = "relearn.steps";
    public const string RelearnControl = "relearn.control-steps";
    public const string RelearnRatio = "relearn.ratio";
    public const string NeighbourAuc = "neighbours.auc";
    public const string NeighbourLoss = "neighbours.confidence-lost";

    public const string Klom = "pool.klom";
    public const string ULira = "pool.u-lira";

    /// <summary>Unseen samples that are like the forget set, see <see cref="MatchedAttack"/>; stands where names of sets stand.</summary>
    public const string Matched = "matched";

    /// <summary>Unseen samples of classes that the retained set still has; stands where names of sets stand.</summary>
    public const string KeptClasses = "kept-classes";

    public static string Accuracy(string set) => $"{set}.accuracy";
    public static string MeanLoss(string set) => $"{set}.mean-loss";
    public static string AccuracyDrop(string set) => $"{set}.accuracy-drop";
    public static string Auc(string reference) => $"forget-vs-{reference}.auc";
    public static string AucLow(string reference) => $"forget-vs-{reference}.auc-low";
    public static string AucHigh(string reference) => $"forget-vs-{reference}.auc-high";
    public static string TprAtLowFpr(string reference) => $"forget-vs-{reference}.tpr-at-1pct-fpr";
    public static string Ks(string reference) => $"forget-vs-{reference}.loss-ks";

    /// <param name="attack">One of <see cref="PoolAudit.Attacks"/>.</param>
    public static string PoolAuc(string attack) => $"attack.{attack}.auc";

    /// <param name="falsePositiveRate">One of <see cref="Statistics.AttackCurve.LowFalsePositiveRates"/>.</param>
    public static string PoolTpr(string attack, double falsePositiveRate) =>
        $"attack.{attack}.tpr-at-{(falsePositiveRate < 0.005 ? "0.1" : "1")}pct-fpr";

    /// <summary>Name of the normalised oracle gap of a metric.</summary>
    public static string Gap(string metric) => $"gap.{metric}";

    /// <summary>All metrics in the order in which they are reported.</summary>
    public static IReadOnlyList<MetricInfo> Known { get; } = [.. Build()];

    /// <exception cref="AuditInputException">There is no such metric; the message lists those that exist.</exception>
    public static MetricInfo Find(string name) => Known.FirstOrDefault(metric => metric.Name == name)
        ?? throw new AuditInputException(
            $"unknown metric '{name}'; known metrics: {string.Join(", ", Known.Select(metric => metric.Name))}");

    /// <summary>The metrics whose distance to the oracles is normalised, for a given reference set of the attack.</summary>
    public static IReadOnlyList<string> Gapped(string reference) =>
    [
        Accuracy(AuditSets.Retained), Accuracy(AuditSets.Forget), Accuracy(reference), MeanLoss(AuditSets.Forget),
        Auc(reference), TprAtLowFpr(reference), OracleKs,
    ];

    static IEnumerable<MetricInfo> Build()
    {
        foreach (var set in AuditSets.All)
            yield return new(Accuracy(set), $"accuracy, {set}", MetricUnit.Share);
        foreach (var set in AuditSets.All)
            yield return new(MeanLoss(set), $"mean loss, {set}", MetricUnit.Nats);
        foreach (var set in (string[])[AuditSets.Retained, AuditSets.Test, AuditSets.Holdout])
            yield return new(AccuracyDrop(set), $"accuracy lost, {set}", MetricUnit.Points);
        string[] references = [AuditSets.Test, AuditSets.Holdout];
        foreach (var reference in references)
        {
            yield return new(Auc(reference), $"attack AUC, forget vs {reference}", MetricUnit.Number);
            yield return new(AucLow(reference), $"attack AUC, forget vs {reference}, lower bound", MetricUnit.Number);
            yield return new(AucHigh(reference), $"attack AUC, forget vs {reference}, upper bound", MetricUnit.Number);
            yield return new(TprAtLowFpr(reference), $"attack TPR at 1 % FPR, forget vs {reference}", MetricUnit.Share);
            yield return new(Ks(reference), $"loss KS, forget vs {reference}", MetricUnit.Number);
        }

        yield return new(Auc(Matched), "attack AUC, forget vs matched unseen samples", MetricUnit.Number);
        yield return new(AucLow(Matched), "attack AUC, forget vs matched unseen samples, lower bound", MetricUnit.Number);
        yield return new(AucHigh(Matched), "attack AUC, forget vs matched unseen samples, upper bound", MetricUnit.Number);
        yield return new(Ks(Matched), "loss KS, forget vs matched unseen samples", MetricUnit.Number);
        yield return new(Accuracy(KeptClasses), "accuracy, unseen samples of retained classes", MetricUnit.Share);
        yield return new(AccuracyDrop(KeptClasses), "accuracy lost, unseen samples of retained classes", MetricUnit.Points);
        yield return new(Change, "change of the confidences, forget", MetricUnit.Nats);
        yield return new(RelearnSteps, "steps to learn the forget set again", MetricUnit.Number);
        yield return new(RelearnControl, "steps to learn matched unseen samples", MetricUnit.Number);
        yield return new(RelearnRatio, "relearn time, forget : unseen", MetricUnit.Number);
        yield return new(NeighbourAuc, "neighbours lost more than others, AUC", MetricUnit.Number);
        yield return new(NeighbourLoss, "confidence lost by neighbours beyond others", MetricUnit.Nats);
        foreach (var attack in PoolAudit.Attacks)
        {
            yield return new(PoolAuc(attack), $"AUC of the attack {attack}", MetricUnit.Number);
            foreach (var rate in Statistics.AttackCurve.LowFalsePositiveRates)
                yield return new(
                    PoolTpr(attack, rate), $"TPR of the attack {attack} at {(rate < 0.005 ? "0.1" : "1")} % FPR", MetricUnit.Share);
        }

        yield return new(Klom, "KLoM, unlearned models from oracles", MetricUnit.Nats, NeedsOracles: true);
        yield return new(ULira, "U-LiRA, unlearned models from oracles", MetricUnit.Share, NeedsOracles: true);
        yield return new(CanaryTrainedLabel, "canaries with the trained label", MetricUnit.Share);
        yield return new(CanaryTrueLabel, "canaries with the true label", MetricUnit.Share);
        yield return new(OracleKs, "loss KS, forget vs oracles", MetricUnit.Number, NeedsOracles: true);
        foreach (var metric in references.SelectMany(Gapped).Distinct())
            yield return new(Gap(metric), $"oracle gap of {metric}", MetricUnit.Number, NeedsOracles: true);
        yield return new(H, "H", MetricUnit.Number, NeedsOracles: true);
        yield return new(H10, "H10", MetricUnit.Number, NeedsOracles: true);
    }
}
