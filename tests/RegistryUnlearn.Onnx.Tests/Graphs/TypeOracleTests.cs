using RegistryUnlearn.Onnx.Graphs;
using RegistryUnlearn.Onnx.Models;

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

    /// <summary>Sizes that inference cannot follow are seen at the nodes themselves; inference goes on from there.</summary>
    [Fact]
    public void What_hangs_on_a_computed_shape_is_known_too()
    {
        var x = g.Input("x", TensorType.Float("N", 4, 3));
        var rows = g.Reshape(x, g.Concat([g.Gather(g.Shape(x), g.Ints(0), 0), g.Ints(2, -1)], 0));
        var filled = g.Expand(g.MeanAll(g.Exp(rows)), g.Shape(rows));
        var all = Update(g.Neg(filled), g.SumAll(g.MatMul(g.Neg(filled), g.Transpose(rows, [0, 2, 1]))), g.Neg(g.Neg(g.MeanAll(x))));
        Assert.Equal(["float[N,2,6]", "float[]", "float[]"], all.Select(t => t.ToString()));
    }

    /// <summary>More stuck nodes than rounds of inference: the graph is run as a whole.</summary>
    [Fact]
    public void Many_computed_shapes_in_a_row()
    {
        var x = g.Input("x", TensorType.Float("N", 2, 3));
        for (var i = 0; i < 10; i++)
            x = g.Reshape(x, g.Concat([g.Gather(g.Shape(x), g.Ints(0), 0), g.Ints(3 - i % 2, 2 + i % 2)], 0));
        Assert.Equal("float[N,2,3]", TypeOf(x));
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

    string TypeOf(Value value) => Update(value)[0].ToString();

    TensorType[] Update(params Value[] values)
    {
        var oracle = new TypeOracle();
        oracle.Update(g);
        return [.. values.Select(v => oracle[v.Name])];
    }
}
