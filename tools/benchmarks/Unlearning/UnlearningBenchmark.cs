using System.Diagnostics;
using System.Globalization;
using System.Text.Json;
using RegistryUnlearn.Auditing;
using RegistryUnlearn.Unlearning.Methods;

namespace RegistryUnlearn.Benchmarks.Unlearning;

/// <summary>
/// Methods on cases with oracles, several seeds each: every seed draws another retained share and another holdout. Results are kept one
/// line each, so that a run that was interrupted goes on where it was.
/// </summary>
static class UnlearningBenchmark
{
    public const string Usage =
        "unlearning <case folder>... [--rows FILE] [--only NAME]... [--fractions 0.1,0.3] [--seeds 1,2,3] [--out results.jsonl]";

    static readonly JsonSerializerOptions Json = new(JsonSerializerDefaults.Web);

    public static void Run(string[] args)
    {
        var settings = Settings.Parse(args);
        var known = Read(settings.Out);
        foreach (var folder in settings.Folders)
        {
            using var @case = UnlearningCase.Load(folder);
            foreach (var fraction in settings.Fractions)
                foreach (var row in settings.Rows)
                    foreach (var seed in settings.Seeds)
                    {
                        if (known.Any(r => (r.Case, r.Fraction, r.Row, r.Seed) == (@case.Name, fraction, row.Name, seed)))
                            continue;
                        var result = Carry(@case, row, fraction, seed);
                        known.Add(result);
                        File.AppendAllText(settings.Out, JsonSerializer.Serialize(result, Json) + "\n");
                        Console.Error.WriteLine(Line(result));
                    }
        }
        Console.WriteLine(UnlearningTable.Of(known));
    }

    static UnlearningResult Carry(UnlearningCase @case, UnlearningRow row, double fraction, ulong seed)
    {
        var trial = @case.Draw(row.Fraction ?? fraction, seed);
        var before = @case.Measure(UnlearningRow.NothingDone, trial.Task.Original, trial);
        var (method, options) = row.Open();
        var start = Process.GetCurrentProcess().TotalProcessorTime;
        using var run = method.Start(trial.Task, options);
        try
        {
            while (!run.IsDone)
                run.Advance();
        }
        catch (DivergedException e)
        {
            // A row that diverges is a result: the parameters before that step are what it comes to.
            Console.Error.WriteLine($"{row.Name}: {e.Message}");
        }
        var seconds = (Process.GetCurrentProcess().TotalProcessorTime - start).TotalSeconds;
        var audit = Auditor.Audit(
            new(UnlearningRow.NothingDone, before), new(row.Name, @case.Measure(row.Name, run.Result, trial)), [], trial.Oracles, [],
            new AuditOptions(seed, Resamples: 1));
        return new(@case.Name, fraction, row.Name, seed, seconds, audit.After.Metrics, run.Notes);
    }

    static string Line(UnlearningResult r) => string.Create(CultureInfo.InvariantCulture,
        $"{r.Case} {r.Fraction:P0} {r.Row}, seed {r.Seed}: H {Metric(r, MetricCatalogue.H):0.000} H10 {Metric(r, MetricCatalogue.H10):0.000} "
        + $"RA {100 * Metric(r, MetricCatalogue.Accuracy(AuditSets.Retained)):0.0} FA {100 * Metric(r, MetricCatalogue.Accuracy(AuditSets.Forget)):0.0} "
        + $"TA {100 * Metric(r, MetricCatalogue.Accuracy(AuditSets.Test)):0.0}, {r.Seconds:0} s; {string.Join(" ", r.Notes)}");

    static double Metric(UnlearningResult result, string name) => result.Metrics.GetValueOrDefault(name, double.NaN);

    static List<UnlearningResult> Read(string file) => File.Exists(file)
        ? [.. File.ReadLines(file).Select(line => JsonSerializer.Deserialize<UnlearningResult>(line, Json)!)]
        : [];

    sealed record Settings(
        IReadOnlyList<string> Folders, IReadOnlyList<UnlearningRow> Rows, IReadOnlyList<double> Fractions, IReadOnlyList<ulong> Seeds,
        string Out)
    {
        public static Settings Parse(string[] args)
        {
            var (folders, only) = (new List<string>(), new List<string>());
            var (rows, @out) = (Path.Combine(AppContext.BaseDirectory, "Unlearning", "rows.json"), "unlearning-results.jsonl");
            var (fractions, seeds) = ("0.1", "1,2,3");
            for (var i = 0; i < args.Length; i++)
            {
                switch (args[i])
                {
                    case "--rows": rows = Value(args, ref i); break;
                    case "--only": only.Add(Value(args, ref i)); break;
                    case "--fractions": fractions = Value(args, ref i); break;
                    case "--seeds": seeds = Value(args, ref i); break;
                    case "--out": @out = Value(args, ref i); break;
                    case ['-', ..]: throw new ArgumentException($"unknown option {args[i]}; usage: {Usage}");
                    default: folders.Add(args[i]); break;
                }
            }
            if (folders.Count is 0)
                throw new ArgumentException($"name the folders of the cases; usage: {Usage}");
            return new(
                folders,
                [.. UnlearningRow.Read(rows).Where(r => only.Count is 0 || only.Contains(r.Name))],
                [.. fractions.Split(',').Select(f => double.Parse(f, CultureInfo.InvariantCulture))],
                [.. seeds.Split(',').Select(s => ulong.Parse(s, CultureInfo.InvariantCulture))],
                @out);
        }

        static string Value(string[] args, ref int i) =>
            ++i < args.Length ? args[i] : throw new ArgumentException($"{args[i - 1]} needs a value; usage: {Usage}");
    }
}
