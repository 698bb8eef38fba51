using RegistryUnlearn.Onnx.Graphs;

namespace RegistryUnlearn.Onnx.Gradients.Rules;

/// <summary>Sums, means and extrema along axes.</summary>
static class Reductions
{
    public static IReadOnlyList<Rule> Rules { get; } =
    [
        new("", "ReduceSum", 13, r => [Repeat(r, r.DOut())]),
        new("", "ReduceMean", 13, r => [Repeat(r, Mean(r))]),
        new("", "ReduceMax", 13, Extremum),
        new("", "ReduceMin", 13, Extremum),
        Rule.Fused("GlobalMaxPool", 1, r => r.G.ReduceMax(r.In(0), Spatial(r), keep: true)),
        new("", "GlobalAveragePool", 1, r => [r.G.Expand(MeanOver(r, Spatial(r)), r.ShapeOfIn(0))]),
    ];

    static long[] Spatial(RuleContext r) => [.. Enumerable.Range(2, r.InType(0).Rank - 2).Select(a => (long)a)];

    /// <summary>The reduced axes: an attribute in older forms, an input in newer ones, all axes when absent or empty.</summary>
    public static long[] Axes(RuleContext r)
    {
        var axes = r.HasIn(1) ? r.ConstantInts(1) : r.Ints("axes") ?? [];
        return axes.Length > 0 ? [.. axes.Select(a => (long)r.InType(0).Axis(a))]
            : r.Int("noop_with_empty_axes", 0) == 1 ? [] : [.. Enumerable.Range(0, r.InType(0).Rank).Select(a => (long)a)];
    }

    public static Value KeepDims(RuleContext r, Value reduced)
    {
        var axes = Axes(r);
        return r.Int("keepdims", 1) == 1 || axes.Length == 0 ? reduced : r.G.Unsqueeze(reduced, axes);
    }

    static Value Repeat(RuleContext r, Value reduced) => Repeated(r, KeepDims(r, reduced));

    /// <summary>A value with the reduced axes kept, repeated along them.</summary>
    public static Value Repeated(RuleContext r, Value kept) => r.G.Expand(kept, r.ShapeOfIn(0));

    static Value Mean(RuleContext r) => MeanOver(r, Axes(r));

    static Value MeanOver(RuleContext r, long[] axes)
    {
        var dims = axes.Select(a => r.InType(0).Shape[(int)a]).ToArray();
        if (dims.All(d => d.IsFixed))
            return r.G.Scale(r.DOut(), 1f / dims.Aggregate(1L, (n, d) => n * d.Size));
        var sizes = r.G.Gather(r.G.Shape(r.In(0)), r.G.Ints(axes), 0);
        return r.G.Div(r.DOut(), r.G.Cast(r.G.Add("ReduceProd", [sizes], Attributes.Of("keepdims", 0L))));
    }

    /// <summary>Elements that tie for the extremum share the gradient equally (as torch.amax does).</summary>
    static Value?[] Extremum(RuleContext r)
    {
        var at = r.G.Cast(r.G.Equal(r.In(0), KeepDims(r, r.Out(0))));
        var share = r.G.Div(at, r.G.ReduceSum(at, Axes(r), keep: true));
        return [r.G.Mul(share, KeepDims(r, r.DOut()))];
    }
}
