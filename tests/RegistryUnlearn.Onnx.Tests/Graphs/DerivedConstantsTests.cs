using RegistryUnlearn.Onnx.Graphs;

namespace RegistryUnlearn.Onnx.Tests.Graphs;

public sealed class DerivedConstantsTests
{
    readonly GraphBuilder g = new(17);
    readonly TypeOracle types = new();
    readonly Value x;

    public DerivedConstantsTests() => x = g.Input("x", TensorType.Float("N", 3, 8));

    /// <summary>Paddings as PyTorch writes them: in its own order, turned around by Reshape, Slice and Transpose.</summary>
    [Fact]
    public void Paddings_that_are_turned_around()
    {
        var pairs = g.Reshape(g.Concat([g.Ints(1, 2, 3, 4), g.Ints(0, 0)], 0), -1, 2);
        var pads = g.Reshape(g.Transpose(g.Slice(pairs, [-1], [long.MinValue], [0], [-1]), [1, 0]), -1);
        Assert.Equal([0L, 3, 1, 0, 4, 2], Integers(pads)!);
    }

    [Fact]
    public void Fixed_sizes_count_and_free_ones_do_not()
    {
        var sizes = g.Shape(g.Exp(x));
        Assert.Equal([3L, 8], Integers(g.Slice(sizes, [1], [3], [0], [1]))!);
        Assert.Null(Integers(sizes));
        Assert.Null(Integers(g.Slice(sizes, [0], [1], [0], [1])));
    }

    [Fact]
    public void Scales_are_floats()
    {
        var wanted = g.Cast(g.Ints(12));
        var scale = g.Div(wanted, g.Cast(g.Slice(g.Shape(x), [2], [3], [0], [1])));
        types.Update(g);
        Assert.Equal([1.5f], DerivedConstants.Floats(g, types, scale)!);
        Assert.Null(DerivedConstants.Integers(g, types, scale));
    }

    [Fact]
    public void What_follows_elements_of_an_input_is_no_constant() =>
        Assert.Null(Integers(g.Cast(g.ReduceMax(x, [0, 1, 2], keep: false), Proto.TensorProto.Types.DataType.Int64)));

    long[]? Integers(Value value)
    {
        types.Update(g);
        return DerivedConstants.Integers(g, types, value);
    }
}
