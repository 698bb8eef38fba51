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
    [Params("64x32@8", "32x64@32")]
    public string Input { get; set; } = "";

    [GlobalSetup(Target = nameof(Forward))]
    public void SetupForward() => Setup((g, node, c, x, dy) => g.Mul(dy, g.Add("MaxPool", [x], c.Window)));

    [GlobalSetup(Target = nameof(Chosen))]
    public void SetupChosen() => Setup((g, node, c, x, dy) => PoolLowering.MaxPoolGrad(g, node));

    [GlobalSetup(Target = nameof(Masked))]
    public void SetupMasked() => Setup((g, node, c, x, dy) => MaskedGrad(g, c, x, dy));

    [Benchmark(Description = "forward")]
    public void Forward() => run.Run();

    [Benchmark(Baseline = true, Description = "backward, chosen")]
    public void Chosen() => run.Run();

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

    /// <summary>Without indices: of the elements that equal their window's maximum, the one with the largest rank is the first.</summary>
    static Value MaskedGrad(GraphBuilder g, Geometry c, Value x, Value dy)
    {
        var ranks = new float[c.In[0] * c.In[1]];
        for (var i = 0; i < ranks.Length; i++)
            ranks[i] = c.Taps - (i / c.In[1] % c.Kernel[0] * c.Kernel[1] + i % c.In[1] % c.Kernel[1]);
        var isMaximum = g.Cast(g.Equal(x, Upsample(g.Add("MaxPool", [x], c.Window))));
        var ranked = g.Mul(isMaximum, g.Constant(Tensors.Of(ranks, c.In)));
        var first = g.Cast(g.Equal(ranked, Upsample(g.Add("MaxPool", [ranked], c.Window))));
        return g.Mul(first, Upsample(dy));

        Value Upsample(Value value) => g.Add("Resize",
            [value, default, g.Constant(Tensors.Of([1f, 1f, c.Kernel[0], c.Kernel[1]], 4))],
            Attributes.Of("mode", "nearest"), Attributes.Of("coordinate_transformation_mode", "asymmetric"),
            Attributes.Of("nearest_mode", "floor"));
    }
}
