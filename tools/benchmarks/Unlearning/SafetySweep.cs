using System.Diagnostics;
using System.Globalization;
using RegistryUnlearn.SampleMaker;
using RegistryUnlearn.Unlearning.Data;
using RegistryUnlearn.Unlearning.Methods;

namespace RegistryUnlearn.Benchmarks.Unlearning;

/// <summary>
/// A method with its defaults on configurations drawn at random: kind and size of the network, samples to forget (one to a fifth of all),
/// wrong or right labels, share of the retained samples that may be used. It fails where the edit costs more accuracy than it may, or
/// leaves the samples as well known as they were.
/// </summary>
static class SafetySweep
{
    public const string Usage = "safety [--method NAME] [--configurations 10] [--seed 1]";

    /// <summary>Points of test accuracy that an edit may cost beside what retrained models lose.</summary>
    const double Tolerated = 3;

    /// <summary>
    /// Share of the distance between original and retrained models that an edit must go at least, for a set that is not to stay as
    /// memorised as it was.
    /// </summary>
    const double Least = 0.25;

    /// <summary>Mean confidences (log-odds) this close to the retrained models' leave nothing that could be told from chance.</summary>
    const double Negligible = 2;

    const int Oracles = 3;

    public static void Run(string[] args)
    {
        var (method, count, seed) = ("match", 10, 1UL);
        for (var i = 0; i < args.Length; i++)
        {
            switch (args[i])
            {
                case "--method" when i + 1 < args.Length: method = args[++i]; break;
                case "--configurations" when i + 1 < args.Length: count = int.Parse(args[++i], CultureInfo.InvariantCulture); break;
                case "--seed" when i + 1 < args.Length: seed = ulong.Parse(args[++i], CultureInfo.InvariantCulture); break;
                default: throw new ArgumentException($"unknown option {args[i]}; usage: {Usage}");
            }
        }
        var chosen = MethodCatalog.Find(method) ?? throw new ArgumentException($"there is no method {method}; usage: {Usage}");
        var digits = DigitsLab.ReadAll();
        Console.WriteLine("| network | width | train | forget | labels | retained | holdout | test %: original, edited, retrained "
            + "| confidence on forget: original, edited, retrained | way gone | s | |");
        Console.WriteLine("|---|--:|--:|--:|---|--:|--:|---|---|--:|--:|---|");
        var failures = 0;
        for (var i = 0; i < count; i++)
            failures += Try(Configuration.Draw(seed, i), chosen, digits) ? 0 : 1;
        Console.WriteLine(failures is 0 ? "All within bounds." : $"{failures} of {count} out of bounds.");
        Environment.ExitCode = failures is 0 ? 0 : 1;
    }

    static bool Try(Configuration c, IUnlearningMethod method, Digit[] digits)
    {
        var model = c.Network switch
        {
            "convolutional" => Networks.Convolutional(c.Width),
            "attention" => Networks.Attention(c.Width),
            _ => Networks.Tabular(c.Width),
        };
        Rng.For(c.Seed, "safety/split", 0).Shuffle(digits.AsSpan());
        var train = Data(digits[..c.Train], c);
        var holdout = Data(digits[c.Train..(c.Train + c.Holdout)], c with { Wrong = false });
        var test = Data(digits[(c.Train + c.Holdout)..], c with { Wrong = false }).All("test");
        var forget = train.Select([.. Enumerable.Range(0, c.Forget).Select(r => (long)r)], "forget");
        var rest = train.All("training").Except(forget, "retained");

        using var original = DigitsLab.Train(model, train.All("training"), c.Seed);
        double oracleTest = 0, oracleConfidence = 0;
        for (var o = 1UL; o <= Oracles; o++)
        {
            using var oracle = DigitsLab.Train(model, rest, c.Seed + 1000 * o);
            oracleTest += DigitsLab.Accuracy(model, oracle, test) / Oracles;
            oracleConfidence += DigitsLab.Confidence(model, oracle, forget) / Oracles;
        }
        var watch = Stopwatch.StartNew();
        var task = new UnlearningTask(
            model, original, Networks.Classes, forget, rest.Sample(c.Retained, c.Seed, "retained"), holdout.All("holdout"), c.Train, c.Seed);
        using var run = method.Start(task, method.ReadOptions(new OptionReader(default, "options", [])));
        while (!run.IsDone)
            run.Advance();
        var seconds = watch.Elapsed.TotalSeconds;

        var (before, after) = (DigitsLab.Accuracy(model, original, test), DigitsLab.Accuracy(model, run.Result, test));
        var (known, left) = (DigitsLab.Confidence(model, original, forget), DigitsLab.Confidence(model, run.Result, forget));
        var gone = (known - left) / (known - oracleConfidence);
        var collapsed = after < Math.Min(before, oracleTest) - Tolerated;
        var remains = known - oracleConfidence > Negligible && gone < Least;
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture,
            $"| {c.Network} | {c.Width} | {c.Train} | {c.Forget} | {(c.Wrong ? "wrong" : "right")} | {c.Retained:P0} | {c.Holdout} "
            + $"| {before:0.0}, {after:0.0}, {oracleTest:0.0} | {known:0.0}, {left:0.0}, {oracleConfidence:0.0} | {gone:0.00} | {seconds:0.0} "
            + $"| {(collapsed ? "collapsed" : remains ? "remains" : "")} |"));
        foreach (var note in run.Notes)
            Console.Error.WriteLine(note);
        return !collapsed && !remains;
    }

    /// <summary>The first <c>Forget</c> samples have the class after their own where labels are to be wrong.</summary>
    static DataSet Data(Digit[] digits, Configuration c)
    {
        long[] labels = [.. digits.Select((d, i) => c.Wrong && i < c.Forget ? (d.Label + 1) % Digit.Classes : (long)d.Label)];
        return DigitsLab.Data(digits, labels, c.Network is "tabular" ? [64] : [1, Digit.Side, Digit.Side]);
    }

    /// <summary>What is drawn at random of one trial.</summary>
    /// <param name="Retained">Share of the retained samples that may be used.</param>
    sealed record Configuration(
        ulong Seed, string Network, int Width, int Train, int Forget, bool Wrong, double Retained, int Holdout)
    {
        static readonly string[] Kinds = ["convolutional", "tabular", "attention"];

        static readonly double[] Shares = [0.05, 0.1, 0.3, 1];

        public static Configuration Draw(ulong seed, int number)
        {
            var rng = Rng.For(seed, "safety", number);
            var train = 300 + rng.NextInt32(900);
            // Every third trial forgets a single sample, the commonest request; the others up to a fifth, small numbers as often as large.
            var forget = number % 3 is 0 ? 1 : (int)Math.Round(Math.Exp(rng.NextDouble() * Math.Log(0.2 * train)));
            return new(
                seed * 100 + (ulong)number, Kinds[rng.NextInt32(Kinds.Length)],
                8 << rng.NextInt32(3), train, Math.Max(1, forget), rng.NextInt32(2) is 0,
                Shares[rng.NextInt32(Shares.Length)], 100 + rng.NextInt32(200));
        }
    }
}
