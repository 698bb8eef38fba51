namespace RegistryUnlearn.Auditing.Report;

/// <summary>The normalised oracle gap of every metric as a bar beside the oracles' own spread.</summary>
static class GapFigure
{
    // Beyond this a bar is cut and its number says so.
    const double Cut = 1.5;

    public static Figure Make(AuditResult result)
    {
        string[] utility = [MetricCatalogue.Accuracy(AuditSets.Retained), MetricCatalogue.Accuracy(result.Reference!)];
        var forgetting = result.Gaps.Where(row => !utility.Contains(row.Metric)).ToList();
        var kept = result.Gaps.Where(row => utility.Contains(row.Metric)).ToList();
        List<LegendEntry> legend = [new("after box", "after"), new("before", "before")];
        if (result.Gaps.Any(row => row.DistanceBand is not null))
            legend.Add(new("oracle box faint", "oracle against the others, up to the largest"));
        return new(
            "figure-gaps",
            "How far from retraining",
            "The first panel is for what should change: the distance between the model and the oracles' mean, divided by that distance "
            + "before unlearning. The second is for what should stay: the distance in percentage points. Inside the oracle band the model "
            + "cannot be told from one more oracle by that metric.",
            legend,
            [Forgetting(forgetting), Utility(kept)]);
    }

    static Panel Forgetting(List<GapRow> rows)
    {
        var panel = Bars(
            "gap-forgetting", "Forgetting: normalised oracle gap",
            "One bar per metric; 0 is like the oracles, 1 is like the model before unlearning.",
            new Axis("0 = like the oracles, 1 = as before", 0, Cut, [new(0, "0"), new(.5, "0.5"), new(1, "1"), new(1.5, "1.5")]),
            rows.Count);
        panel.Line([1, 1], [0, rows.Count], "before", 1.5f);
        for (var i = 0; i < rows.Count; i++)
            Draw(panel, rows[i], rows.Count - 1 - i);
        return panel;
    }

    static Panel Utility(List<GapRow> rows)
    {
        var most = rows.Max(row => Math.Max(Math.Max(row.Before, row.After), row.DistanceBand?.Max ?? 0));
        var x = Axis.Linear("percentage points from the oracles' mean", 0, Math.Max(1, 100 * most), about: 4);
        var panel = Bars("gap-utility", "Usefulness: distance in points", "One bar per accuracy; 0 is like the oracles.", x, rows.Count);
        for (var i = 0; i < rows.Count; i++)
        {
            var (row, y) = (rows[i], rows.Count - 1 - i);
            Bar(panel, y, 100 * row.After, 100 * row.DistanceBand?.Max);
            panel.Line([100 * row.Before, 100 * row.Before], [y + .1, y + .64], "before", 1.5f);
            Named(panel, row, y, x.Max, Format.Value(row.After, MetricUnit.Points), "bar-value");
        }

        return panel;
    }

    static Panel Bars(string id, string title, string description, Axis x, int count)
    {
        var panel = new Panel(id, title, description, x, new Axis("", 0, count, []), width: 400, height: 68 + (44 * count), left: 4);
        foreach (var tick in x.Ticks)
            panel.Line([tick.Position, tick.Position], [0, count], "grid", 1);
        return panel;
    }

    static void Draw(Panel panel, GapRow row, int y)
    {
        var drawn = row.Gap is not null && !row.BeforeInsideBand;
        if (drawn)
            Bar(panel, y, Math.Min(row.Gap!.Value, Cut), row.Band is { } band ? Math.Min(band.Max, Cut) : null);
        var value = drawn ? Format.Number(row.Gap!.Value) + (row.Gap > Cut ? " (bar cut)" : "") : "nothing to close";
        Named(panel, row, y, Cut, value, drawn ? "bar-value" : "bar-none");
    }

    static void Bar(Panel panel, int y, double length, double? band)
    {
        if (band is { } b)
            panel.Rectangle(0, b, y + .16, y + .58, "oracle", .3);
        panel.Rectangle(0, length, y + .25, y + .49, "after");
    }

    static void Named(Panel panel, GapRow row, int y, double right, string value, string style)
    {
        panel.Text(0, y, MetricCatalogue.Find(row.Metric).Title, "bar-name", dy: -31);
        panel.Text(right, y, value, style, "end", dy: -31);
    }
}
