namespace RegistryUnlearn.Auditing.Report;

/// <summary>The normalised oracle gap of every metric as a bar beside the oracles' own spread.</summary>
static class GapFigure
{
    // Beyond this a bar is cut and its number says so.
    const double Cut = 1.5;

    public static Figure Make(AuditResult result)
    {
        var rows = result.Gaps;
        var x = new Axis("distance to the oracles; 1 = before unlearning", 0, Cut, [new(0, "0"), new(.5, "0.5"), new(1, "1"), new(1.5, "1.5")]);
        var panel = new Panel(
            "gap-bars", "Normalised oracle gap", "One bar per metric; 0 is like the oracles, 1 is like the model before unlearning.", x,
            new Axis("", 0, rows.Count, []), width: 400, height: 68 + (38 * rows.Count), left: 4);
        foreach (var tick in x.Ticks)
            panel.Line([tick.Position, tick.Position], [0, rows.Count], tick.Position == 1 ? "before" : "grid", tick.Position == 1 ? 1.5f : 1);
        for (var i = 0; i < rows.Count; i++)
            Draw(panel, rows[i], rows.Count - 1 - i);
        List<LegendEntry> legend = [new("after box", "after")];
        if (rows.Any(row => row.Band is not null && !row.BeforeInsideBand))
            legend.Add(new("oracle box faint", "oracle against the others, up to the largest"));
        legend.Add(new("before", "before = 1"));
        return new(
            "figure-gaps",
            "How far from retraining",
            "Each bar is the distance between the model and the oracles' mean, divided by the distance before unlearning. Inside the oracle band the "
            + "model cannot be told from one more oracle by that metric. Where the model already lay inside the band before, there was nothing to close "
            + "and no bar is drawn.",
            legend,
            [panel]);
    }

    static void Draw(Panel panel, GapRow row, int y)
    {
        var drawn = row.Gap is not null && !row.BeforeInsideBand;
        if (drawn && row.Band is { } band)
            panel.Rectangle(0, Math.Min(band.Max, Cut), y + .02, y + .56, "oracle", .28);
        if (drawn)
            panel.Rectangle(0, Math.Min(row.Gap!.Value, Cut), y + .14, y + .44, "after");
        panel.Text(0, y, MetricCatalogue.Find(row.Metric).Title, "bar-name", dy: -27);
        var value = drawn ? Format.Number(row.Gap!.Value) + (row.Gap > Cut ? " (bar cut)" : "") : "nothing to close";
        panel.Text(Cut, y, value, drawn ? "bar-value" : "bar-none", "end", dy: -27);
    }
}
