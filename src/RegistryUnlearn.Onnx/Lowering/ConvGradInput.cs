using RegistryUnlearn.Onnx.Graphs;

namespace RegistryUnlearn.Onnx.Lowering;

/// <summary>∂Conv/∂X: a convolution with the rotated kernel where every stride is one, else a transposed convolution.</summary>
static class ConvGradInput
{
    /// <summary>Below this many input channels the transposed convolution is as fast and has fewer nodes.</summary>
    const long FewChannels = 4;

    public static Value Lower(GraphBuilder g, Geometry c, Value dy, Value w, Value x)
    {
        if (c.UnitStrides && c.Channels > FewChannels && Enumerable.Range(0, c.Rank).All(FitsRotated))
            return Rotated(g, c, dy, w);
        return c.IsFixed ? Transposed(g, c, dy, w) : TransposedAnySize(g, c, dy, w, x);

        bool FitsRotated(int axis) => c.Pads[axis] < c.Extent(axis) && c.Pads[axis + c.Rank] < c.Extent(axis);
    }

    static Value Rotated(GraphBuilder g, Geometry c, Value dy, Value w)
    {
        long filters = c.Filters / c.Group, channels = c.Channels / c.Group;
        long[] spatial = [.. Enumerable.Range(2, c.Rank).Select(a => (long)a)];
        var kernel = c.Group == 1
            ? g.Transpose(w, [1, 0, .. spatial])
            : g.Reshape(
                g.Transpose(g.Reshape(w, [c.Group, filters, channels, .. c.Kernel]), [0, 2, 1, .. spatial.Select(a => a + 1)]),
                [c.Channels, filters, .. c.Kernel]);
        if (c.Taps > 1)
            kernel = g.Slice(kernel, Same(-1), Same(long.MinValue), spatial, Same(-1));
        long[] pads = [.. Enumerable.Range(0, 2 * c.Rank).Select(i => c.Extent(i % c.Rank) - 1 - c.Pads[i])];
        return g.Add("Conv", [dy, kernel], (c with { Pads = pads }).Convolution);

        long[] Same(long value) => [.. Enumerable.Repeat(value, c.Rank)];
    }

    static Value Transposed(GraphBuilder g, Geometry c, Value dy, Value w) =>
        g.Add("ConvTranspose", [dy, w], [.. c.Convolution, Attributes.Of("output_padding", Enumerable.Range(0, c.Rank).Select(c.Rest))]);

    /// <summary>
    /// Unpadded transposed convolution, extended by the rows that no window reached and cut to the size of X at run time.
    /// </summary>
    static Value TransposedAnySize(GraphBuilder g, Geometry c, Value dy, Value w, Value x)
    {
        var full = g.Add("ConvTranspose", [dy, w], (c with { Pads = new long[2 * c.Rank] }).Convolution);
        var extended = g.Pad(
            full, [.. new long[c.Rank + 4], .. Enumerable.Range(0, c.Rank).Select(a => c.Strides[a] - 1 + c.Pads[a + c.Rank])]);
        var starts = g.Ints(c.Pads.AsSpan(0, c.Rank));
        var axes = g.Ints([.. Enumerable.Range(2, c.Rank).Select(a => (long)a)]);
        return g.Add("Slice", [extended, starts, g.Add(starts, g.Gather(g.Shape(x), axes, 0)), axes]);
    }
}
