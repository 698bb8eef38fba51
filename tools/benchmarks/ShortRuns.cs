using BenchmarkDotNet.Columns;
using BenchmarkDotNet.Configs;
using BenchmarkDotNet.Diagnosers;
using BenchmarkDotNet.Exporters;
using BenchmarkDotNet.Jobs;
using BenchmarkDotNet.Loggers;
using BenchmarkDotNet.Toolchains.InProcess.Emit;
using Perfolizer.Horology;

namespace RegistryUnlearn.Benchmarks;

/// <summary>
/// Seven iterations of some 60 ms per benchmark in one process, which is how the product runs: all of them share one ONNX Runtime
/// environment. Medians, since other work on the machine disturbs the mean.
/// </summary>
sealed class ShortRuns : ManualConfig
{
    public ShortRuns()
    {
        AddJob(Job.Default.WithToolchain(InProcessEmitToolchain.Instance).WithWarmupCount(2).WithIterationCount(7)
            .WithIterationTime(TimeInterval.FromMilliseconds(60)).WithMinInvokeCount(1).WithUnrollFactor(1));
        AddDiagnoser(new MemoryDiagnoser(new MemoryDiagnoserConfig(displayGenColumns: false)));
        AddColumnProvider(DefaultColumnProviders.Descriptor, DefaultColumnProviders.Params, DefaultColumnProviders.Metrics);
        AddColumn(StatisticColumn.Min, StatisticColumn.Median, BaselineRatioColumn.RatioMean, new ThroughputColumn());
        AddExporter(MarkdownExporter.GitHub);
        AddLogger(ConsoleLogger.Default);
        WithOptions(ConfigOptions.DisableLogFile);
    }
}
