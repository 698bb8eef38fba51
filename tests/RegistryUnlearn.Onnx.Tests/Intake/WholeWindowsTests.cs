using RegistryUnlearn.Onnx.Gradients;
using RegistryUnlearn.Onnx.Graphs;
using RegistryUnlearn.Onnx.Models;
using RegistryUnlearn.Onnx.Proto;
using RegistryUnlearn.Onnx.Tests.Graphs;
using RegistryUnlearn.Onnx.Tests.Models;

namespace RegistryUnlearn.Onnx.Tests.Intake;

/// <summary>Pooling that rounds up: ONNX Runtime's own result, the type of that result, and derivatives.</summary>
public sealed class WholeWindowsTests
{
    public static TheoryData<string, long, long, long, long, long, long> Windows => new(
        from op in new[] { "MaxPool", "AveragePool", "AveragePool count_include_pad", "LpPool" }
        from window in new (long Kernel, long Stride, long Front, long Back, long Dilation)[]
            {
                (2, 3, 1, 1, 1), (3, 4, 1, 1, 1), (2, 3, 0, 1, 1), (2, 2, 1, 1, 1), (3, 2, 0, 0, 1), (3, 2, 1, 2, 1), (3, 1, 2, 2, 1),
                (1, 2, 0, 0, 1), (3, 2, 0, 0, 2), (3, 2, 1, 1, 2), (3, 3, 2, 0, 2), (2, 2, 1, 0, 3), (4, 4, 1, 0, 2),
            }
        from size in new long[] { 4, 5, 6, 7, 8 }
        where size + window.Front + window.Back > (window.Kernel - 1) * window.Dilation
        select (op, window.Kernel, window.Stride, window.Front, window.Back, window.Dilation, size));

    [Theory, MemberData(nameof(Windows))]
    public void Same_windows_and_derivatives(string op, long kernel, long stride, long front, long back, long dilation, long size)
    {
        var model = Model(op, kernel, stride, front, back, dilation, size);
        var x = Distinct(2, 3, size, 5);
        var feeds = new Dictionary<string, Tensor> { ["x"] = x, ["v"] = x };
        using var stock = new Evaluation(model);
        var expected = stock.Run(new Dictionary<string, Tensor> { ["x"] = x })["y"];

        var forward = new ForwardModel(model, "x", "y", [3, size, 5], [], t => t);
        Assert.Equal(["batch", .. expected.Shape.Skip(1).Select(d => d.ToString())], forward.OutputType().Shape.Select(d => d.ToString()));
        var g = forward.NewGraph();
        var input = forward.AddInput(g, "x", "N");
        var y = forward.Append(g, "", input, []);
        var differentiator = new Differentiator(g);
        var f = g.SumAll(g.Mul(y, y));
        var gradient = differentiator.Gradients(f, [input])[0];
        var direction = g.Input("v", TensorType.Float("N", 3, size, 5));
        var product = differentiator.Gradients(g.SumAll(g.Mul(gradient, direction)), [input])[0];
        var results = Evaluation.Once(g, feeds, y, f, gradient, product);

        Assert.Equal(expected.Shape, results[0].Shape);
        Assert.All(expected.Floats.Zip(results[0].Floats), p => Assert.Equal(p.First, p.Second, 1e-5f));
        // f is homogeneous of degree two (Euler): x · ∇f = 2 f, and ∇²f · x = ∇f.
        Assert.Equal(2 * results[1].Floats[0], x.Floats.Zip(results[2].Floats, (a, b) => a * b).Sum(), 1e-4f * results[1].Floats[0]);
        Assert.All(results[2].Floats.Zip(results[3].Floats), p => Assert.Equal(p.First, p.Second, 1e-4f * (1 + Math.Abs(p.First))));
    }

    /// <summary>ONNX Runtime takes no padding as wide as the kernel, gaps or not.</summary>
    [Fact]
    public void Windows_with_wide_gaps_round_up_by_themselves()
    {
        var node = Build.Node("MaxPool x -> y",
            Ints("kernel_shape", 2, 2), Ints("dilations", 3, 1), Ints("strides", 4, 1), Of("ceil_mode", 1L));
        var forward = new ForwardModel(Build.Model(node).With("x: N, 3, 9, 5", "y: N, 3, M, K"), "x", "y", [3, 9, 5], [], t => t);
        Assert.Equal("float[batch,3,3,4]", forward.OutputType().ToString());
    }

    public static TheoryData<string, AttributeProto[]> Senseless => new()
    {
        { "no kernel", [] },
        { "strides of another rank", [Ints("kernel_shape", 2, 2), Ints("strides", 2)] },
        { "pads of another rank", [Ints("kernel_shape", 2, 2), Ints("pads", 1, 1)] },
        { "dilations of another rank", [Ints("kernel_shape", 2, 2), Ints("dilations", 1)] },
    };

    [Theory, MemberData(nameof(Senseless), DisableDiscoveryEnumeration = true)]
    public void What_is_no_pooling_is_left_to_ONNX_Runtime_to_refuse(string problem, AttributeProto[] attributes)
    {
        var model = Build.Model(Build.Node("MaxPool x -> y", [.. attributes, Of("ceil_mode", 1L)])).With("x: N, 3, 9, 5", "y: N, 3, M, K");
        var forward = new ForwardModel(model, "x", "y", [3, 9, 5], [], t => t);
        var refusal = Assert.Throws<OnnxModelException>(forward.OutputType);
        Assert.True(refusal.Message.StartsWith("ONNX Runtime does not accept the graph: ", StringComparison.Ordinal), problem);
    }

    static ModelProto Model(string op, long kernel, long stride, long front, long back, long dilation, long size)
    {
        List<AttributeProto> attributes =
            [Ints("kernel_shape", kernel, 2), Ints("strides", stride, 1), Ints("pads", front, 0, back, 1), Of("ceil_mode", 1L)];
        if (dilation > 1)
            attributes.Add(Ints("dilations", dilation, 1));
        if (op.Contains(' '))
            attributes.Add(Of("count_include_pad", 1L));
        var model = Build.Model(Build.Node($"{op.Split(' ')[0]} x -> y", [.. attributes])).With($"x: N, 3, {size}, 5", "y: N, 3, M, K");
        model.OpsetImport[0].Version = 19;
        return model;
    }

    /// <summary>No two elements alike, so that every maximum is one element.</summary>
    static Tensor Distinct(params long[] shape)
    {
        var count = (int)shape.Aggregate(1L, (n, d) => n * d);
        return new(Enumerable.Range(0, count).Select(i => (i * 37 % 211 - 90) / 50f).ToArray(), shape);
    }

    static AttributeProto Ints(string name, params long[] values) => Attributes.Of(name, (IEnumerable<long>)values);

    static AttributeProto Of(string name, long value) => Attributes.Of(name, value);
}
