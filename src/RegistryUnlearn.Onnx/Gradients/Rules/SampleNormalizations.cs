using RegistryUnlearn.Onnx.Graphs;
using static RegistryUnlearn.Onnx.Gradients.Rule;

namespace RegistryUnlearn.Onnx.Gradients.Rules;

/// <summary>
/// Normalisation with the statistics of the sample itself, written out as means, so that gradients flow through the statistics.
/// </summary>
static class SampleNormalizations
{
    public static IReadOnlyList<Rule> Rules { get; } =
    [
        Fused("LayerNormalization", 17, r =>
        {
            var (y, mean, inverse) = Standardize(r.G, r.In(0), Trailing(r, -1), Epsilon(r));
            return [Affine(r, y, r.In(1), r.HasIn(2) ? r.In(2) : null), mean, inverse];
        }),
        Fused("RMSNormalization", 23, r => [RootMeanSquare(r, Trailing(r, -1)).Y]),
        // ONNX Runtime has this older name of it in the standard domain.
        Fused("SimplifiedLayerNormalization", 1, r =>
        {
            var (y, inverse) = RootMeanSquare(r, Trailing(r, -1));
            return [y, inverse];
        }),
        Fused("InstanceNormalization", 6, r => Affine(r, Standardize(r.G, r.In(0), Spatial(r), Epsilon(r)).Y,
            PerChannel(r, r.In(1)), PerChannel(r, r.In(2)))),
        Fused("GroupNormalization", 18, r =>
        {
            var groups = r.Int("num_groups", 1);
            var y = Affine(r, Grouped(r, groups), r.G.Reshape(r.In(1), groups, 1), r.G.Reshape(r.In(2), groups, 1));
            return r.ReshapeLikeIn(y, 0);
        }),
        Fused("GroupNormalization", 21, r =>
            Affine(r, r.ReshapeLikeIn(Grouped(r, r.Int("num_groups", 1)), 0), PerChannel(r, r.In(1)), PerChannel(r, r.In(2)))),
        Fused("MeanVarianceNormalization", 13, r =>
            Standardize(r.G, r.In(0), [.. (r.Ints("axes") ?? [0, 2, 3]).Select(a => (long)r.InType(0).Axis(a))], 1e-9f).Y),
        Fused("LRN", 13, ResponseNormalization),
    ];

    /// <summary>(x − mean)·inv with inv = 1/√(var + ε), mean and var over the axes.</summary>
    public static (Value Y, Value Mean, Value Inverse) Standardize(GraphBuilder g, Value x, long[] axes, float epsilon)
    {
        var mean = g.ReduceMean(x, axes, keep: true);
        var centred = g.Sub(x, mean);
        var inverse = InverseRoot(g, centred, axes, epsilon);
        return (g.Mul(centred, inverse), mean, inverse);
    }

    /// <summary>x/√(mean x² + ε)·scale (Zhang and Sennrich, NeurIPS 2019).</summary>
    static (Value Y, Value Inverse) RootMeanSquare(RuleContext r, long[] axes)
    {
        var inverse = InverseRoot(r.G, r.In(0), axes, Epsilon(r));
        return (Affine(r, r.G.Mul(r.In(0), inverse), r.In(1), null), inverse);
    }

    public static Value InverseRoot(GraphBuilder g, Value x, long[] axes, float epsilon) =>
        g.Reciprocal(g.Sqrt(g.Add(g.ReduceMean(g.Mul(x, x), axes, keep: true), g.Scalar(epsilon))));

    static Value Affine(RuleContext r, Value y, Value scale, Value? bias) =>
        bias is { } b ? r.G.Add(r.G.Mul(y, scale), b) : r.G.Mul(y, scale);

    static float Epsilon(RuleContext r) => r.Float("epsilon", 1e-5f);

    /// <summary>The axes from the attribute "axis" to the last.</summary>
    static long[] Trailing(RuleContext r, long otherwise)
    {
        var first = r.InType(0).Axis(r.Int("axis", otherwise));
        return [.. Enumerable.Range(first, r.InType(0).Rank - first).Select(a => (long)a)];
    }

    static long[] Spatial(RuleContext r) => [.. Enumerable.Range(2, r.InType(0).Rank - 2).Select(a => (long)a)];

    /// <summary>[N, groups, …] standardised within each group.</summary>
    static Value Grouped(RuleContext r, long groups) => Standardize(r.G, r.G.Reshape(r.In(0), 0, groups, -1), [2], Epsilon(r)).Y;

    static Value PerChannel(RuleContext r, Value vector) =>
        r.InType(0).Rank == 2 ? vector : r.G.Reshape(vector, [-1, .. Enumerable.Repeat(1L, r.InType(0).Rank - 2)]);

    /// <summary>x·(bias + α/size·Σ x²)^(−β), the sum over neighbouring channels (Krizhevsky et al., NIPS 2012).</summary>
    static Value ResponseNormalization(RuleContext r)
    {
        var size = r.Int("size", 1);
        var padding = new long[2 * r.InType(0).Rank];
        (padding[1], padding[r.InType(0).Rank + 1]) = ((size - 1) / 2, size / 2);
        var squares = r.G.Pad(r.G.Mul(r.In(0), r.In(0)), padding);
        // The last window ends where the padded channels end: counted from the back, no size needs to be known.
        Value[] neighbours = [.. Enumerable.Range(0, (int)size).Select(i => i == size - 1 && i == 0 ? squares
            : r.G.Slice(squares, [i], [i == size - 1 ? long.MaxValue : i - size + 1], [1], [1]))];
        var sum = r.G.Scale(r.G.Add("Sum", neighbours), r.Float("alpha", 1e-4f) / size);
        return r.G.Mul(r.In(0), r.G.Pow(r.G.Add(sum, r.G.Scalar(r.Float("bias", 1))), r.G.Scalar(-r.Float("beta", 0.75f))));
    }
}
