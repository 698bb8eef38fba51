using RegistryUnlearn.Onnx.Gradients;
using RegistryUnlearn.Onnx.Graphs;
using RegistryUnlearn.Onnx.Models;
using RegistryUnlearn.Onnx.Proto;

namespace RegistryUnlearn.Onnx.Tests.Graphs;

public sealed class TypeOracleTests
{
    /// <summary>Behind this Reshape, ONNX Runtime itself knows no name of the first size.</summary>
    [Fact]
    public void Types_become_part_of_the_model()
    {
        var g = new GraphBuilder(17);
        var y = g.Reshape(g.Input("x", TensorType.Float("N", 2, 3)), -1, 6);
        g.Output("y", g.Exp(y));
        new TypeOracle().Update(g);
        var declared = Assert.Single(g.Build().Graph.ValueInfo, v => v.Name == y.Name).Type.TensorType.Shape.Dim;
        Assert.Equal(("N", 6), (declared[0].DimParam, declared[1].DimValue));
    }

    readonly GraphBuilder g = new(17);

    [Fact]
    public void Symbols_pass_through_a_reshape_with_a_computed_shape()
    {
        var x = g.Input("x", TensorType.Float("N", 2, 3));
        var y = g.Reshape(x, g.Concat([g.Gather(g.Shape(x), g.Ints(0), 0), g.Ints(-1)], 0));
        Assert.Equal("float[N,6]", TypeOf(y));
    }

    [Fact]
    public void Transposes_and_products_keep_symbols_apart()
    {
        var a = g.Input("a", TensorType.Float("N", "T", 3));
        var scores = g.MatMul(a, g.Transpose(a, [0, 2, 1]));
        Assert.Equal("float[N,T,T]", TypeOf(scores));
    }

    /// <summary>Several sizes hang on ones that were computed.</summary>
    [Fact]
    public void What_hangs_on_a_computed_shape_is_known_too()
    {
        var x = g.Input("x", TensorType.Float("N", 4, 3));
        var rows = g.Reshape(x, g.Concat([g.Gather(g.Shape(x), g.Ints(0), 0), g.Ints(2, -1)], 0));
        var filled = g.Expand(g.MeanAll(g.Exp(rows)), g.Shape(rows));
        var all = Update(g.Neg(filled), g.SumAll(g.MatMul(g.Neg(filled), g.Transpose(rows, [0, 2, 1]))), g.Neg(g.Neg(g.MeanAll(x))));
        Assert.Equal(["float[N,2,6]", "float[]", "float[]"], all.Select(t => t.ToString()));
    }

    /// <summary>Sizes that went through floats, which inference does not follow, are seen at the nodes themselves.</summary>
    [Fact]
    public void Sizes_that_went_through_floats()
    {
        var x = g.Input("x", TensorType.Float("N", 2, 3));
        for (var i = 0; i < 4; i++)
            x = g.Reshape(x, Rounded(g.Concat([g.Gather(g.Shape(x), g.Ints(0), 0), g.Ints(3 - i % 2, 2 + i % 2)], 0)));
        Assert.Equal("float[N,2,3]", TypeOf(x));
    }

    /// <summary>More stuck nodes in a row than rounds of inference: the graph is run as a whole.</summary>
    [Fact]
    public void More_computed_shapes_than_rounds()
    {
        var x = g.Input("x", TensorType.Float("N", 2, 3));
        for (var i = 0; i < 20; i++)
            x = g.Reshape(x, Rounded(g.Concat([g.Gather(g.Shape(x), g.Ints(0), 0), g.Ints(3 - i % 2, 2 + i % 2)], 0)));
        Assert.Equal("float[N,2,3]", TypeOf(x));
    }

    /// <summary>More nodes than are asked about at once: a size computed before the first is used behind the last.</summary>
    [Fact]
    public void Computed_shapes_reach_far()
    {
        var x = g.Input("x", TensorType.Float("N", 2, 3));
        var sizes = g.Concat([g.Gather(g.Shape(x), g.Ints(0), 0), g.Ints(6)], 0);
        var y = x;
        for (var i = 0; i < 1000; i++)
            y = g.Neg(y);
        var types = Update(y, g.Reshape(y, sizes), g.Expand(g.SumAll(y), g.Shape(y)));
        Assert.Equal(["float[N,2,3]", "float[N,6]", "float[N,2,3]"], types.Select(t => t.ToString()));
    }

    /// <summary>Weights count with their shapes alone, which matter to Resize only where they are its scales.</summary>
    [Fact]
    public void Constants_that_give_sizes_are_told_from_weights()
    {
        var x = g.Input("x", TensorType.Float("N", 2, 3));
        var product = g.MatMul(x, g.Constant(Tensors.Of(new float[15], 3, 5)));
        var resized = g.Add("Resize", [product, default, g.Constant(Tensors.Of([1f, 2, 3], 3))]);
        Assert.Equal(["float[N,2,5]", "float[N,4,15]"], Update(product, resized).Select(t => t.ToString()));
    }

    /// <summary>Gradients of layers are typed without being written out; constants of the graph keep their values beside them.</summary>
    [Fact]
    public void Gradients_of_layers_have_the_types_of_what_they_belong_to()
    {
        var (x, w) = (g.Input("x", TensorType.Float("N", 4, 9, 9)), g.Input("w", TensorType.Float(6, 2, 3, 3)));
        AttributeProto[] window = [Attributes.Of("kernel_shape", [3L, 3]), Attributes.Of("strides", [2L, 2])];
        var y = g.Add("Conv", [x, w], [.. window, Attributes.Of("group", 2L)]);
        var square = Attributes.Of("kernel_shape", [2L, 2]);
        var pooled = g.Add("AveragePool", [g.Add("MaxPool", [y], square)], square);
        var differentiator = new Differentiator(g);
        var first = differentiator.Gradients(g.SumAll(g.Exp(pooled)), [x, w]);
        var scaled = g.Reshape(g.Reshape(first[1], 2, -1), 6, 2, 3, 3);
        var second = differentiator.Gradients(g.Add(g.SumAll(g.Exp(first[0])), g.SumAll(g.Exp(scaled))), [x, w]);
        differentiator.Refresh();
        Assert.Equal(["float[N,4,9,9]", "float[6,2,3,3]", "float[N,4,9,9]", "float[6,2,3,3]"],
            first.Concat(second).Select(v => differentiator.Types[v.Name].ToString()));
    }

    /// <summary>What an operator of a control-flow body reads from outside is there for its inference too.</summary>
    [Fact]
    public void Bodies_see_what_lies_outside()
    {
        var x = g.Exp(g.Input("x", TensorType.Float("N", 3)));
        var body = new GraphProto
        {
            Name = "body",
            Node = { new NodeProto { OpType = "Neg", Input = { x.Name }, Output = { "negative" } } },
            Output = { new ValueInfoProto { Name = "negative" } },
        };
        g.Add("If", [g.Input("flag", new(TensorProto.Types.DataType.Bool, []))], [new("chosen")],
            new AttributeProto { Name = "then_branch", Type = AttributeProto.Types.AttributeType.Graph, G = body },
            new AttributeProto { Name = "else_branch", Type = AttributeProto.Types.AttributeType.Graph, G = body.Clone() });
        Assert.Equal("float[N,3]", TypeOf(new("chosen")));
    }

    [Fact]
    public void Scalars_and_integers()
    {
        var x = g.Input("x", TensorType.Float("N", 3));
        Assert.Equal("float[]", TypeOf(g.SumAll(x)));
        Assert.Equal("int64[2]", TypeOf(g.Shape(x)));
        Assert.Equal("int64[]", TypeOf(g.Add("Size", [x])));
        Assert.Equal("bool[N,3]", TypeOf(g.Greater(x, g.Scalar(0))));
    }

    /// <summary>Products and quotients of free sizes are no input's size; equal ones have one name.</summary>
    [Fact]
    public void Observed_sizes_get_names_of_their_own()
    {
        var x = g.Input("x", TensorType.Float("N", 2, "H"));
        var types = Update(
            g.Reshape(x, 2, -1), g.Exp(g.Reshape(x, 2, -1)),
            g.Slice(x, [0], [long.MaxValue], [2], [2]), g.Slice(x, [1], [long.MaxValue], [2], [1]));
        Assert.Equal(2, types[0].Shape[0].Size);
        Assert.True(types[0].SameShape(types[1]));
        string?[] symbols = [types[0].Shape[1].Symbol, types[2].Shape[2].Symbol, types[3].Shape[2].Symbol, "N", "H"];
        Assert.All(symbols, Assert.NotNull);
        Assert.Equal(5, symbols.Distinct().Count());
    }

    /// <summary>Four halvings leave a free size free.</summary>
    [Fact]
    public void Sizes_behind_strides_are_not_taken_as_fixed()
    {
        var x = g.Input("x", TensorType.Float("N", 1, "H", "W"));
        for (var i = 0; i < 4; i++)
            x = g.Add("MaxPool", [x], Attributes.Of("kernel_shape", [2L, 2]), Attributes.Of("strides", [2L, 2]));
        Assert.Equal([true, true, false, false], Update(x)[0].Shape.Select(d => d.IsFixed || d.Symbol is "N"));
    }

    /// <summary>ONNX Runtime infers no rank for MaxUnpool with a computed shape.</summary>
    [Fact]
    public void Unknown_rank_is_observed()
    {
        var x = g.Input("x", TensorType.Float("N", 2, 4, 6));
        Value[] pooled = [new("values"), new("indices")];
        var window = new[] { Attributes.Of("kernel_shape", [2L, 2]), Attributes.Of("strides", [2L, 2]) };
        g.Add("MaxPool", [x], pooled, window);
        Assert.Equal("float[N,2,4,6]", TypeOf(g.Add("MaxUnpool", [.. pooled, g.Shape(x)], window)));
    }

    [Fact]
    public void Several_batches_keep_their_names()
    {
        Value[] batches = [.. Enumerable.Range(0, 4).Select(i => g.Input($"x{i}", TensorType.Float($"N{i}", 3)))];
        var types = Update([.. batches.Select(x => g.Reshape(x, g.Concat([g.Gather(g.Shape(x), g.Ints(0), 0), g.Ints(1, 3)], 0)))]);
        Assert.Equal(["float[N0,1,3]", "float[N1,1,3]", "float[N2,1,3]", "float[N3,1,3]"], types.Select(t => t.ToString()));
    }

    [Fact]
    public void Types_are_known_for_inputs_and_constants_but_not_before_asking()
    {
        var x = g.Input("x", TensorType.Float("N", 3));
        var oracle = new TypeOracle();
        Assert.False(oracle.Knows(x.Name));
        Assert.Equal("the type of 'x' has not been asked for", Assert.Throws<InvalidOperationException>(() => oracle[x.Name]).Message);
        var constant = g.Ints(1, 2);
        oracle.Update(g);
        Assert.Equal("float[N,3]", oracle[x.Name].ToString());
        Assert.Equal("int64[2]", oracle[constant.Name].ToString());
    }

    [Fact]
    public void Graphs_that_ONNX_Runtime_does_not_accept_are_refused()
    {
        g.Add("NoSuchOperator", [g.Input("x", TensorType.Float(1))]);
        Assert.StartsWith("ONNX Runtime does not accept the graph: ",
            Assert.Throws<OnnxModelException>(() => new TypeOracle().Update(g)).Message);
    }

    [Fact]
    public void Graphs_that_do_not_run_are_refused()
    {
        g.Reshape(g.Input("x", TensorType.Float("N", 3)), g.Input("shape", TensorType.Int64(1)));
        Assert.StartsWith("the graph does not run on an example batch: ",
            Assert.Throws<OnnxModelException>(() => new TypeOracle().Update(g)).Message);
    }

    Value Rounded(Value sizes) => g.Add(
        "Cast", [g.Add("Floor", [g.Add("Cast", [sizes], Attributes.Of("to", (long)TensorProto.Types.DataType.Float))])],
        Attributes.Of("to", (long)TensorProto.Types.DataType.Int64));

    string TypeOf(Value value) => Update(value)[0].ToString();

    TensorType[] Update(params Value[] values)
    {
        var oracle = new TypeOracle();
        oracle.Update(g);
        return [.. values.Select(v => oracle[v.Name])];
    }
}
