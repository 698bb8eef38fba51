namespace RegistryUnlearn.Auditing.Report;

/// <summary>One row per model, one column per metric; oracles are one row, mean ± standard deviation.</summary>
static class ResultTable
{
    sealed record Column(string Metric, string Head, string Hint);

    public static void Write(Html html, AuditResult result)
    {
        var columns = Columns(result);
        var free = columns.Count(column => !MetricCatalogue.Find(column.Metric).NeedsOracles);
        html.Add($"<div class=\"scroll\" tabindex=\"0\" role=\"region\" aria-label=\"Results\"><table class=\"results\"><thead>");
        html.Add($"<tr class=\"groups\"><td></td>");
        if (columns.Count > free)
            html.Add($"<th colspan=\"{columns.Count - free}\" scope=\"colgroup\">against retraining</th>");
        html.Add($"<th colspan=\"{free}\" scope=\"colgroup\">retrain-free</th></tr><tr><th scope=\"col\">model</th>");
        foreach (var column in columns)
            html.Add($"<th scope=\"col\" title=\"{column.Hint}\">{column.Head}</th>");
        html.Add($"</tr></thead><tbody>");
        foreach (var row in result.Rows.Where(row => row.Kind != RowKind.Oracle))
            Row(html, Kind(row), row.Name, Note(row), columns.Select(column => Cell(result, row, column.Metric)));
        if (result.OracleCount > 0)
            Row(
                html,
                "oracle",
                result.OracleCount == 1 ? "oracle" : $"{result.OracleCount} oracles",
                result.OracleCount == 1 ? "" : "mean ± sd, each against the others",
                columns.Select(column => Oracles(result, column.Metric)));
        html.Add($"</tbody></table></div>");
    }

    static List<Column> Columns(AuditResult result)
    {
        List<Column> columns =
        [
            new(MetricCatalogue.H, "H", "mean normalised distance to the oracles; smaller is closer"),
            new(MetricCatalogue.H10, "H10", "as H, with utility charged per 10 percentage points"),
            new(MetricCatalogue.OracleKs, "KS oracles", "distance of the forget losses to the oracles'"),
            new(MetricCatalogue.Accuracy(AuditSets.Forget), "forget acc.", "accuracy on the forget set"),
            new(MetricCatalogue.Accuracy(AuditSets.Retained), "retained acc.", "accuracy on the retained set"),
        ];
        foreach (var set in (string[])[AuditSets.Test, AuditSets.Holdout])
            columns.Add(new(MetricCatalogue.Accuracy(set), $"{set} acc.", $"accuracy on the {set} set"));
        foreach (var set in (string[])[AuditSets.Test, AuditSets.Holdout])
        {
            columns.Add(new(MetricCatalogue.Auc(set), $"AUC {set}", $"loss-threshold attack, forget against {set}; below: interval"));
            if (set != result.Reference)
                continue;
            columns.Add(new(MetricCatalogue.TprAtLowFpr(set), $"TPR {set}", $"true positives at 1 % false alarms, forget against {set}"));
            columns.Add(new(MetricCatalogue.Ks(set), $"KS {set}", $"distance of the forget losses to those of {set}"));
        }

        columns.Add(new(MetricCatalogue.CanaryTrainedLabel, "wrong label", "canaries still predicted with the label they were trained on"));
        columns.Add(new(MetricCatalogue.CanaryTrueLabel, "true label", "canaries predicted with their true label"));
        columns.RemoveAll(column => result.Rows.All(row => row[column.Metric] is null));
        return columns;
    }

    static void Row(Html html, string kind, string name, string note, IEnumerable<Markup> cells)
    {
        html.Add($"<tr class=\"{kind}\"><th scope=\"row\">{name}{Small(note)}</th>");
        foreach (var cell in cells)
            html.Add($"<td>{cell}</td>");
        html.Add($"</tr>");
    }

    static string Kind(AuditRow row) => row.Kind switch
    {
        RowKind.Before => "before",
        RowKind.After => "after",
        _ => "comparison",
    };

    static string Note(AuditRow row) => row.Kind switch
    {
        RowKind.Before => "before, nothing done",
        RowKind.After => "after",
        _ => "",
    };

    static Markup Cell(AuditResult result, AuditRow row, string metric)
    {
        var interval = result.Reference is null || !metric.EndsWith(".auc", StringComparison.Ordinal) || row[$"{metric}-low"] is null
            ? ""
            : $"{Format.Number(row[$"{metric}-low"]!.Value)}–{Format.Number(row[$"{metric}-high"]!.Value)}";
        var value = Format.Metric(row, metric);
        return Html.Of(html => html.Add($"{value}{Small(interval)}"));
    }

    static Markup Oracles(AuditResult result, string metric)
    {
        var unit = MetricCatalogue.Find(metric).Unit;
        if (result.Oracles.FirstOrDefault(statistic => statistic.Metric == metric) is not { } oracle)
            return Html.Of(html => html.Add($"{Format.Absent}"));
        var deviation = oracle.StandardDeviation is { } sd ? "±" + Format.Value(sd, unit) : "";
        return Html.Of(html => html.Add($"{Format.Value(oracle.Mean, unit)}{Small(deviation)}"));
    }

    static Markup Small(string text) => text.Length == 0 ? new("") : Html.Of(html => html.Add($"<small>{text}</small>"));
}
