using System.Globalization;
using RegistryUnlearn.Auditing;

namespace RegistryUnlearn.Cli.Output;

/// <summary>An audit as a table: one row per model, the oracles' mean and deviation last.</summary>
static class AuditText
{
    static readonly (string Header, string[] Metrics, bool Percent)[] Columns =
    [
        ("forget", [MetricCatalogue.Accuracy(AuditSets.Forget)], true),
        ("true label", [MetricCatalogue.CanaryTrueLabel], true),
        ("retained", [MetricCatalogue.Accuracy(AuditSets.Retained)], true),
        ("test", [MetricCatalogue.Accuracy(AuditSets.Test)], true),
        ("attack AUC", [MetricCatalogue.Auc(AuditSets.Test), MetricCatalogue.Auc(AuditSets.Holdout)], false),
        ("H", [MetricCatalogue.H], false),
        ("H10", [MetricCatalogue.H10], false),
    ];

    public static void Print(AuditResult audit, TextScreen screen)
    {
        var rows = audit.Rows.Where(r => r.Kind is not RowKind.Oracle).ToList();
        var shown = Columns.Where(c => rows.Any(r => Value(r, c.Metrics) is not null)).ToList();
        var cells = rows.Select(r => (string[])[r.Name, .. shown.Select(c => Format(Value(r, c.Metrics), c.Percent))]).ToList();
        if (audit.OracleCount > 0)
            cells.Add([$"{audit.OracleCount} oracles", .. shown.Select(c => Oracles(audit, c.Metrics, c.Percent))]);
        screen.Table(["", .. shown.Select(c => c.Header)], cells);
        screen.Line();
        screen.Line(
            "forget, retained and test: accuracy on the labels trained with. H: distance to models retrained without the forget set;");
        screen.Line("0 is like retraining, about 0.6 is nothing done; the oracles' row shows how far one of them is from the others.");
    }

    static double? Value(AuditRow row, string[] metrics) => metrics.Select(m => row[m]).FirstOrDefault(v => v is not null);

    static string Oracles(AuditResult audit, string[] metrics, bool percent)
    {
        var statistic = metrics.Select(m => audit.Oracles.FirstOrDefault(o => o.Metric == m)).FirstOrDefault(o => o is not null);
        return statistic is null ? ""
            : statistic.StandardDeviation is { } sd ? $"{Format(statistic.Mean, percent)} ± {Format(sd, percent)}"
            : Format(statistic.Mean, percent);
    }

    static string Format(double? value, bool percent) =>
        value is not { } v ? "" : percent ? Text.Percent(v) : v.ToString("0.000", CultureInfo.InvariantCulture);
}
