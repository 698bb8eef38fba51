using RegistryUnlearn.Onnx.Graphs;
using RegistryUnlearn.Onnx.Models;
using RegistryUnlearn.Onnx.Proto;

namespace RegistryUnlearn.Onnx.Lowering;

/// <summary>
/// The sliding window of a convolution or pooling node with everything explicit. Spatial axes only; <see cref="Pads"/> holds all
/// amounts at the front first, then all at the back. <see cref="In"/> has -1 for sizes that are only known at run time.
/// </summary>
sealed record Geometry(long[] Kernel, long[] Strides, long[] Pads, long[] Dilations, long[] In, long Group, long Channels, long Filters)
{
    public int Rank => Kernel.Length;

    public long Taps => Kernel.Aggregate(1L, (n, k) => n * k);

    public long[] WeightShape => [Filters, Channels / Group, .. Kernel];

    public bool IsFixed => In.All(s => s >= 0);

    public bool UnitStrides => Strides.All(s => s == 1);

    public bool Unpadded => Pads.All(p => p == 0);

    /// <summary>Size of the window on an axis, gaps included.</summary>
    public long Extent(int axis) => (Kernel[axis] - 1) * Dilations[axis] + 1;

    public long Padded(int axis) => In[axis] + Pads[axis] + Pads[axis + Rank];

    public long Out(int axis) => (Padded(axis) - Extent(axis)) / Strides[axis] + 1;

    /// <summary>Elements at the end of the padded input that no window covers.</summary>
    public long Rest(int axis) => (Padded(axis) - Extent(axis)) % Strides[axis];

    /// <summary>
    /// The window with so much padding at the end that the last of outputs whose number was rounded up fits in; an average never counts
    /// that padding.
    /// </summary>
    public Geometry Extended(long[] outs)
    {
        long[] pads = [.. Pads];
        for (var a = 0; a < Rank; a++)
            pads[a + Rank] += Math.Max(0, (outs[a] - 1) * Strides[a] + Extent(a) - Padded(a));
        return this with { Pads = pads };
    }

    public static Geometry Of(NodeProto node, TensorType x, TensorType? weight)
    {
        var rank = x.Rank - 2;
        var kernel = node.Ints("kernel_shape") ?? weight!.Sizes[2..];
        long[] ones = [.. Enumerable.Repeat(1L, rank)];
        long[] strides = node.Ints("strides") ?? ones, dilations = node.Ints("dilations") ?? ones, sizes = x.Sizes[2..];
        var pads = node.Ints("pads") ?? new long[2 * rank];
        if (node.Text("auto_pad", "NOTSET") is var auto and ("SAME_UPPER" or "SAME_LOWER"))
            pads = Same(node, auto is "SAME_UPPER", kernel, strides, dilations, sizes);
        return new(kernel, strides, pads, dilations, sizes, node.Int("group", 1), x.Sizes[1], weight?.Sizes[0] ?? x.Sizes[1]);
    }

    /// <summary>The convolution whose input gradient a transposed convolution is: from its output y to its input x.</summary>
    public static Geometry OfTransposed(NodeProto node, TensorType x, TensorType weight, TensorType y)
    {
        var rank = x.Rank - 2;
        var kernel = node.Ints("kernel_shape") ?? weight.Sizes[2..];
        long[] ones = [.. Enumerable.Repeat(1L, rank)];
        long[] strides = node.Ints("strides") ?? ones, dilations = node.Ints("dilations") ?? ones;
        long[] extra = node.Ints("output_padding") ?? new long[rank];
        var auto = node.Text("auto_pad", "NOTSET");
        var pads = node.Ints("pads") ?? new long[2 * rank];
        var group = node.Int("group", 1);
        var geometry = new Geometry(kernel, strides, pads, dilations, y.Sizes[2..], group, weight.Sizes[1] * group, weight.Sizes[0]);
        if (auto is "SAME_UPPER" or "SAME_LOWER" || node.Ints("output_shape") is { Length: > 0 })
            for (var i = 0; i < rank; i++)
            {
                if (!x.Shape[i + 2].IsFixed || !y.Shape[i + 2].IsFixed)
                    throw new OnnxModelException($"ConvTranspose (node '{node.Name}') has automatic padding on an axis without a fixed "
                        + "size; export it with explicit pads");
                var total = strides[i] * (x.Shape[i + 2].Size - 1) + extra[i] + geometry.Extent(i) - y.Shape[i + 2].Size;
                pads[i] = auto is "SAME_UPPER" ? total / 2 : total - total / 2;
                pads[i + rank] = total - pads[i];
            }
        return geometry;
    }

    /// <summary>Padding that makes the output ⌈input / stride⌉ long; an odd element goes to the end (upper) or the front (lower).</summary>
    static long[] Same(NodeProto node, bool upper, long[] kernel, long[] strides, long[] dilations, long[] sizes)
    {
        var pads = new long[2 * kernel.Length];
        for (var i = 0; i < kernel.Length; i++)
        {
            if (sizes[i] < 0 && strides[i] != 1)
                throw new OnnxModelException($"{node.OpType} (node '{node.Name}') has auto_pad with strides on an axis without a fixed "
                    + "size; export it with explicit pads");
            var extent = (kernel[i] - 1) * dilations[i] + 1;
            var total = strides[i] == 1
                ? extent - 1
                : Math.Max(0, ((sizes[i] + strides[i] - 1) / strides[i] - 1) * strides[i] + extent - sizes[i]);
            var small = total / 2;
            pads[i] = upper ? small : total - small;
            pads[i + kernel.Length] = total - pads[i];
        }
        return pads;
    }

    public static Geometry Of(NodeProto adjoint) => new(
        adjoint.Ints("kernel_shape")!, adjoint.Ints("strides")!, adjoint.Ints("pads")!, adjoint.Ints("dilations")!,
        adjoint.Ints("in")!, adjoint.Int("group", 1), adjoint.Int("channels", -1), adjoint.Int("filters", -1));

    /// <summary>The attributes of the forward operator.</summary>
    public AttributeProto[] Window =>
    [
        Attributes.Of("kernel_shape", Kernel), Attributes.Of("strides", Strides), Attributes.Of("pads", Pads),
        Attributes.Of("dilations", Dilations),
    ];

    public AttributeProto[] Convolution => [.. Window, Attributes.Of("group", Group)];

    /// <summary>All there is to know, as attributes of an adjoint operator.</summary>
    public AttributeProto[] Complete =>
        [.. Convolution, Attributes.Of("in", In), Attributes.Of("channels", Channels), Attributes.Of("filters", Filters)];
}
