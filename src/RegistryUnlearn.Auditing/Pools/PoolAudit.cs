using RegistryUnlearn.Auditing.Statistics;

namespace RegistryUnlearn.Auditing;

/// <summary>
/// Attacks that judge every sample by itself, by models of a pool that were not trained on it: reference models where there are two pairs
/// or more, else oracles. And, over pools, how unlearned models differ from oracles.
/// </summary>
public static class PoolAudit
{
    /// <summary>Names of the attacks in findings and in metrics.</summary>
    public static IReadOnlyList<string> Attacks { get; } = ["loss", "confidence", "rmia", "lira"];

    /// <param name="before">The model before unlearning; likewise <paramref name="after"/>.</param>
    /// <param name="models">All models of the pool, measured on the same sets.</param>
    /// <exception cref="AuditInputException">A model was measured on other sets.</exception>
    public static PoolFindings Of(ModelOutputs before, ModelOutputs after, IReadOnlyList<PooledOutputs> models, AuditOptions options)
    {
        foreach (var outputs in models.Select(m => m.Outputs).Append(after))
            foreach (var (name, set) in before.Sets)
                if (!outputs.Sets.TryGetValue(name, out var other) || other.Count != set.Count)
                    throw new AuditInputException(
                        $"model '{outputs.Name}' was not measured on the {set.Count} samples of set '{name}'; measure all on one task");
        List<PooledOutputs> oracles = [.. Kind(PoolKind.Oracle)], unlearned = [.. Kind(PoolKind.Unlearned)];
        var attacks = new List<AttackFinding>();
        if (Unseen(before) is { } unseen)
        {
            var references = OutModels.OfReferences(models, unseen, options.Seed);
            foreach (var (outputs, kind) in (ReadOnlySpan<(ModelOutputs, RowKind)>)[(before, RowKind.Before), (after, RowKind.After)])
                attacks.AddRange(Attacked(outputs, kind, unseen, references ?? OutModels.OfOracles(oracles, unseen), options));
            foreach (var oracle in oracles)
                attacks.AddRange(Attacked(oracle.Outputs, RowKind.Oracle, unseen,
                    references ?? OutModels.OfOracles([.. oracles.Where(other => other != oracle)], unseen), options));
        }

        return new(
            oracles.Count, models.Count(m => m.Kind is PoolKind.Reference), unlearned.Count, attacks, Diverged(unlearned, oracles),
            Told(unlearned, oracles));

        IEnumerable<PooledOutputs> Kind(PoolKind kind) => models.Where(m => m.Kind == kind).OrderBy(m => m.Index);
    }

    static string? Unseen(ModelOutputs model) =>
        new[] { AuditSets.Test, AuditSets.Holdout }.FirstOrDefault(model.Sets.ContainsKey);

    /// <summary>The attacks on one model; those that need other models are left out where there are too few.</summary>
    static IEnumerable<AttackFinding> Attacked(ModelOutputs target, RowKind kind, string unseen, OutModels? outs, AuditOptions options)
    {
        var (forget, other) = (target.Sets[AuditSets.Forget], target.Sets[unseen]);
        var (ours, theirs) = (Negated(forget.Losses), Negated(other.Losses));
        yield return Finding("loss", ours, theirs);
        yield return Finding("confidence", forget.Confidences, other.Confidences);
        if (outs is null)
            yield break;
        var population = Rmia.LogRatiosOffline(theirs, outs.UnseenLogs);
        yield return Finding(
            "rmia", Rmia.Scores(Rmia.LogRatiosOffline(ours, outs.ForgetLogs), population), Rmia.Scores(population, population));
        yield return Finding(
            "lira", Lira.OfflineZ(forget.Confidences, outs.ForgetConfidences), Lira.OfflineZ(other.Confidences, outs.UnseenConfidences));

        AttackFinding Finding(string attack, double[] members, double[] nonMembers)
        {
            var curve = AttackCurve.Of(
                members, nonMembers, new SplitMix64(options.Seed), resamples: options.Resamples, level: options.Level);
            return new(attack, target.Name, kind, curve.Auc, curve.AucInterval.Low, curve.AucInterval.High,
            [
                .. curve.Points.Select(p => new RateFinding(
                    p.FalsePositiveRate, p.TruePositiveRate, p.ExactInterval.Low, p.ExactInterval.High, !p.IsUpperBound)),
            ]);
        }
    }

    static double[] Negated(double[] values) => Array.ConvertAll(values, v => -v);

    static KlomFinding? Diverged(List<PooledOutputs> unlearned, List<PooledOutputs> oracles)
    {
        if (unlearned.Count < 2 || oracles.Count < 2)
            return null;
        var found = Klom.Compare(Margins(oracles), Margins(unlearned));
        var control = oracles.Count < 4 ? null
            : Klom.Compare(Margins([.. oracles.Where((_, i) => i % 2 == 0)]), Margins([.. oracles.Where((_, i) => i % 2 == 1)]));
        return new(found.Mean, found.Percentile95, control?.Mean, control?.Percentile95);
    }

    static ULiraFinding? Told(List<PooledOutputs> unlearned, List<PooledOutputs> oracles)
    {
        if (unlearned.Count < ULira.LeastModels || oracles.Count < ULira.LeastModels || Unseen(oracles[0].Outputs) is not { } unseen)
            return null;
        var guard = new UtilityGuard(Accuracies(unlearned), Accuracies(oracles), PoolFindings.AllowedPoints);
        return ULira.Compare(Margins(unlearned), Margins(oracles), guard) is ULiraAnswer.Measured measured
            ? new(measured.BalancedAccuracy, guard.LostPoints)
            : new(null, guard.LostPoints);

        List<double> Accuracies(List<PooledOutputs> models) => models.ConvertAll(m => m.Outputs.Sets[unseen].Right.Average());
    }

    static ScorePool Margins(List<PooledOutputs> models) =>
        ScorePool.OfModels(models.ConvertAll(m => m.Outputs.Sets[AuditSets.Forget].Confidences));
}
