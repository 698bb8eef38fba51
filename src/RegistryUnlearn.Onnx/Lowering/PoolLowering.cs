using RegistryUnlearn.Onnx.Graphs;
using RegistryUnlearn.Onnx.Proto;

namespace RegistryUnlearn.Onnx.Lowering;

/// <summary>Gradients of pooling. The position of a maximum is the first one in its window, as PyTorch has it.</summary>
static class PoolLowering
{
    /// <summary>Up to this many elements per sample, comparing with the upsampled maxima beats asking for their indices.</summary>
    const long FewElements = 1 << 14;

    public static Value MaxPoolGrad(GraphBuilder g, NodeProto node)
    {
        var c = Geometry.Of(node);
        Value dy = new(node.Input[0]), x = new(node.Input[1]);
        return IsMasked(c) ? Masked(g, c, dy, x) : Scattered(g, node, dy, x);
    }

    internal static Value Masked(GraphBuilder g, Geometry c, Value dy, Value x) => g.Mul(Doubled(g, dy), Maxima(g, c, x));

    public static Value MaxPoolGather(GraphBuilder g, NodeProto node)
    {
        var c = Geometry.Of(node);
        Value values = new(node.Input[0]), x = new(node.Input[1]);
        if (!IsMasked(c))
            return Gathered(g, node, values, x);
        var mean = g.Add("AveragePool", [g.Mul(values, Maxima(g, c, x))],
            Attributes.Of("kernel_shape", c.Kernel), Attributes.Of("strides", c.Strides));
        return g.Scale(mean, c.Taps);
    }

    /// <summary>Windows of 2×2 that tile the image, which ONNX Runtime upsamples by a loop of its own.</summary>
    static bool IsMasked(Geometry c) =>
        c.Rank == 2 && c.IsFixed && c.Unpadded && c.Channels * c.In[0] * c.In[1] <= FewElements
        && Enumerable.Range(0, c.Rank).All(a => c.Kernel[a] == 2 && c.Strides[a] == 2 && c.Dilations[a] == 1 && c.In[a] % 2 == 0);

    /// <summary>
    /// One at the first maximum of every window, else zero. Of the elements that equal their window's maximum, the one with the largest
    /// rank is the first.
    /// </summary>
    static Value Maxima(GraphBuilder g, Geometry c, Value x)
    {
        var ranks = new float[c.In[0] * c.In[1]];
        for (var i = 0; i < ranks.Length; i++)
            ranks[i] = c.Taps - (i / c.In[1] % 2 * 2 + i % c.In[1] % 2);
        var ranked = g.Mul(EqualsMaximum(x), g.Constant(Tensors.Of(ranks, c.In)));
        return EqualsMaximum(ranked);

        Value EqualsMaximum(Value value) => g.Cast(g.Equal(value, Doubled(g, g.Add("MaxPool", [value], c.Window))));
    }

    /// <summary>Every element of an image four times, as a square.</summary>
    static Value Doubled(GraphBuilder g, Value value) => g.Add("Resize",
        [value, default, g.Constant(Tensors.Of([1f, 1f, 2f, 2f], 4))],
        Attributes.Of("mode", "nearest"), Attributes.Of("coordinate_transformation_mode", "asymmetric"),
        Attributes.Of("nearest_mode", "floor"));

    internal static Value Scattered(GraphBuilder g, NodeProto node, Value dy, Value x)
    {
        var c = Geometry.Of(node);
        var (indices, shape) = (Indices(g, node, x), g.Shape(x));
        // MaxUnpool refuses windows that stick out of the image, as rounding up makes them.
        var windowsAreDisjoint = Enumerable.Range(0, c.Rank).All(a => c.Strides[a] >= c.Extent(a));
        if (windowsAreDisjoint && node.Int("ceil_mode", 0) == 0)
            return g.Add("MaxUnpool", [dy, indices, shape], [.. c.Window.Where(a => a.Name != "dilations")]);
        var zeros = g.Zeros(g.Add("ReduceProd", [shape], Attributes.Of("keepdims", 1L)));
        var flat = g.Add("ScatterElements", [zeros, g.Reshape(indices, -1), g.Reshape(dy, -1)],
            Attributes.Of("axis", 0L), Attributes.Of("reduction", "add"));
        return g.Reshape(flat, shape);
    }

    /// <summary>GatherElements of one axis runs five times as fast as Gather with single elements.</summary>
    static Value Gathered(GraphBuilder g, NodeProto node, Value values, Value x)
    {
        var indices = Indices(g, node, x);
        var flat = g.Add("GatherElements", [g.Reshape(values, -1), g.Reshape(indices, -1)]);
        return g.Reshape(flat, g.Shape(indices));
    }

    /// <summary>Flat indices into x, one per window; a twin of the forward node whose faster form does not compute them.</summary>
    static Value Indices(GraphBuilder g, NodeProto node, Value x)
    {
        Value values = new(g.Fresh("MaxPool.values")), indices = new(g.Fresh("MaxPool.indices"));
        g.Add("MaxPool", [x], [values, indices], [.. Geometry.Of(node).Window, Attributes.Of("ceil_mode", node.Int("ceil_mode", 0))]);
        return indices;
    }

    /// <summary>Every gradient divided by the number of elements its window averaged, then spread over the window.</summary>
    public static Value AveragePoolGrad(GraphBuilder g, NodeProto node)
    {
        var c = Geometry.Of(node);
        var outs = node.Ints("out") ?? [.. Enumerable.Range(0, c.Rank).Select(c.Out)];
        var shares = Shares(c, outs, node.Int("count_include_pad", 0) == 1);
        c = c.Extended(outs);
        var scaled = g.Mul(new Value(node.Input[0]), g.Constant(Tensors.Of(shares, outs)));
        var ones = new float[c.Taps];
        Array.Fill(ones, 1f);
        var spread = g.Add("ConvTranspose", [g.Reshape(scaled, [-1, 1, .. outs]), g.Constant(Tensors.Of(ones, [1, 1, .. c.Kernel]))],
            [.. (c with { Group = 1 }).Convolution, Attributes.Of("output_padding", Enumerable.Range(0, c.Rank).Select(c.Rest))]);
        return g.Reshape(spread, [-1, c.Channels, .. c.In]);
    }

    static float[] Shares(Geometry c, long[] outs, bool countPads)
    {
        var shares = new float[outs.Aggregate(1L, (n, o) => n * o)];
        for (var p = 0; p < shares.Length; p++)
        {
            long rest = p, count = 1;
            for (var a = c.Rank - 1; a >= 0; a--)
            {
                var start = rest % outs[a] * c.Strides[a] - c.Pads[a];
                rest /= outs[a];
                var (from, until) = countPads ? (-c.Pads[a], c.In[a] + c.Pads[a + c.Rank]) : (0, c.In[a]);
                count *= Enumerable.Range(0, (int)c.Kernel[a])
                    .LongCount(k => start + k * c.Dilations[a] is var i && i >= from && i < until);
            }
            shares[p] = 1f / count;
        }
        return shares;
    }
}
