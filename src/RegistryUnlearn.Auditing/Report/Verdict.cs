namespace RegistryUnlearn.Auditing.Report;

/// <summary>The result in words. It describes measurements; it promises nothing.</summary>
/// <param name="Headline">One sentence.</param>
/// <param name="Findings">What was measured.</param>
/// <param name="Limits">What this audit cannot see.</param>
sealed record Verdict(string Headline, IReadOnlyList<string> Findings, IReadOnlyList<string> Limits)
{
    // Shares of H before unlearning: below the first most of the influence is gone, above the second most of it is left.
    const double MostlyGone = .25;
    const double MostlyLeft = .75;

    // A fall in accuracy by more than this, as a share, is part of the headline.
    const double NoticeableLoss = .05;

    public static Verdict Of(AuditResult result) => new(
        Headlined(result) + Price(result), [.. Found(result)], [.. Unseen(result)]);

    // H can be small while accuracy is lost, because it charges accuracy in units of the forgetting; so the loss is said beside it.
    static string Price(AuditResult result)
    {
        var lost = new[] { AuditSets.Retained, result.Reference }.OfType<string>()
            .Select(set => (Set: set, Drop: result.After[MetricCatalogue.AccuracyDrop(set)] ?? 0))
            .Where(loss => loss.Drop > NoticeableLoss)
            .Select(loss => $"{Format.Value(loss.Drop, MetricUnit.Points)} on the {loss.Set} set")
            .ToList();
        return lost.Count == 0 ? "" : $" It costs usefulness: accuracy fell by {string.Join(" and by ", lost)}.";
    }

    static string Headlined(AuditResult result)
    {
        var (before, after) = (result.Before, result.After);
        if (after[MetricCatalogue.H] is { } h && before[MetricCatalogue.H] is { } h0 && h0 > 0)
        {
            if (h <= (result.HBand?.Max ?? 0))
                return "By these measures the model cannot be told from one that was retrained without the forget set.";
            if (OverForgotten(result))
                return "The forget set is now less known than it would be to a retrained model: more was removed than had been learned.";
            return (h / h0) switch
            {
                <= MostlyGone => "The model behaves much like one that was retrained without the forget set, though not exactly.",
                <= MostlyLeft => "Part of the influence of the forget set is gone; the model is still measurably different from a "
                    + "retrained one.",
                < 1 => "Most of the influence of the forget set can still be measured.",
                _ => "The model is no closer to a retrained one than it was before.",
            };
        }

        if (result.Reference is not { } reference)
            return "There is no unseen data and no oracle to compare with, so what was forgotten cannot be judged.";
        // Matched samples judge whole classes and wrong labels rightly, which the plain attack does not.
        var unseen = after[MetricCatalogue.Auc(MetricCatalogue.Matched)] is null ? reference : MetricCatalogue.Matched;
        var like = unseen == reference ? $"unseen samples of the {reference} set" : $"unseen samples of its classes in the {reference} set";
        var (low, high) = (after[MetricCatalogue.AucLow(unseen)], after[MetricCatalogue.AucHigh(unseen)]);
        if (low > .5)
            return $"A simple attack still tells the forget set from the {reference} set: its samples are better known than unseen ones.";
        return high < .5
            ? $"The forget set is now less known than {like}; without oracles it is open whether that is too much."
            : $"A simple attack does not tell the forget set from {like}. Without oracles this is a hint, not a comparison with "
                + "retraining.";
    }

    static bool OverForgotten(AuditResult result)
    {
        var set = MetricCatalogue.MeanLoss(AuditSets.Forget);
        var accuracy = MetricCatalogue.Accuracy(AuditSets.Forget);
        var oracles = result.Rows.Where(row => row.Kind == RowKind.Oracle).ToList();
        var gap = result.Gaps.FirstOrDefault(row => row.Metric == set);
        return oracles.Count > 0
            && gap?.Gap is > MostlyGone
            && result.After[set] > oracles.Max(row => row[set])
            && result.After[accuracy] < oracles.Min(row => row[accuracy]);
    }

    static IEnumerable<string> Found(AuditResult result)
    {
        var (before, after) = (result.Before, result.After);
        if (result.Gates.Count > 0)
            yield return result.Passed
                ? result.Gates.Count == 1 ? "The gate passed." : $"All {result.Gates.Count} gates passed."
                : Failed(result.Gates);
        if (after[MetricCatalogue.H] is { } h)
            yield return $"H, the mean distance to retraining, went from {Format.Number(before[MetricCatalogue.H]!.Value)} to "
                + $"{Format.Number(h)}"
                + $" (H10: {Format.Metric(before, MetricCatalogue.H10)} to {Format.Metric(after, MetricCatalogue.H10)})"
                + (result.HBand is { } band
                    ? $"; one oracle against the others scores {Format.Number(band.Mean)} on average and at most {Format.Number(band.Max)}."
                    : ".");
        yield return Accuracies(result, AuditSets.Forget, "On the forget set");
        yield return Accuracies(result, AuditSets.Retained, "On the retained set")
            + (result.Reference is { } set ? " " + Accuracies(result, set, $"On the {set} set") : "");
        if (result.Reference is { } reference)
            yield return $"The loss-threshold attack on forget against {reference} has an AUC of {Attack(result, after, reference)}, "
                + $"before {Attack(result, before, reference)}" + Oracle(result, MetricCatalogue.Auc(reference)) + "; 0.5 is chance.";
        foreach (var sentence in Estimated(result))
            yield return sentence;
        if (after[MetricCatalogue.CanaryTrainedLabel] is not null)
            yield return $"Of the planted wrong labels {Format.Metric(after, MetricCatalogue.CanaryTrainedLabel)} are still "
                + "predicted, before "
                + $"{Format.Metric(before, MetricCatalogue.CanaryTrainedLabel)}{Oracle(result, MetricCatalogue.CanaryTrainedLabel)}; "
                + $"{Format.Metric(after, MetricCatalogue.CanaryTrueLabel)} are predicted with their true label.";
    }

    static IEnumerable<string> Estimated(AuditResult result)
    {
        var (before, after) = (result.Before, result.After);
        var auc = MetricCatalogue.Auc(MetricCatalogue.Matched);
        if (after[auc] is { } matched)
        {
            var (low, high) = (
                after[MetricCatalogue.AucLow(MetricCatalogue.Matched)], after[MetricCatalogue.AucHigh(MetricCatalogue.Matched)]);
            yield return $"Against unseen samples of the same classes and labels the AUC is {Format.Number(matched)}, before "
                + $"{Format.Metric(before, auc)}: "
                + (low > .5 ? "the forget set is still better known than they are (under-forgetting)."
                    : high < .5 ? "the forget set is less known than they are (over-forgetting, or a set harder than its classes)."
                    : "no difference beyond chance, in either direction.");
        }

        if (after[MetricCatalogue.RelearnRatio] is { } ratio)
            yield return $"Taught again, the forget set takes {Format.Metric(after, MetricCatalogue.RelearnSteps)} steps and matched "
                + $"unseen samples {Format.Metric(after, MetricCatalogue.RelearnControl)}: "
                + (ratio < DefaultGates.Relearn
                    ? "it comes back faster than something new is learned."
                    : "it is learned like something new.");
    }

    static string Failed(IReadOnlyList<GateOutcome> gates) => gates.Count == 1
        ? "The gate failed, so nothing was published; see below."
        : $"{gates.Count(gate => !gate.Passed)} of {gates.Count} gates failed, so nothing was published; see the gates below.";

    static string Accuracies(AuditResult result, string set, string where)
    {
        var metric = MetricCatalogue.Accuracy(set);
        var (before, after) = (Format.Metric(result.Before, metric), Format.Metric(result.After, metric));
        return $"{where} accuracy is {after}, before {before}{Oracle(result, metric)}.";
    }

    static string Oracle(AuditResult result, string metric) =>
        result.Oracles.FirstOrDefault(statistic => statistic.Metric == metric) is { } oracle
            ? $", oracles {Format.Value(oracle.Mean, MetricCatalogue.Find(metric).Unit)}"
            : "";

    static string Attack(AuditResult result, AuditRow row, string reference) =>
        $"{Format.Metric(row, MetricCatalogue.Auc(reference))} ({Format.Fixed(100 * result.Options.Level, 0)}\u202F% interval "
        + $"{Format.Metric(row, MetricCatalogue.AucLow(reference))} to {Format.Metric(row, MetricCatalogue.AucHigh(reference))})";

    static IEnumerable<string> Unseen(AuditResult result)
    {
        yield return "This is a record of measurements, not a guarantee. It carries no (ε, δ) bound.";
        yield return result.Pool is null
            ? "The attack looks at one number per sample, its loss, and judges the set as a whole. Single samples may still be "
                + "recognisable, and attacks that use many shadow models, other features or the weights themselves may see more."
            : "The attacks look at what models say of each sample. With so few models they are weaker than they can be, and attacks that "
                + "use other features or the weights themselves may see more.";
        yield return "Only the samples that were handed in were examined. Copies and close relatives of them elsewhere in the training "
            + "data, and other models trained from this one, were not.";
        yield return "Whoever holds the model before and after can compare the two and learn about what was removed.";
        foreach (var note in result.Notes)
            yield return note;
    }
}
