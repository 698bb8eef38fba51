using System.Globalization;
using RegistryUnlearn.SampleMaker;
using RegistryUnlearn.Training.Buffers;
using RegistryUnlearn.Unlearning.Data;
using RegistryUnlearn.Unlearning.Methods;

namespace RegistryUnlearn.Benchmarks.Unlearning;

/// <summary>
/// Many small requests one after the other, each on the result of the one before, against one request for all of them and models retrained
/// without any of the samples: how far a lineage drifts.
/// </summary>
static class SequentialErasures
{
    public const string Usage = "sequential [--method NAME] [--requests 20] [--samples 5] [--seed 1]";

    const int Trained = 800, Held = 250, Width = 16, Oracles = 5;

    /// <summary>Share of the retained samples that every request may use.</summary>
    const double Retained = 0.1;

    public static void Run(string[] args)
    {
        var (method, requests, samples, seed) = ("match", 20, 5, 1UL);
        for (var i = 0; i < args.Length; i++)
        {
            switch (args[i])
            {
                case "--method" when i + 1 < args.Length: method = args[++i]; break;
                case "--requests" when i + 1 < args.Length: requests = int.Parse(args[++i], CultureInfo.InvariantCulture); break;
                case "--samples" when i + 1 < args.Length: samples = int.Parse(args[++i], CultureInfo.InvariantCulture); break;
                case "--seed" when i + 1 < args.Length: seed = ulong.Parse(args[++i], CultureInfo.InvariantCulture); break;
                default: throw new ArgumentException($"unknown option {args[i]}; usage: {Usage}");
            }
        }
        var chosen = MethodCatalog.Find(method) ?? throw new ArgumentException($"there is no method {method}; usage: {Usage}");
        var digits = DigitsLab.ReadAll();
        Rng.For(seed, "sequential/split", 0).Shuffle(digits.AsSpan());
        var train = Data(digits[..Trained]);
        var holdout = Data(digits[Trained..(Trained + Held)]).All("holdout");
        var test = Data(digits[(Trained + Held)..]).All("test");
        var model = Networks.Convolutional(Width);
        var all = Rows(train, 0, requests * samples);
        var rest = train.All("training").Except(all, "retained");

        using var original = DigitsLab.Train(model, train.All("training"), seed);
        Console.WriteLine("| | test % | all forget samples: % known | confidence | other training samples: % known |");
        Console.WriteLine("|---|--:|--:|--:|--:|");
        Print("original", original);
        for (var o = 1UL; o <= Oracles; o++)
        {
            using var oracle = DigitsLab.Train(model, rest, seed + 1000 * o);
            Print($"retrained without all, {o}", oracle);
        }
        using (var once = Erase(original, all, rest))
            Print($"one request for {all.Count}", once);
        var present = original.Clone();
        for (var r = 0; r < requests; r++)
        {
            var forget = Rows(train, r * samples, (r + 1) * samples);
            var gone = Rows(train, 0, (r + 1) * samples);
            var next = Erase(present, forget, train.All("training").Except(gone, "retained"));
            present.Dispose();
            present = next;
            if ((r + 1) % 5 is 0 || r + 1 == requests)
                Print($"after {r + 1} requests for {samples} each", present);
        }
        present.Dispose();

        TensorBlock Erase(TensorBlock from, Subset forget, Subset kept)
        {
            var task = new UnlearningTask(
                model, from, Networks.Classes, forget, kept.Sample(Retained, seed, "retained"), holdout, forget.Count + kept.Count, seed);
            using var run = chosen.Start(task, chosen.ReadOptions(new OptionReader(default, "options", [])));
            while (!run.IsDone)
                run.Advance();
            return run.Result.Clone();
        }

        void Print(string name, TensorBlock parameters) => Console.WriteLine(string.Create(CultureInfo.InvariantCulture,
            $"| {name} | {DigitsLab.Accuracy(model, parameters, test):0.0} | {DigitsLab.Accuracy(model, parameters, all):0.0} "
            + $"| {DigitsLab.Confidence(model, parameters, all):0.0} | {DigitsLab.Accuracy(model, parameters, rest):0.0} |"));
    }

    static DataSet Data(Digit[] digits) => DigitsLab.Data(digits, [.. digits.Select(d => (long)d.Label)], 1, Digit.Side, Digit.Side);

    static Subset Rows(DataSet data, int from, int to) => data.Select([.. Enumerable.Range(from, to - from).Select(r => (long)r)], "forget");
}
