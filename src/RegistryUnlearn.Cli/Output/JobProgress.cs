using System.Globalization;
using RegistryUnlearn.Unlearning.Methods;
using RegistryUnlearn.Worker.Jobs;

namespace RegistryUnlearn.Cli.Output;

/// <summary>Shows what a job is doing on standard error.</summary>
sealed class JobProgress(Streams streams, TimeProvider clock) : IJobProgress, IDisposable
{
    readonly long start = clock.GetTimestamp();
    ProgressLine line = new(streams, clock);

    public void Stage(string name) => Say($"{Elapsed()}  {name}");

    public void Note(string text) => Say($"{Elapsed()}    {text}");

    public void Step(string what, int done, int total, StepTrace trace) => line.Show(
        () =>
        {
            var culture = CultureInfo.InvariantCulture;
            var forget = trace.ForgetLoss is { } loss ? string.Create(culture, $"  forget {loss:G4}") : "";
            var cosine = trace.Cosine is { } cos ? string.Create(culture, $"  cosine {cos:F2}") : "";
            return string.Create(culture,
                $"{Elapsed()}    {what} {Bar(done, total)} step {done}/{total}  remember {trace.RememberLoss:G4}{forget}{cosine}");
        },
        done == total);

    void Say(string text)
    {
        line.Dispose();
        line = new ProgressLine(streams, clock);
        streams.Error.WriteLine(Printable.Of(text));
    }

    string Elapsed() => string.Create(CultureInfo.InvariantCulture, $"{clock.GetElapsedTime(start).TotalSeconds,6:F1} s");

    static string Bar(int done, int total)
    {
        const int Width = 20;
        var filled = (int)((long)Width * done / Math.Max(1, total));
        return $"[{new string('#', filled)}{new string('.', Width - filled)}]";
    }

    public void Dispose() => line.Dispose();
}
