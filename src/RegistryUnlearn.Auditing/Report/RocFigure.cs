using RegistryUnlearn.Auditing.Statistics;

namespace RegistryUnlearn.Auditing.Report;

/// <summary>ROC curves of the loss-threshold attack on logarithmic axes.</summary>
static class RocFigure
{
    const int Decades = 3;
    const int PointsPerDecade = 40;

    public static Figure Make(ReportInput input)
    {
        var reference = input.Result.Reference!;
        double[] grid = [.. Enumerable.Range(0, (Decades * PointsPerDecade) + 1).Select(i => -Decades + ((double)i / PointsPerDecade))];
        var panel = new Panel(
            "roc", $"Attack: forget or {reference}?", "True-positive against false-positive rate of the loss-threshold attack.",
            Axis.Decades("false-positive rate", -Decades, 0), Axis.Decades("true-positive rate", -Decades, 0), width: 400, height: 334);
        foreach (var exponent in Enumerable.Range(-Decades, Decades + 1))
            panel.Line([exponent, exponent], [-Decades, 0], "grid", 1);
        panel.Line([-Decades, 0], [-Decades, 0], "chance", 1);
        List<LegendEntry> legend = [];
        if (input.Oracles.Count > 0)
        {
            var curves = input.Oracles.Select(oracle => Curve(oracle.Summary, reference, grid)).ToList();
            Draw("oracle", [.. grid.Select((_, i) => curves.Average(curve => curve[i]))]);
            legend.Add(new("oracle", "oracle mean"));
        }

        Draw("before", Curve(input.Before, reference, grid));
        Draw("after", Curve(input.After, reference, grid));
        return new(
            "figure-roc",
            "What an attacker gains",
            "The attacker calls a sample a member when its loss is below a threshold; forget samples count as members. The lower left "
            + "matters most: few false alarms. On the diagonal the attack is no better than chance. The aim is the oracles' curve, not the "
            + "diagonal itself.",
            [new("after", "after"), new("before", "before"), .. legend, new("chance", "chance")],
            [panel]);

        void Draw(string style, double[] rates) => panel.Line(grid, [.. rates.Select(rate => Math.Log10(Math.Max(rate, 1e-3)))], style);
    }

    /// <summary>The largest true-positive rate at each false-positive rate, 10 to the grid's power.</summary>
    static double[] Curve(ModelSummary model, string reference, double[] grid)
    {
        var points = MembershipAttack.Roc(model.Forget.Losses, model.Set(reference)!.Losses);
        var rates = new double[grid.Length];
        var at = 0;
        for (var i = 0; i < grid.Length; i++)
        {
            var limit = Math.Pow(10, grid[i]) * (1 + 1e-12);
            while (at + 1 < points.Count && points[at + 1].FalsePositiveRate <= limit)
                at++;
            rates[i] = points[at].TruePositiveRate;
        }

        return rates;
    }
}
