using RegistryUnlearn.Auditing.Statistics;

namespace RegistryUnlearn.Auditing;

/// <summary>Compares a model before and after unlearning with each other, with other methods and with oracles.</summary>
public static class Auditor
{
    /// <param name="before">The model that was to unlearn.</param>
    /// <param name="after">The model that came out.</param>
    /// <param name="comparisons">Other methods on the same request, each a row.</param>
    /// <param name="oracles">Models retrained without the forget set; may be empty, five or more give a useful band.</param>
    /// <param name="gates">Conditions on the model after unlearning; null for <see cref="DefaultGates"/>.</param>
    /// <param name="pool">What a pool of models let find; its numbers become metrics of the models before and after.</param>
    /// <exception cref="AuditInputException">The models were not measured on the same sets, or a gate names an unknown metric.</exception>
    public static AuditResult Audit(
        AuditedModel before,
        AuditedModel after,
        IReadOnlyList<AuditedModel> comparisons,
        IReadOnlyList<OracleRecord> oracles,
        IReadOnlyList<Gate>? gates,
        AuditOptions options,
        PoolFindings? pool = null)
    {
        CheckSameSets(before, [after, .. comparisons, .. oracles.Select(oracle => new AuditedModel(oracle.Name, oracle.Summary))]);
        var reference = before.Summary.Test is not null ? AuditSets.Test : before.Summary.Holdout is not null ? AuditSets.Holdout : null;
        ModelSummary[] summaries = [.. oracles.Select(oracle => oracle.Summary)];
        var compared = reference is not null && summaries.Length > 0 ? new OracleReference(before.Summary, summaries, reference) : null;
        var leftOut = reference is not null && summaries.Length > 1 ? LeaveOneOut(before.Summary, summaries, reference) : [];

        AuditRow Row(AuditedModel model, RowKind kind) =>
            new(model.Name, kind, Estimated(
                Measure(model.Summary, before.Summary, compared, reference, options), model.Estimates, before.Estimates));
        List<AuditRow> rows = [Row(before, RowKind.Before), Row(after, RowKind.After)];
        AddPool(rows, pool);
        rows.AddRange(comparisons.Select(model => Row(model, RowKind.Comparison)));
        rows.AddRange(oracles.Select((oracle, i) => new AuditRow(
            oracle.Name,
            RowKind.Oracle,
            Measure(oracle.Summary, before.Summary, leftOut.ElementAtOrDefault(i), reference, options: null))));

        var gaps = compared is null ? [] : MetricCatalogue.Gapped(reference!)
            .Select(metric => Gap(metric, before.Summary, after.Summary, compared, summaries, leftOut)).ToList();
        var band = Band(summaries, leftOut, (others, oracle) => others.H(oracle));
        var band10 = Band(summaries, leftOut, (others, oracle) => others.H10(oracle));
        var applied = gates ?? DefaultGates.For(rows[1], band, band10, after.Estimates?.Relearn?.Samples ?? 0);
        return new(
            AuditResult.CurrentSchema,
            options,
            reference,
            Sizes(before.Summary),
            rows,
            Statistics(rows),
            oracles.Count,
            gaps,
            band,
            band10,
            [.. applied.Select(gate => gate.Judge(rows[1][gate.Metric]))],
            [.. Notes(before.Summary, reference, oracles.Count, hasScore: rows.Take(2).All(row => row[MetricCatalogue.H] is not null))])
        {
            HasDefaultGates = gates is null,
            Pool = pool,
        };
    }

    static void CheckSameSets(AuditedModel first, IReadOnlyList<AuditedModel> others)
    {
        foreach (var other in others)
        {
            if (other.Summary.Classes != first.Summary.Classes)
                throw new AuditInputException(
                    $"model '{other.Name}' has {other.Summary.Classes} classes, '{first.Name}' has {first.Summary.Classes}; measure "
                    + "all on one task");
            foreach (var set in AuditSets.All)
                if (other.Summary.Set(set)?.Count != first.Summary.Set(set)?.Count)
                    throw new AuditInputException(
                        $"model '{other.Name}': set '{set}' has {Size(other, set)}, '{first.Name}' has {Size(first, set)}; measure "
                        + "all on the same sets");
        }

        static string Size(AuditedModel model, string set) => model.Summary.Set(set) is { } s ? $"{s.Count} samples" : "no samples";
    }

    static OracleReference[] LeaveOneOut(ModelSummary before, ModelSummary[] oracles, string reference) =>
        [.. oracles.Select((_, left) => new OracleReference(before, [.. oracles.Where((_, i) => i != left)], reference))];

    static SortedDictionary<string, double> Measure(
        ModelSummary model, ModelSummary before, OracleReference? oracles, string? reference, AuditOptions? options)
    {
        var metrics = new SortedDictionary<string, double>(StringComparer.Ordinal);
        foreach (var name in AuditSets.All)
        {
            if (model.Set(name) is not { } set)
                continue;
            metrics[MetricCatalogue.Accuracy(name)] = set.Accuracy;
            metrics[MetricCatalogue.MeanLoss(name)] = set.MeanLoss;
            if (name != AuditSets.Forget)
                metrics[MetricCatalogue.AccuracyDrop(name)] = before.Set(name)!.Accuracy - set.Accuracy;
        }

        AddAttack(metrics, model, AuditSets.Test, model.VersusTest, options);
        AddAttack(metrics, model, AuditSets.Holdout, model.VersusHoldout, options);
        Add(MetricCatalogue.CanaryTrainedLabel, model.Canary?.TrainedLabel);
        Add(MetricCatalogue.CanaryTrueLabel, model.Canary?.TrueLabel);
        if (oracles is not null)
        {
            Add(MetricCatalogue.OracleKs, oracles.Ks(model));
            foreach (var metric in MetricCatalogue.Gapped(reference!))
                Add(MetricCatalogue.Gap(metric), oracles.Gap(model, metric));
            Add(MetricCatalogue.H, oracles.H(model));
            Add(MetricCatalogue.H10, oracles.H10(model));
        }

        return metrics;

        void Add(string name, double? value)
        {
            if (value is { } v)
                metrics[name] = v;
        }
    }

    static void AddPool(List<AuditRow> rows, PoolFindings? pool)
    {
        foreach (var finding in pool?.Attacks ?? [])
        {
            if (rows.FirstOrDefault(row => row.Kind == finding.Kind) is not { } row)
                continue;
            row.Metrics[MetricCatalogue.PoolAuc(finding.Attack)] = finding.Auc;
            foreach (var rate in finding.Rates)
                row.Metrics[MetricCatalogue.PoolTpr(finding.Attack, rate.FalsePositiveRate)] = rate.TruePositiveRate;
        }

        if (pool?.Klom is { } klom)
            rows[1].Metrics[MetricCatalogue.Klom] = klom.Mean;
        if (pool?.ULira?.BalancedAccuracy is { } accuracy)
            rows[1].Metrics[MetricCatalogue.ULira] = accuracy;
    }

    static SortedDictionary<string, double> Estimated(
        SortedDictionary<string, double> metrics, RetrainFreeEstimates? estimates, RetrainFreeEstimates? before)
    {
        if (estimates is null)
            return metrics;
        metrics[MetricCatalogue.Change] = estimates.Change;
        if (estimates.Matched is { } matched)
        {
            metrics[MetricCatalogue.Auc(MetricCatalogue.Matched)] = matched.Auc;
            metrics[MetricCatalogue.AucLow(MetricCatalogue.Matched)] = matched.Interval.Low;
            metrics[MetricCatalogue.AucHigh(MetricCatalogue.Matched)] = matched.Interval.High;
            metrics[MetricCatalogue.Ks(MetricCatalogue.Matched)] = matched.Ks;
        }

        if (estimates.KeptAccuracy is { } accuracy)
        {
            metrics[MetricCatalogue.Accuracy(MetricCatalogue.KeptClasses)] = accuracy;
            if (before?.KeptAccuracy is { } earlier)
                metrics[MetricCatalogue.AccuracyDrop(MetricCatalogue.KeptClasses)] = earlier - accuracy;
        }

        if (estimates.Neighbours is { } neighbours)
        {
            metrics[MetricCatalogue.NeighbourAuc] = neighbours.Auc;
            metrics[MetricCatalogue.NeighbourLoss] = neighbours.ConfidenceLost;
        }

        if (estimates.Relearn is { } relearn)
        {
            metrics[MetricCatalogue.RelearnSteps] = relearn.ForgetSteps;
            metrics[MetricCatalogue.RelearnControl] = relearn.ControlSteps;
            if (relearn.Ratio is { } ratio)
                metrics[MetricCatalogue.RelearnRatio] = ratio;
        }

        return metrics;
    }

    // Oracles get no interval: their losses may be thinned, and their spread is the band.
    static void AddAttack(
        SortedDictionary<string, double> metrics, ModelSummary model, string reference, AttackSummary? attack, AuditOptions? options)
    {
        if (attack is null)
            return;
        metrics[MetricCatalogue.Auc(reference)] = attack.Auc;
        metrics[MetricCatalogue.TprAtLowFpr(reference)] = attack.TprAtLowFpr;
        metrics[MetricCatalogue.Ks(reference)] = attack.Ks;
        if (options is null)
            return;
        var interval = MembershipAttack.AucInterval(
            model.Forget.Losses, model.Set(reference)!.Losses, new SplitMix64(options.Seed), options.Resamples, options.Level);
        metrics[MetricCatalogue.AucLow(reference)] = interval.Low;
        metrics[MetricCatalogue.AucHigh(reference)] = interval.High;
    }

    static GapRow Gap(
        string metric, ModelSummary before, ModelSummary after, OracleReference compared, ModelSummary[] oracles, OracleReference[] leftOut)
    {
        var distance = compared.Distance(before, metric);
        var spread = Band(oracles, leftOut, (others, oracle) => others.Distance(oracle, metric));
        return new(
            metric,
            distance,
            compared.Distance(after, metric),
            compared.Gap(after, metric),
            Band(oracles, leftOut, (others, oracle) => others.Gap(oracle, metric)),
            spread,
            BeforeInsideBand: distance <= spread?.Max);
    }

    static OracleBand? Band(ModelSummary[] oracles, OracleReference[] leftOut, Func<OracleReference, ModelSummary, double?> measure)
    {
        var values = leftOut.Select((others, i) => measure(others, oracles[i])).ToList();
        if (values.Count == 0 || values.Any(value => value is null))
            return null;
        double[] known = [.. values.Select(value => value!.Value)];
        return new(known.Average(), known.Max(), known);
    }

    static List<OracleStatistic> Statistics(List<AuditRow> rows)
    {
        var oracles = rows.Where(row => row.Kind == RowKind.Oracle).ToList();
        var statistics = new List<OracleStatistic>();
        foreach (var metric in MetricCatalogue.Known)
        {
            double[] values = [.. oracles.Select(row => row[metric.Name]).OfType<double>()];
            if (values.Length == 0 || values.Length < oracles.Count)
                continue;
            var mean = values.Average();
            double? deviation = values.Length > 1 ? Math.Sqrt(values.Sum(v => (v - mean) * (v - mean)) / (values.Length - 1)) : null;
            statistics.Add(new(metric.Name, mean, deviation));
        }

        return statistics;
    }

    static SortedDictionary<string, int> Sizes(ModelSummary model)
    {
        var sizes = new SortedDictionary<string, int>(StringComparer.Ordinal);
        foreach (var name in AuditSets.All)
            if (model.Set(name) is { } set)
                sizes[name] = set.Count;
        return sizes;
    }

    static IEnumerable<string> Notes(ModelSummary before, string? reference, int oracles, bool hasScore)
    {
        if (reference is null)
            yield return "There is no test set and no holdout: the membership attack has nothing to compare with and was not run.";
        else if (reference == AuditSets.Holdout)
            yield return "There is no test set: the holdout takes its place in the attack and in H.";
        if (oracles == 0)
            yield return "There are no oracles: only retrain-free metrics are reported, and distance to retraining is unknown.";
        else if (oracles < 5)
            yield return oracles == 1
                ? "There is one oracle: how much oracles differ among themselves is unknown."
                : $"There are {oracles} oracles; with fewer than five the oracle band is a rough guide.";
        if (reference is not null && oracles > 0 && !hasScore)
            yield return "H has no value: before unlearning, the forget set already looked as it does to the oracles.";
        if (before.Canary is not null)
            yield return "The forget set carries labels that are not the true ones: even a retrained model gives them large losses, so "
                + "comparing its losses with those of unseen data misleads; judge by the oracles and by the canary rows.";
    }
}
