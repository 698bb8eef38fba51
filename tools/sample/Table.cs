using System.Globalization;
using RegistryUnlearn.Auditing;

namespace RegistryUnlearn.SampleMaker;

/// <summary>Version 1 beside its oracles, in Markdown; the README shows it.</summary>
static class Table
{
    public static string Of(string request, AuditResult audit)
    {
        var rows = audit.Rows.Where(row => row.Kind is RowKind.Before or RowKind.Oracle).Select(row => Line(
            row.Name, Percent(row, AuditSets.Retained), Percent(row, AuditSets.Forget), Percent(row, AuditSets.Test),
            Number(row[MetricCatalogue.Auc(AuditSets.Test)]), Number(row[MetricCatalogue.H])));
        string[] head = [Line(request, "RA %", "FA %", "TA %", "AUC", "H"), Line("---", "--:", "--:", "--:", "--:", "--:")];
        return string.Join('\n', [.. head, .. rows])
            + $"\n\nH of the oracles against each other: mean {Number(audit.HBand?.Mean)}, largest {Number(audit.HBand?.Max)}.\n";
    }

    static string Line(params IEnumerable<string> cells) => $"| {string.Join(" | ", cells)} |";

    static string Percent(AuditRow row, string set) =>
        (100 * row[MetricCatalogue.Accuracy(set)]!.Value).ToString("0.0", CultureInfo.InvariantCulture);

    static string Number(double? value) => value?.ToString("0.000", CultureInfo.InvariantCulture) ?? "–";
}
