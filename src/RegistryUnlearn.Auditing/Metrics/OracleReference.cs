using RegistryUnlearn.Auditing.Statistics;

namespace RegistryUnlearn.Auditing;

/// <summary>
/// What a model is compared with: the mean of some oracles, the model before unlearning, and the oracles' pooled forget losses.
/// </summary>
/// <remarks>
/// With d the distance to the oracles' mean (for the KS metric: the KS distance to their pooled forget losses), the normalised gap of a
/// metric is
/// d(model) / d(before): 0 = like retraining, 1 = nothing done. 0/0 counts as 0 (nothing to remove, nothing added);
/// a positive distance over 0 has no value and is left out.
/// H is the mean of |ΔRA|/S, |ΔFA|/S, |ΔTA|/S, gap(AUC), gap(KS) with S = |FA(before) − FA(oracles)|; RA, FA, TA are the accuracies on
/// the retained, forget and test sets. H10 charges RA and TA per 10 percentage points instead of S.
/// Without a test set the holdout takes its place.
/// </remarks>
sealed class OracleReference
{
    const double TenPoints = 0.1;

    // Distances below this are rounding noise of sums over samples.
    const double Zero = 1e-12;

    readonly double[] _pooled;
    readonly Dictionary<string, double> _means;
    readonly ModelSummary _before;
    readonly string _set;

    /// <param name="set">Reference set of the attack: test or holdout.</param>
    public OracleReference(ModelSummary before, IReadOnlyList<ModelSummary> oracles, string set)
    {
        (_before, _set) = (before, set);
        _pooled = [.. oracles.SelectMany(oracle => oracle.Forget.Losses).Order()];
        _means = MetricCatalogue.Gapped(set).Where(metric => metric != MetricCatalogue.OracleKs)
            .ToDictionary(metric => metric, metric => oracles.Average(oracle => Direct(oracle, metric)));
    }

    /// <summary>KS distance of a model's forget losses to the pooled oracles'.</summary>
    public double Ks(ModelSummary model) => KolmogorovSmirnov.Distance(model.Forget.Losses, _pooled);

    /// <summary>Distance of a model to the oracles in one metric.</summary>
    public double Distance(ModelSummary model, string metric) =>
        metric == MetricCatalogue.OracleKs ? Ks(model) : Math.Abs(Direct(model, metric) - _means[metric]);

    /// <summary>Normalised gap, or null where it has no value.</summary>
    public double? Gap(ModelSummary model, string metric) => Ratio(Distance(model, metric), Distance(_before, metric));

    /// <summary>H, or null where one of its parts has no value.</summary>
    public double? H(ModelSummary model) => Score(model, Distance(_before, MetricCatalogue.Accuracy(AuditSets.Forget)));

    /// <summary>H10, or null where one of its parts has no value.</summary>
    public double? H10(ModelSummary model) => Score(model, TenPoints);

    double? Score(ModelSummary model, double utilityUnit)
    {
        double? sum = 0;
        foreach (var metric in (string[])[MetricCatalogue.Accuracy(AuditSets.Retained), MetricCatalogue.Accuracy(_set)])
            sum += Ratio(Distance(model, metric), utilityUnit);
        foreach (var metric in (string[])[MetricCatalogue.Accuracy(AuditSets.Forget), MetricCatalogue.Auc(_set), MetricCatalogue.OracleKs])
            sum += Gap(model, metric);
        return sum / 5;
    }

    static double? Ratio(double distance, double unit) => unit > Zero ? distance / unit : distance > Zero ? null : 0;

    double Direct(ModelSummary model, string metric)
    {
        var attack = _set == AuditSets.Test ? model.VersusTest! : model.VersusHoldout!;
        if (metric == MetricCatalogue.Auc(_set))
            return attack.Auc;
        if (metric == MetricCatalogue.TprAtLowFpr(_set))
            return attack.TprAtLowFpr;
        if (metric == MetricCatalogue.MeanLoss(AuditSets.Forget))
            return model.Forget.MeanLoss;
        return AuditSets.All.Where(set => metric == MetricCatalogue.Accuracy(set)).Select(set => model.Set(set)!.Accuracy).Single();
    }
}
