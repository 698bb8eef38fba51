using RegistryUnlearn.Onnx.Gradients;
using RegistryUnlearn.Onnx.Graphs;
using RegistryUnlearn.Onnx.Lowering;
using RegistryUnlearn.Onnx.Proto;

namespace RegistryUnlearn.Onnx.Tests.Graphs;

public sealed class GraphBuilderTests
{
    [Fact]
    public void Only_what_outputs_need_is_built()
    {
        var g = new GraphBuilder(17);
        var x = g.Input("x", TensorType.Float(2));
        g.Output("y", g.Add(x, g.Scalar(1)));
        g.Mul(x, g.Scalar(7));
        var graph = g.Build().Graph;
        Assert.Equal(["Add", "Identity"], graph.Node.Select(n => n.OpType));
        Assert.Equal([1f], graph.Initializer.Select(t => Tensors.SingleFloat(t)!.Value));
        Assert.Equal(["x"], graph.Input.Select(i => i.Name));
        Assert.Equal(["y"], graph.Output.Select(o => o.Name));
    }

    [Fact]
    public void Equal_constants_are_stored_once()
    {
        var g = new GraphBuilder(17);
        Assert.Equal(g.Scalar(2), g.Scalar(2));
        Assert.Equal(g.Ints(1, -1), g.Ints(1, -1));
        Assert.NotEqual(g.Scalar(0f), g.Scalar(-0f));
        Assert.NotEqual(g.Ints(1), g.Ints(1, 1));
        Assert.NotEqual(g.Ints(), g.Ints(0));
        Assert.Equal(8, g.Initializers.Count);
    }

    [Fact]
    public void Constants_that_only_a_body_reads_are_kept()
    {
        var g = new GraphBuilder(17);
        var seven = g.Scalar(7);
        AttributeProto Body(string name)
        {
            var body = new GraphProto
            {
                Name = name,
                Node = { new NodeProto { OpType = "Neg", Input = { seven.Name }, Output = { name } } },
            };
            body.Output.Add(TensorType.Float().ToValueInfo(name));
            return new() { Name = name, Type = AttributeProto.Types.AttributeType.Graph, G = body };
        }
        var y = g.Add("If", [g.Input("condition", new(TensorProto.Types.DataType.Bool, []))], Body("then_branch"), Body("else_branch"));
        Assert.Equal([-7f], Evaluation.Once(g, new Dictionary<string, Tensor> { ["condition"] = new(new[] { true }) }, y)[0].Floats);
    }

    [Fact]
    public void Integers_behind_a_value_are_found()
    {
        var g = new GraphBuilder(17);
        var fromList = g.Add("Constant", [], Attributes.Of("value_ints", [1L, 2]));
        var fromTensor = g.Add("Constant", [], Attributes.Of("value", Tensors.Of([3L], 1)));
        var narrow = g.Constant(new TensorProto { DataType = (int)TensorProto.Types.DataType.Int32, Dims = { 2 }, Int32Data = { 4, 5 } });
        Assert.Equal([1, 2], g.ConstantInts(fromList)!);
        Assert.Equal([3], g.ConstantInts(fromTensor)!);
        Assert.Equal([4, 5], g.ConstantInts(narrow)!);
        Assert.Equal([6], g.ConstantInts(g.Ints(6))!);
        Assert.Null(g.ConstantInts(g.Scalar(1)));
        Assert.Null(g.ConstantInts(g.Input("x", TensorType.Int64(1))));
        Assert.Equal(1.5f, g.ConstantFloat(g.Scalar(1.5f)));
        Assert.Null(g.ConstantFloat(fromTensor));
    }

    [Fact]
    public void Names_are_unique()
    {
        var g = new GraphBuilder(17);
        g.Input("x", TensorType.Float(1));
        Assert.Equal("the graph has a value named 'x' already",
            Assert.Throws<InvalidOperationException>(() => g.Initializer("x", Tensors.Scalar(1))).Message);
        Assert.Equal(g.Nodes.Count + 3, new[] { g.Exp(new("x")), g.Exp(new("x")), g.Neg(new("x")) }.Distinct().Count());
    }

    [Fact]
    public void Old_operator_sets_are_refused() =>
        Assert.StartsWith("graphs are written for operator set 17 or newer",
            Assert.Throws<ArgumentOutOfRangeException>(() => new GraphBuilder(16)).Message);

    /// <summary>Every operator of the vocabulary, and every adjoint operator behind a gradient, in the forms of the operator set.</summary>
    [Theory, InlineData(17), InlineData(18), InlineData(21), InlineData(22)]
    public void Gradients_are_standard_operators_that_ONNX_Runtime_loads(int opset)
    {
        var g = new GraphBuilder(opset);
        Value x = g.Input("x", TensorType.Float("N", 2, 6, 6)), w = g.Input("w", TensorType.Float(3, 2, 3, 3));
        AttributeProto[] window = [Attributes.Of("kernel_shape", [2L, 2]), Attributes.Of("strides", [2L, 2])];
        var y = g.Add("AveragePool", [g.Add("MaxPool", [g.Add("Conv", [x, w])], window)], window);
        y = g.Add(g.Slice(y, [0], [2], [1], [1]), g.Concat([g.ReduceMax(y, [1], keep: true), g.ReduceMean(y, [1], keep: true)], 1));
        var differentiator = new Differentiator(g);
        var first = differentiator.Gradients(g.SumAll(g.Mul(y, y)), [x, w]);
        var second = differentiator.Gradients(g.Add(g.SumAll(g.Mul(first[0], first[0])), g.SumAll(g.Mul(first[1], first[1]))), [x, w]);
        Assert.Contains(g.Nodes, n => n.Domain == Adjoint.Domain);

        var results = Evaluation.Once(g, new Dictionary<string, Tensor> { ["x"] = Ramp(1, 2, 6, 6), ["w"] = Ramp(3, 2, 3, 3) }, second);
        Assert.Equal([1, 2, 6, 6], results[0].Shape);
        Assert.Equal([3, 2, 3, 3], results[1].Shape);
        Assert.All(results, r => Assert.Contains(r.Floats, v => v != 0 && float.IsFinite(v)));
        Assert.Equal(opset, g.Build().OpsetImport.Single(o => o.Domain == "").Version);
    }

    [Theory]
    [InlineData(17, 1, "axes keepdims")]
    [InlineData(18, 2, "keepdims")]
    [InlineData(21, 2, "keepdims")]
    [InlineData(22, 2, "keepdims")]
    public void Axes_of_reductions_follow_the_operator_set(int opset, int inputs, string attributes)
    {
        var g = new GraphBuilder(opset);
        g.ReduceMean(g.Input("x", TensorType.Float(2, 3)), [1], keep: false);
        Assert.Equal((inputs, attributes), (g.Nodes[0].Input.Count, string.Join(' ', g.Nodes[0].Attribute.Select(a => a.Name))));
    }

    static Tensor Ramp(params long[] shape) =>
        new(Enumerable.Range(0, (int)shape.Aggregate(1L, (n, d) => n * d)).Select(i => (i * 7 % 11 - 5) / 8f).ToArray(), shape);
}
