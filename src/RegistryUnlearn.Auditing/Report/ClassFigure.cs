namespace RegistryUnlearn.Auditing.Report;

/// <summary>Accuracy of every class before and after, set by set, beside the oracles' mean.</summary>
static class ClassFigure
{
    /// <summary>Of more classes those that changed most are drawn.</summary>
    const int Most = 16;

    public static Figure Make(ReportInput input)
    {
        string[] sets = [AuditSets.Forget, AuditSets.Retained, .. input.Result.Reference is { } unseen ? (string[])[unseen] : []];
        List<LegendEntry> legend = [new("before dot", "before"), new("after dot", "after")];
        if (input.Oracles.Count > 0)
            legend.Add(new("oracle dot", input.Oracles.Count == 1 ? "oracle" : "oracles, pooled"));
        return new(
            "figure-classes",
            "What changed for which class",
            "Share of each class, by trained label, that is predicted with it. A line joins before and after. On the forget set the model "
            + "should move to where the oracles are; on the other sets it should stay where it was, unless the class itself was removed."
            + (input.Before.Classes > Most
                ? $" Of {Format.Count(input.Before.Classes)} classes the {Most} that changed most are drawn."
                : ""),
            legend,
            [.. sets.Select(set => Draw(input, set))]);
    }

    static Panel Draw(ReportInput input, string set)
    {
        var (before, after) = (Shares([input.Before], set), Shares([input.After], set));
        var oracles = input.Oracles.Count > 0 ? Shares([.. input.Oracles.Select(oracle => oracle.Summary)], set) : [];
        int[] classes =
        [
            .. before.Keys.OrderByDescending(c => Math.Abs(after.GetValueOrDefault(c) - before[c])).ThenBy(c => c).Take(Most).Order(),
        ];
        var panel = new Panel(
            $"classes-{set}", char.ToUpperInvariant(set[0]) + set[1..], $"Accuracy per class on the {set} set, before and after.",
            Axis.Linear("accuracy in percent", 0, 100, about: 4) with { Min = -2, Max = 103 },
            new Axis("class", -.7, classes.Length - .3, []),
            height: 84 + (16 * Math.Max(classes.Length, 4)), left: 30);
        for (var i = 0; i < classes.Length; i++)
        {
            var (label, y) = (classes[i], classes.Length - 1.0 - i);
            panel.Line([0, 100], [y, y], "grid", 1);
            panel.Line([100 * before[label], 100 * after[label]], [y, y], "after", 1.5f);
            panel.Text(0, y, Format.Fixed(label, 0), "tick", "end", dx: -8, dy: 3.5);
        }

        Dots(oracles, "oracle", 9);
        Dots(before, "before", 6);
        Dots(after, "after", 6);
        return panel;

        void Dots(SortedDictionary<int, double> shares, string style, float size)
        {
            int[] drawn = [.. Enumerable.Range(0, classes.Length).Where(i => shares.ContainsKey(classes[i]))];
            panel.Dots([.. drawn.Select(i => 100 * shares[classes[i]])], [.. drawn.Select(i => classes.Length - 1.0 - i)], style, size);
        }
    }

    /// <summary>Share predicted with their label, of each label that occurs.</summary>
    static SortedDictionary<int, double> Shares(IReadOnlyList<ModelSummary> models, string set)
    {
        var shares = new SortedDictionary<int, double>();
        foreach (var label in models.SelectMany(model => model.Set(set)!.Confusion.Chunk(3)).GroupBy(cell => cell[0]))
            shares[label.Key] = label.Where(cell => cell[1] == label.Key).Sum(cell => cell[2]) / (double)label.Sum(cell => cell[2]);
        return shares;
    }
}
