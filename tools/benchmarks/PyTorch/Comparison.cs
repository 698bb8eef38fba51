using System.Globalization;
using System.Text.Json;

namespace RegistryUnlearn.Benchmarks.PyTorch;

/// <summary>One row of the comparison. Times in ms, memory in MiB; ratios are this engine's value divided by PyTorch's.</summary>
/// <param name="Ratio">Median over the rounds of the ratio of the two medians within a round.</param>
/// <param name="FastRatio">Ratio of the tenth percentiles of all steps: what is left where other work disturbs the medians.</param>
sealed record Row(string Network, string Step, int Batch, double Ours, double PyTorch, double Ratio, double FastRatio,
    double OurMemory, double PyTorchMemory)
{
    public double MemoryRatio => OurMemory / PyTorchMemory;
}

/// <summary>
/// Steps of this engine beside the same steps in PyTorch, on the same exported networks. Both sides are processes that live through a
/// case; they take turns in blocks, so that other work on the machine meets both.
/// </summary>
static class Comparison
{
    static readonly JsonSerializerOptions Json = new(JsonSerializerDefaults.Web) { WriteIndented = true };

    static readonly (string Network, string Step, int Batch)[] Cases =
        [.. from network in new[] { "cnn", "vit", "resnet18" } from step in new[] { "train", "unlearn" } from batch in new[] { 32, 64 }
            where step == "train" || batch == 32 select (network, step, batch)];

    /// <param name="args">Names of networks or steps to keep, <c>--rounds N</c>, <c>--python PROGRAM</c>, <c>--json FILE</c>.</param>
    public static void Run(string[] args)
    {
        string Option(string name, string otherwise) => Array.IndexOf(args, name) is >= 0 and var i ? args[i + 1] : otherwise;
        var python = Option("--python", "python3");
        var rounds = int.Parse(Option("--rounds", "7"), CultureInfo.InvariantCulture);
        var scripts = Path.Combine(AppContext.BaseDirectory, "PyTorch", "server.py");
        var folder = Directory.CreateTempSubdirectory("registry-unlearn-benchmark-");
        var rows = new List<Row>();
        try
        {
            Console.WriteLine("network   step     batch        ours     PyTorch   ratio  (p10)   memory ours  PyTorch  ratio");
            foreach (var (network, step, batch) in Cases.Where(c => Kept(c.Network) && Kept(c.Step)))
            {
                var file = Path.Combine(folder.FullName, network + ".onnx");
                if (!File.Exists(file))
                    Export(python, scripts, network, file);
                rows.Add(Measure(network, step, batch, rounds,
                    () => new Side(Environment.ProcessPath!, "serve", file, $"{batch}", step),
                    () => new Side(python, scripts, "serve", network, $"{batch}", step)));
                Console.WriteLine(Text(rows[^1]));
            }
            if (Option("--json", "") is { Length: > 0 } json)
                File.WriteAllText(json, JsonSerializer.Serialize(rows, Json));
        }
        finally
        {
            folder.Delete(recursive: true);
        }

        bool Kept(string name)
        {
            var asked = args.TakeWhile(a => !a.StartsWith("--", StringComparison.Ordinal)).ToList();
            string[] kind = name is "train" or "unlearn" ? ["train", "unlearn"] : ["cnn", "vit", "resnet18"];
            return !asked.Intersect(kind).Any() || asked.Contains(name);
        }
    }

    static void Export(string python, string scripts, string network, string file)
    {
        using var export = System.Diagnostics.Process.Start(python, [scripts, "export", network, file]);
        export.WaitForExit();
        if (export.ExitCode != 0)
            throw new InvalidOperationException($"{python} cannot export {network}; it needs PyTorch (python3-torch)");
    }

    static Row Measure(string network, string step, int batch, int rounds, Func<Side> startOurs, Func<Side> startTheirs)
    {
        using Side ours = startOurs(), theirs = startTheirs();
        var perBlock = Math.Clamp((int)(1000 / Math.Max(ours.Run(3).Min(), theirs.Run(3).Min())), 3, 60);
        List<double> ourTimes = [], theirTimes = [], ratios = [];
        for (var round = 0; round < rounds; round++)
        {
            var (a, b) = (Block(ours), Block(theirs));
            ourTimes.AddRange(a);
            theirTimes.AddRange(b);
            ratios.Add(Quantile(a, 0.5) / Quantile(b, 0.5));
        }
        return new(network, step, batch, Quantile(ourTimes, 0.5), Quantile(theirTimes, 0.5), Quantile(ratios, 0.5),
            Quantile(ourTimes, 0.1) / Quantile(theirTimes, 0.1), ours.PeakMemory(), theirs.PeakMemory());

        // The pause lets the other side's idle threads fall asleep; the first step of a block wakes this side's own.
        double[] Block(Side side)
        {
            Thread.Sleep(100);
            return side.Run(perBlock + 1)[1..];
        }
    }

    static double Quantile(IEnumerable<double> values, double share)
    {
        var sorted = values.Order().ToArray();
        return sorted[(int)(share * (sorted.Length - 1))];
    }

    static string Text(Row r) => string.Create(CultureInfo.InvariantCulture,
        $"{r.Network,-9} {r.Step,-8} {r.Batch,5} {r.Ours,8:0.00} ms {r.PyTorch,8:0.00} ms   {r.Ratio:0.00}   {r.FastRatio:0.00} "
        + $"{r.OurMemory,9:0} MiB {r.PyTorchMemory,4:0} MiB   {r.MemoryRatio:0.00}");
}
