namespace RegistryUnlearn.Auditing.Report;

/// <summary>Heat maps of label against prediction on the forget set.</summary>
static class ConfusionFigure
{
    // A cell narrower than about 14 pixels cannot hold its number.
    const int MaxLabelled = 12;

    public static Figure Make(ReportInput input)
    {
        var classes = input.Before.Classes;
        List<Panel> panels =
        [
            Draw("confusion-before", "Before", classes, [input.Before]),
            Draw("confusion-after", "After", classes, [input.After]),
        ];
        if (input.Oracles.Count > 0)
        {
            var title = input.Oracles.Count == 1 ? "Oracle" : "Oracles, summed";
            panels.Add(Draw("confusion-oracles", title, classes, [.. input.Oracles.Select(oracle => oracle.Summary)]));
        }

        return new(
            "figure-confusion",
            "What the forget set is taken for",
            "Rows are the labels the model was trained on, columns its predictions; the depth of a cell is its share of the row"
            + (classes <= MaxLabelled ? ", written in percent" : "")
            + ". A full diagonal says that the labels are still known. After unlearning the mistakes should resemble those of the oracles: "
            + "spread in the same way, not all in one column.",
            [],
            panels);
    }

    static Panel Draw(string id, string title, int classes, IReadOnlyList<ModelSummary> models)
    {
        var every = Math.Max(1, (int)Math.Ceiling(classes / 10.0));
        Tick[] columns = [.. Ticks(classes, every, i => i)];
        Tick[] rows = [.. Ticks(classes, every, i => classes - 1 - i)];
        var panel = new Panel(
            id, title, $"Confusion matrix of the forget set: {title}.", new Axis("prediction", -.5, classes - .5, columns),
            new Axis("trained label", -.5, classes - .5, []), height: 330, left: 28);
        foreach (var label in models.SelectMany(model => model.Forget.Confusion.Chunk(3)).GroupBy(cell => cell[0]).OrderBy(row => row.Key))
        {
            var total = (double)label.Sum(cell => cell[2]);
            foreach (var cell in label.GroupBy(cell => cell[1]).OrderBy(cell => cell.Key))
                Cell(panel, classes - 1 - label.Key, cell.Key, cell.Sum(part => part[2]) / total, classes <= MaxLabelled);
        }

        foreach (var tick in rows)
            panel.Text(-.5, tick.Position, tick.Label, "tick", "end", dx: -6, dy: 3.5);
        return panel;
    }

    static void Cell(Panel panel, int y, int x, double share, bool labelled)
    {
        panel.Rectangle(x - .47, x + .47, y - .47, y + .47, "heat", .06 + (.94 * share));
        if (labelled && share >= .01)
            panel.Text(x, y, Format.Fixed(100 * share, 0), share > .5 ? "cell deep" : "cell", "middle", dy: 3.2);
    }

    static IEnumerable<Tick> Ticks(int classes, int every, Func<int, double> position)
    {
        for (var i = 0; i < classes; i += every)
            yield return new(position(i), Format.Fixed(i, 0));
    }
}
