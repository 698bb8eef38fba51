using RegistryUnlearn.Onnx.Graphs;
using RegistryUnlearn.Onnx.Lowering;

namespace RegistryUnlearn.Onnx.Gradients.Rules;

/// <summary>Operators that repeat, interleave or select elements at positions that do not depend on the gradient.</summary>
static class Rearranging
{
    public static IReadOnlyList<Rule> Rules { get; } =
    [
        new("", "Tile", 13, Tile),
        new("", "DepthToSpace", 13, DepthToSpace),
        new("", "SpaceToDepth", 13, r => [r.G.Add("DepthToSpace", [r.DOut()], Attributes.Of("blocksize", r.Int("blocksize", 1)))]),
        new("", "TopK", 11, TopK),
        // Reversing twice is the identity.
        new("", "ReverseSequence", 10, r => [r.G.Add("ReverseSequence", [r.DOut(), r.In(1)],
            Attributes.Of("batch_axis", r.Int("batch_axis", 1)), Attributes.Of("time_axis", r.Int("time_axis", 0))), null]),
        new("", "MaxUnpool", 11, r => [r.G.Gather(r.G.Reshape(r.DOut(), -1), r.In(1), 0), null]),
        Rule.Fused("Col2Im", 18, Col2Im),
    ];

    /// <summary>Every repeated axis split into repetitions and elements, summed over the repetitions.</summary>
    static Value?[] Tile(RuleContext r)
    {
        var repeats = r.ConstantInts(1);
        var shape = r.InType(0).Shape;
        var constant = shape.Count(d => !d.IsFixed) <= 1 && shape.All(d => d != 0);
        List<Value> parts = [];
        List<long> sizes = [], repetitions = [];
        for (var axis = 0; axis < repeats.Length; axis++)
        {
            if (repeats[axis] != 1)
            {
                repetitions.Add(sizes.Count);
                Append(repeats[axis], null);
            }
            Append(shape[axis].IsFixed ? shape[axis].Size : -1, axis);
        }
        var split = constant ? r.G.Reshape(r.DOut(), [.. sizes]) : r.G.Reshape(r.DOut(), r.G.Concat([.. parts], 0));
        return [repetitions.Count == 0 ? r.DOut() : r.G.ReduceSum(split, [.. repetitions], keep: false)];

        void Append(long size, int? axis)
        {
            sizes.Add(size);
            if (!constant)
                parts.Add(axis is { } a ? r.G.Gather(r.G.Shape(r.In(0)), r.G.Ints(a), 0) : r.G.Ints(size));
        }
    }

    /// <summary>SpaceToDepth undoes the mode DCR; in the mode CRD the channels were in another order before.</summary>
    static Value?[] DepthToSpace(RuleContext r)
    {
        var block = r.Int("blocksize", 1);
        var deep = r.G.Add("SpaceToDepth", [r.DOut()], Attributes.Of("blocksize", block));
        if (r.Node.Text("mode", "DCR") is not "CRD")
            return [deep];
        long taps = block * block, channels = r.InType(0).Sizes[1] / taps;
        var order = from c in Enumerable.Range(0, (int)channels) from t in Enumerable.Range(0, (int)taps) select t * channels + c;
        return [r.G.Gather(deep, r.G.Ints([.. order]), 1)];
    }

    /// <summary>The overlapping blocks of an image summed: a transposed convolution with one filter per element of a block.</summary>
    static Value Col2Im(RuleContext r)
    {
        long[] image = r.ConstantInts(1), block = r.ConstantInts(2), ones = [.. Enumerable.Repeat(1L, image.Length)];
        var taps = block.Aggregate(1L, (n, b) => n * b);
        if (r.InType(0).Shape[1] is not { IsFixed: true, Size: var depth })
            throw r.Refuse("channels that are not fixed", "export the model with a fixed number of channels");
        var c = new Geometry(block, r.Ints("strides") ?? ones, r.Ints("pads") ?? new long[2 * image.Length], r.Ints("dilations") ?? ones,
            image, Group: 1, Channels: 1, Filters: taps);
        var filters = new float[taps * taps];
        for (var tap = 0; tap < taps; tap++)
            filters[tap * taps + tap] = 1;
        var y = r.G.Add("ConvTranspose", [r.G.Reshape(r.In(0), [-1, taps, .. Enumerable.Range(0, c.Rank).Select(c.Out)]),
            r.G.Constant(Tensors.Of(filters, [taps, 1, .. block]))],
            [.. c.Convolution, Attributes.Of("output_padding", Enumerable.Range(0, c.Rank).Select(c.Rest))]);
        return r.G.Reshape(y, [-1, depth / taps, .. image]);
    }

    /// <summary>Scatters the gradient of the values to where they came from; the choice itself is piecewise constant.</summary>
    static Value?[] TopK(RuleContext r) =>
        [r.G.Add("ScatterElements", [r.G.Zeros(r.ShapeOfIn(0)), r.Out(1), r.DOut()], Attributes.Of("axis", r.Int("axis", -1))), null];
}
