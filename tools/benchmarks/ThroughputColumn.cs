using System.Globalization;
using System.Reflection;
using BenchmarkDotNet.Columns;
using BenchmarkDotNet.Reports;
using BenchmarkDotNet.Running;

namespace RegistryUnlearn.Benchmarks;

/// <summary>
/// Floats that a pass over memory reads plus floats that it writes, per parameter, if every pass of the algorithm touches memory once.
/// What the processor reads before it writes a line is not counted, neither here nor for a copy.
/// </summary>
[AttributeUsage(AttributeTargets.Method)]
sealed class FloatsMovedAttribute(int perParameter) : Attribute
{
    public int PerParameter { get; } = perParameter;
}

/// <summary>Bytes moved per second at the median, for methods that state what they move and have a parameter <c>Width</c>.</summary>
sealed class ThroughputColumn : IColumn
{
    public string Id => nameof(ThroughputColumn);

    public string ColumnName => "GB/s";

    public string Legend => "10⁹ bytes read and written per second, at the median";

    public bool AlwaysShow => false;

    public ColumnCategory Category => ColumnCategory.Custom;

    public int PriorityInCategory => 0;

    public bool IsNumeric => true;

    public UnitType UnitType => UnitType.Dimensionless;

    public bool IsAvailable(Summary summary) => summary.BenchmarksCases.Any(c => Moved(c) is not null);

    public bool IsDefault(Summary summary, BenchmarkCase benchmarkCase) => false;

    public string GetValue(Summary summary, BenchmarkCase benchmarkCase) =>
        Moved(benchmarkCase) is { } bytes && summary[benchmarkCase]?.ResultStatistics is { } statistics
            ? (bytes / statistics.Median).ToString("F1", CultureInfo.InvariantCulture) : "-";

    public string GetValue(Summary summary, BenchmarkCase benchmarkCase, SummaryStyle style) => GetValue(summary, benchmarkCase);

    static long? Moved(BenchmarkCase benchmarkCase) =>
        benchmarkCase.Descriptor.WorkloadMethod.GetCustomAttribute<FloatsMovedAttribute>() is { } moved
        && benchmarkCase.Parameters["Width"] is int width
            ? Networks.ResNet18(width).Parameters.Sum(p => p.Count) * moved.PerParameter * sizeof(float) : null;
}
