using BenchmarkDotNet.Attributes;
using RegistryUnlearn.Onnx.Graphs;
using RegistryUnlearn.Onnx.Lowering;
using RegistryUnlearn.Onnx.Proto;

namespace RegistryUnlearn.Benchmarks;

/// <summary>Forward and backward of 2×2 max pooling over disjoint windows.</summary>
public class MaxPoolGradBenchmarks
{
    GraphRun run = null!;

    /// <summary>Batch × channels @ image size.</summary>
    [Params("64x32@8", "32x16@32", "32x64@32")]
    public string Input { get; set; } = "";

    [GlobalSetup(Target = nameof(Forward))]
    public void SetupForward() => Setup((g, node, c, x, dy) => g.Mul(dy, g.Add("MaxPool", [x], c.Window)));

    [GlobalSetup(Target = nameof(Indices))]
    public void SetupIndices() => Setup((g, node, c, x, dy) => PoolLowering.Scattered(g, node, dy, x));

    [GlobalSetup(Target = nameof(Masked))]
    public void SetupMasked() => Setup((g, node, c, x, dy) => PoolLowering.Masked(g, c, dy, x));

    [Benchmark(Description = "forward")]
    public void Forward() => run.Run();

    [Benchmark(Baseline = true, Description = "backward, indices and MaxUnpool")]
    public void Indices() => run.Run();

    [Benchmark(Description = "backward, compared with the upsampled maxima")]
    public void Masked() => run.Run();

    [GlobalCleanup]
    public void Cleanup() => run.Dispose();

    void Setup(Func<GraphBuilder, NodeProto, Geometry, Value, Value, Value> body)
    {
        var numbers = Array.ConvertAll(Input.Split('x', '@'), long.Parse);
        long channels = numbers[1], size = numbers[2];
        var c = new Geometry([2, 2], [2, 2], [0, 0, 0, 0], [1, 1], [size, size], 1, channels, channels);
        var node = new NodeProto { Input = { "dy", "x" }, Attribute = { c.Complete } };
        run = new GraphRun(numbers[0], g => body(g, node, c,
            g.Input("x", TensorType.Float("n", channels, size, size)),
            g.Input("dy", TensorType.Float("n", channels, size / 2, size / 2))));
    }
}
