using System.Globalization;
using System.Text;
using RegistryUnlearn.Auditing;

namespace RegistryUnlearn.Benchmarks.Unlearning;

/// <summary>Results as Markdown: one table per case and fraction, mean and deviation over the seeds, the lowest H first.</summary>
static class UnlearningTable
{
    static readonly (string Title, string Metric, double Scale, string Format)[] Columns =
    [
        ("H", MetricCatalogue.H, 1, "0.000"),
        ("H10", MetricCatalogue.H10, 1, "0.000"),
        ("retained %", MetricCatalogue.Accuracy(AuditSets.Retained), 100, "0.0"),
        ("forget %", MetricCatalogue.Accuracy(AuditSets.Forget), 100, "0.0"),
        ("test %", MetricCatalogue.Accuracy(AuditSets.Test), 100, "0.0"),
        ("AUC", MetricCatalogue.Auc(AuditSets.Test), 1, "0.000"),
        ("gap AUC", MetricCatalogue.Gap(MetricCatalogue.Auc(AuditSets.Test)), 1, "0.00"),
        ("gap KS", MetricCatalogue.Gap(MetricCatalogue.OracleKs), 1, "0.00"),
    ];

    public static string Of(IReadOnlyList<UnlearningResult> results)
    {
        var text = new StringBuilder();
        foreach (var table in results.GroupBy(r => (r.Case, r.Fraction)))
        {
            text.AppendLine(CultureInfo.InvariantCulture, $"\n**{table.Key.Case}, {table.Key.Fraction:P0} of the retained data**\n");
            text.AppendLine($"| | {string.Join(" | ", Columns.Select(c => c.Title))} | CPU s | seeds |");
            text.AppendLine($"|---|{string.Concat(Columns.Select(_ => "--:|"))}--:|--:|");
            foreach (var row in table.GroupBy(r => r.Row).OrderBy(r => Mean(r, MetricCatalogue.H)))
                text.AppendLine(CultureInfo.InvariantCulture,
                    $"| {row.Key} | {string.Join(" | ", Columns.Select(c => Cell(row, c.Metric, c.Scale, c.Format)))} | {row.Average(r => r.Seconds):0} | {row.Count()} |");
        }
        return text.ToString();
    }

    static double Mean(IEnumerable<UnlearningResult> row, string metric) =>
        row.Average(r => r.Metrics.GetValueOrDefault(metric, double.PositiveInfinity));

    static string Cell(IEnumerable<UnlearningResult> row, string metric, double scale, string format)
    {
        double[] values = [.. row.Select(r => r.Metrics.GetValueOrDefault(metric, double.NaN) * scale)];
        var mean = values.Average();
        var text = mean.ToString(format, CultureInfo.InvariantCulture);
        return values.Length < 2 ? text
            : $"{text} ± {Math.Sqrt(values.Sum(v => (v - mean) * (v - mean)) / (values.Length - 1)).ToString(format, CultureInfo.InvariantCulture)}";
    }
}
