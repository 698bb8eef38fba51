using RegistryUnlearn.Onnx.Graphs;

namespace RegistryUnlearn.Onnx.Lowering;

/// <summary>
/// ∂Conv/∂W as a matrix product of the output gradients with the input patches (im2col). How the patches are gathered decides the
/// speed; swapping the roles of image and kernel in one convolution is the slow fallback that works without knowing any size.
/// </summary>
static class ConvGradWeight
{
    /// <summary>Up to this many channels, patches are gathered per image in channel-major order (network stems).</summary>
    const long FewChannels = 4;

    /// <summary>From this many channels on, one product per kernel tap beats gathering all patches first.</summary>
    const long ManyChannels = 200;

    public static Value Lower(GraphBuilder g, Geometry c, Value x, Value dy) =>
        !c.IsFixed ? Swapped(g, c, x, dy)
        : c.Group > 1 || c.Channels >= ManyChannels ? Shifted(g, c, x, dy)
        : c.Channels <= FewChannels || (c.Taps == 1 && c.UnitStrides && c.Unpadded) ? PerImage(g, c, x, dy)
        : Gathered(g, c, x, dy);

    internal static long Positions(Geometry c) => Enumerable.Range(0, c.Rank).Aggregate(1L, (n, a) => n * c.Out(a));

    static long PaddedPositions(Geometry c) => Enumerable.Range(0, c.Rank).Aggregate(1L, (n, a) => n * c.Padded(a));

    static Value PadInput(GraphBuilder g, Geometry c, Value x) => g.Pad(x, [0, 0, .. c.Pads[..c.Rank], 0, 0, .. c.Pads[c.Rank..]]);

    /// <summary>Σ_b dY_b · patches_bᵀ with dY_b [O, P] and patches_b [C·K, P].</summary>
    internal static Value PerImage(GraphBuilder g, Geometry c, Value x, Value dy)
    {
        var products = g.MatMul(g.Reshape(dy, 0, c.Filters, Positions(c)), g.Transpose(Patches(g, c, x), [0, 2, 1]));
        return g.Reshape(g.ReduceSum(products, [0], keep: false), [c.Filters, c.Channels, .. c.Kernel]);
    }

    /// <summary>The input patches of every position, [B, C·K, P], rows in the order of a filter's weights.</summary>
    internal static Value Patches(GraphBuilder g, Geometry c, Value x)
    {
        if (c.Taps == 1 && c.UnitStrides && c.Unpadded)
            return g.Reshape(x, 0, c.Channels, Positions(c));
        // One slice per tap copies rows of the image; a Gather would copy element by element.
        var image = PadInput(g, c, x);
        long[] axes = [.. Enumerable.Range(2, c.Rank).Select(a => (long)a)];
        var taps = Enumerable.Range(0, (int)c.Taps).Select(k => g.Reshape(Shift(g, c, image, k, axes), 0, c.Channels, 1, Positions(c)));
        return g.Reshape(g.Concat([.. taps], 2), 0, c.Channels * c.Taps, Positions(c));
    }

    /// <summary>What kernel tap k sees: the padded image from the tap's place on, in strides.</summary>
    static Value Shift(GraphBuilder g, Geometry c, Value image, int k, long[] axes)
    {
        long[] starts = [.. Tap(c, k).Select((t, a) => t * c.Dilations[a])];
        long[] ends = [.. starts.Select((s, a) => s + (c.Out(a) - 1) * c.Strides[a] + 1)];
        return g.Slice(image, starts, ends, axes, c.Strides);
    }

    /// <summary>dY [O, B·P] · patches [B·P, K·C], all patches gathered at once from the channel-last input.</summary>
    internal static Value Gathered(GraphBuilder g, Geometry c, Value x, Value dy)
    {
        var rows = g.Reshape(ChannelLast(g, c, x), 0, PaddedPositions(c), c.Channels);
        var patches = g.Reshape(g.Gather(rows, g.Ints(Indices(c)), 1), -1, c.Taps * c.Channels);
        return FromTaps(g, c, g.Reshape(g.MatMul(FilterRows(g, c, dy), patches), c.Filters, c.Taps, c.Channels));
    }

    /// <summary>One product per kernel tap: dY [G, O/G, B·P] · shifted input [G, B·P, C/G].</summary>
    internal static Value Shifted(GraphBuilder g, Geometry c, Value x, Value dy)
    {
        long filters = c.Filters / c.Group, channels = c.Channels / c.Group;
        var image = ChannelLast(g, c, x);
        var rows = FilterRows(g, c, dy);
        if (c.Group > 1)
            rows = g.Reshape(rows, c.Group, filters, -1);
        long[] axes = [.. Enumerable.Range(1, c.Rank).Select(a => (long)a)];
        var products = new Value[c.Taps];
        for (var k = 0; k < products.Length; k++)
        {
            var shifted = Shift(g, c, image, k, axes);
            products[k] = c.Group == 1
                ? g.MatMul(rows, g.Reshape(shifted, -1, channels))
                : g.MatMul(rows, g.Transpose(g.Reshape(shifted, -1, c.Group, channels), [1, 0, 2]));
            products[k] = g.Reshape(products[k], c.Filters, 1, channels);
        }
        return FromTaps(g, c, g.Concat(products, 1));
    }

    /// <summary>Conv(Xᵀ, dYᵀ) with strides and dilations exchanged; groups move into the channel axis.</summary>
    internal static Value Swapped(GraphBuilder g, Geometry c, Value x, Value dy)
    {
        long channels = c.Channels / c.Group, filters = c.Filters / c.Group;
        long[] order = [.. Enumerable.Range(0, c.Rank).Select(a => (long)a)];
        var image = Regroup(x, channels, [2, 1, 0]);
        var kernel = Regroup(dy, filters, [1, 2, 0]);
        // [C/G, G·B, in] * [G·O/G, B, out] → [C/G, G·O/G, ≥ kernel]
        image = MergeAxes(image, x, [channels, -1]);
        kernel = MergeAxes(kernel, dy, [c.Filters, -1]);
        var swapped = g.Add("Conv", [image, kernel],
            Attributes.Of("strides", c.Dilations), Attributes.Of("dilations", c.Strides), Attributes.Of("pads", c.Pads),
            Attributes.Of("group", c.Group));
        var cut = g.Slice(swapped, new long[c.Rank], c.Kernel, [.. order.Select(a => a + 2)], [.. order.Select(_ => 1L)]);
        return g.Transpose(cut, [1, 0, .. order.Select(a => a + 2)]);

        // [B, G·n, s…] → [B, G, n, s…] permuted by the given order of its first three axes.
        Value Regroup(Value value, long perGroup, long[] permutation) => g.Transpose(
            g.Reshape(value, g.Concat([g.Ints(0, c.Group, perGroup), SpatialShape(value)], 0)),
            [.. permutation, .. order.Select(a => a + 3)]);

        Value MergeAxes(Value value, Value like, long[] lead) => g.Reshape(value, g.Concat([g.Ints(lead), SpatialShape(like)], 0));

        Value SpatialShape(Value value) => g.Gather(g.Shape(value), g.Ints([.. order.Select(a => a + 2)]), 0);
    }

    static Value ChannelLast(GraphBuilder g, Geometry c, Value x) =>
        g.Transpose(PadInput(g, c, x), [0, .. Enumerable.Range(2, c.Rank).Select(a => (long)a), 1]);

    /// <summary>dY as [O, B·P].</summary>
    static Value FilterRows(GraphBuilder g, Geometry c, Value dy) =>
        g.Reshape(g.Transpose(dy, [1, 0, .. Enumerable.Range(2, c.Rank).Select(a => (long)a)]), c.Filters, -1);

    /// <summary>[O, K, C/G] → the layout of W.</summary>
    static Value FromTaps(GraphBuilder g, Geometry c, Value product) =>
        g.Reshape(g.Transpose(product, [0, 2, 1]), [c.Filters, c.Channels / c.Group, .. c.Kernel]);

    static long[] Tap(Geometry c, long index) => Unravel(index, c.Kernel);

    static long[] Unravel(long index, long[] sizes)
    {
        var at = new long[sizes.Length];
        for (var a = sizes.Length - 1; a >= 0; a--)
            (index, at[a]) = (index / sizes[a], index % sizes[a]);
        return at;
    }

    /// <summary>Flat positions in the padded image of every (position, tap) pair.</summary>
    static long[] Indices(Geometry c)
    {
        long positions = Positions(c), taps = c.Taps;
        long[] outSizes = [.. Enumerable.Range(0, c.Rank).Select(c.Out)];
        var indices = new long[positions * taps];
        for (var p = 0L; p < positions; p++)
        {
            var at = Unravel(p, outSizes);
            for (var k = 0L; k < taps; k++)
            {
                var tap = Tap(c, k);
                var flat = 0L;
                for (var a = 0; a < c.Rank; a++)
                    flat = flat * c.Padded(a) + at[a] * c.Strides[a] + tap[a] * c.Dilations[a];
                indices[p * taps + k] = flat;
            }
        }
        return indices;
    }
}
