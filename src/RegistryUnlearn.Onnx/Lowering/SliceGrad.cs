using RegistryUnlearn.Onnx.Graphs;
using RegistryUnlearn.Onnx.Proto;

namespace RegistryUnlearn.Onnx.Lowering;

/// <summary>
/// ∂Slice/∂X: zero padding where the bounds are known and the steps are one, else a scatter to the positions that Slice read.
/// </summary>
static class SliceGrad
{
    public static Value Lower(GraphBuilder g, NodeProto node)
    {
        Value dy = new(node.Input[0]), x = new(node.Input[1]);
        return Pads(g, node) is { } pads ? g.Pad(dy, pads) : Scattered(g, node, dy, x);
    }

    static long[]? Pads(GraphBuilder g, NodeProto node)
    {
        var sizes = node.Ints("x_shape")!;
        long[]? starts = Constant(2), ends = Constant(3);
        if (starts is null || ends is null)
            return null;
        var axes = Has(4) ? Constant(4) : [.. Enumerable.Range(0, starts.Length).Select(a => (long)a)];
        var steps = Has(5) ? Constant(5) : [.. starts.Select(_ => 1L)];
        if (axes is null || steps is null || steps.Any(s => s != 1))
            return null;
        var pads = new long[2 * sizes.Length];
        for (var i = 0; i < axes.Length; i++)
        {
            var axis = axes[i] < 0 ? axes[i] + sizes.Length : axes[i];
            var size = sizes[axis];
            if (size < 0)
                return null;
            var start = Bound(starts[i], size);
            pads[axis] = start;
            pads[axis + sizes.Length] = size - Math.Max(start, Bound(ends[i], size));
        }
        return pads;

        bool Has(int i) => i < node.Input.Count && node.Input[i].Length > 0;

        long[]? Constant(int i) => g.ConstantInts(new Value(node.Input[i]));

        static long Bound(long at, long size) => Math.Clamp(at < 0 ? at + size : at, 0, size);
    }

    static Value Scattered(GraphBuilder g, NodeProto node, Value dy, Value x)
    {
        var shape = g.Shape(x);
        var count = g.Add("ReduceProd", [shape], Attributes.Of("keepdims", 0L));
        Value zero = g.Squeeze(g.Ints(0), 0), one = g.Squeeze(g.Ints(1), 0);
        var positions = g.Reshape(g.Add("Range", [zero, count, one]), shape);
        var read = g.Add("Slice", [positions, .. node.Input.Skip(2).Select(i => new Value(i))]);
        var flat = g.Add("ScatterElements", [g.Zeros(g.Reshape(count, 1)), g.Reshape(read, -1), g.Reshape(dy, -1)]);
        return g.Reshape(flat, shape);
    }
}
