using System.Globalization;

namespace RegistryUnlearn.Auditing.Report;

/// <summary>
/// Numbers as a reader sees them: invariant culture, one precision per unit, a true minus sign, a dash for what was not measured.
/// </summary>
static class Format
{
    public const string Absent = "–";

    public static string Value(double? value, MetricUnit unit) => value is not { } v ? Absent : unit switch
    {
        MetricUnit.Share => Fixed(100 * v, 1) + "\u202F%",
        MetricUnit.Points => Fixed(100 * v, 1) + "\u202Fpoints",
        _ => Number(v),
    };

    /// <summary>As <see cref="Value"/>, by the name of the metric.</summary>
    public static string Metric(AuditRow row, string metric) => Value(row[metric], MetricCatalogue.Find(metric).Unit);

    public static string Number(double value) =>
        Math.Abs(value) is >= 1e6 or (> 0 and < 5e-4)
            ? value.ToString("0.0e0", CultureInfo.InvariantCulture).Replace('-', '−')
            : Fixed(value, Math.Abs(value) >= 100 ? 1 : Math.Abs(value) >= 10 ? 2 : 3);

    public static string Count(int value) => value.ToString("#,0", CultureInfo.InvariantCulture).Replace(",", "\u202F");

    public static string Fixed(double value, int digits)
    {
        var text = value.ToString("F" + digits.ToString(CultureInfo.InvariantCulture), CultureInfo.InvariantCulture);
        var isZero = text.AsSpan().IndexOfAnyExcept("-0.") < 0;
        return isZero ? text.TrimStart('-') : text.Replace('-', '−');
    }
}
