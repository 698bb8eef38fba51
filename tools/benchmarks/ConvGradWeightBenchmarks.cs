using BenchmarkDotNet.Attributes;
using RegistryUnlearn.Onnx.Graphs;
using RegistryUnlearn.Onnx.Lowering;

namespace RegistryUnlearn.Benchmarks;

/// <summary>The formulations of the weight gradient of a convolution side by side, for layers of the networks measured here.</summary>
public class ConvGradWeightBenchmarks
{
    GraphRun run = null!;

    /// <summary>channels → filters @ image size, kernel, stride, batch.</summary>
    [Params("1-16@8 k3", "16-32@8 k3", "3-64@32 k3", "64-64@32 k3", "256-256@8 k3", "64-128@32 k3 s2", "64-128@32 k1 s2", "256-256@16 k1")]
    public string Layer { get; set; } = "";

    [GlobalSetup(Target = nameof(PerImage))]
    public void SetupPerImage() => Setup(ConvGradWeight.PerImage);

    [GlobalSetup(Target = nameof(Gathered))]
    public void SetupGathered() => Setup(ConvGradWeight.Gathered);

    [GlobalSetup(Target = nameof(Shifted))]
    public void SetupShifted() => Setup(ConvGradWeight.Shifted);

    [GlobalSetup(Target = nameof(Swapped))]
    public void SetupSwapped() => Setup(ConvGradWeight.Swapped);

    [Benchmark(Description = "patches per image")]
    public void PerImage() => run.Run();

    [Benchmark(Baseline = true, Description = "patches of all images")]
    public void Gathered() => run.Run();

    [Benchmark(Description = "one product per tap")]
    public void Shifted() => run.Run();

    [Benchmark(Description = "convolution, roles swapped")]
    public void Swapped() => run.Run();

    [GlobalCleanup]
    public void Cleanup() => run.Dispose();

    void Setup(Func<GraphBuilder, Geometry, Value, Value, Value> lower)
    {
        var words = Layer.Split('-', '@', ' ');
        long channels = long.Parse(words[0]), filters = long.Parse(words[1]);
        long size = long.Parse(words[2]), kernel = long.Parse(words[3][1..]);
        var stride = words.Length > 4 ? long.Parse(words[4][1..]) : 1;
        long pad = kernel / 2, batch = size == 8 && channels < 64 ? 64 : 32;
        var c = new Geometry([kernel, kernel], [stride, stride], [pad, pad, pad, pad], [1, 1], [size, size], 1, channels, filters);
        run = new GraphRun(batch, g => lower(g, c,
            g.Input("x", TensorType.Float("n", channels, size, size)), g.Input("dy", TensorType.Float("n", filters, c.Out(0), c.Out(1)))));
    }
}
