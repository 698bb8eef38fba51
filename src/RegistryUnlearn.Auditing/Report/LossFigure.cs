namespace RegistryUnlearn.Auditing.Report;

/// <summary>Histograms of the losses per set, for the model before, after, and the pooled oracles.</summary>
static class LossFigure
{
    const double Min = -4;
    const double Max = 1.5;
    const int Bins = 33;

    public static Figure Make(ReportInput input)
    {
        var reference = input.Result.Reference;
        List<(string Id, string Title, IReadOnlyList<ModelSummary> Models)> columns =
            [("loss-before", "Before", [input.Before]), ("loss-after", "After", [input.After])];
        if (input.Oracles.Count > 0)
        {
            var title = input.Oracles.Count == 1 ? "Oracle" : "Oracles, pooled";
            columns.Add(("loss-oracles", title, [.. input.Oracles.Select(oracle => oracle.Summary)]));
        }


        List<string> sets = [AuditSets.Retained, .. reference is null ? [] : (string[])[reference], AuditSets.Forget];
        var shares = columns.ConvertAll(column => sets.ConvertAll(set => Histogram(column.Models.SelectMany(m => m.Set(set)!.Losses))));
        var y = Axis.Linear("share of the set per bin", 0, shares.SelectMany(s => s).SelectMany(s => s).Max(), about: 4);
        var panels = columns.Select((column, i) => Draw(column.Id, column.Title, sets, shares[i], y)).ToList();
        List<LegendEntry> legend = [new("forget", "forget"), new("retained", "retained")];
        if (reference is not null)
            legend.Add(new("unseen", $"{reference} (unseen)"));
        return new(
            "figure-losses",
            "How well each set is known",
            "Cross-entropy per sample on a logarithmic axis; small losses lie left, and losses beyond the axis are counted in the "
            + "outermost bins. A memorised set piles up on the left. After unlearning the forget set should leave the retained one and "
            + "take the shape it has in the oracles. If it ends up further right than there, the model has been pushed to be wrong, which "
            + "is as visible as memory.",
            legend,
            panels);
    }

    static Panel Draw(string id, string title, List<string> sets, List<double[]> shares, Axis y)
    {
        var ticks = Axis.Decades("loss in nats", -4, 1).Ticks;
        var panel = new Panel(
            id, title, $"Histograms of the losses of {string.Join(", ", sets)}: {title}.", new Axis("loss in nats", Min, Max, ticks), y);
        for (var i = 0; i < sets.Count; i++)
        {
            var style = sets[i] is AuditSets.Test or AuditSets.Holdout ? "unseen" : sets[i];
            var (xs, ys) = Outline(shares[i]);
            if (sets[i] == AuditSets.Forget)
                panel.Area(xs, ys, 0, style, .22);
            panel.Line(xs, ys, style, sets[i] == AuditSets.Forget ? 2 : 1.5f);
        }

        return panel;
    }

    static double[] Histogram(IEnumerable<double> losses)
    {
        var counts = new double[Bins];
        var total = 0;
        foreach (var loss in losses)
        {
            var position = (Math.Log10(Math.Max(loss, 1e-300)) - Min) / (Max - Min) * Bins;
            counts[(int)Math.Clamp(position, 0, Bins - 1)]++;
            total++;
        }

        return [.. counts.Select(count => count / total)];
    }

    static (List<double> Xs, List<double> Ys) Outline(double[] shares)
    {
        var (xs, ys) = (new List<double>(), new List<double>());
        for (var bin = 0; bin < shares.Length; bin++)
            for (var side = 0; side < 2; side++)
            {
                xs.Add(Min + ((bin + side) * (Max - Min) / Bins));
                ys.Add(shares[bin]);
            }

        return (xs, ys);
    }
}
