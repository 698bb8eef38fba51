using System.Globalization;
using RegistryUnlearn.Worker.TrainingRuns;

namespace RegistryUnlearn.Cli.Output;

/// <summary>How values are spelled for people.</summary>
static class Text
{
    public static string Shape(IReadOnlyList<long> shape) => shape.Count == 0 ? "scalar" : string.Join(" x ", shape);

    public static string Number(double value) => value.ToString("G6", CultureInfo.InvariantCulture);

    public static string Count(long value) => value.ToString(CultureInfo.InvariantCulture);

    /// <summary>0.5 → 50.0 %</summary>
    public static string Percent(double share) => (100 * share).ToString("F1", CultureInfo.InvariantCulture) + " %";

    public static string Progress(TrainingProgress p) => string.Create(CultureInfo.InvariantCulture,
        $"step {p.Step}/{p.Steps}  loss {p.Loss:G4}  {p.StepsPerSecond:F1} steps/s  {p.Remaining:h\\:mm\\:ss} left");
}
