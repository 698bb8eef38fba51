using RegistryUnlearn.Onnx.Graphs;
using RegistryUnlearn.Onnx.Lowering;
using RegistryUnlearn.Onnx.Models;
using static RegistryUnlearn.Onnx.Gradients.Rule;

namespace RegistryUnlearn.Onnx.Gradients.Rules;

/// <summary>Reductions to norms, products and logarithms of sums. A norm's gradient at zero is zero.</summary>
static class Norms
{
    public static IReadOnlyList<Rule> Rules { get; } =
    [
        Reduction("ReduceL1", (r, _, dy) => r.G.Mul(dy, r.G.Sign(r.In(0)))),
        Reduction("ReduceL2", (r, y, dy) => r.G.Mul(r.G.Div(dy, OneForZero(r.G, y)), r.In(0))),
        Reduction("ReduceSumSquare", (r, _, dy) => r.G.Mul(dy, r.G.Scale(r.In(0), 2))),
        Reduction("ReduceLogSum", (r, y, dy) => Reductions.Repeated(r, r.G.Mul(dy, r.G.Exp(r.G.Neg(y))))),
        Reduction("ReduceLogSumExp", (r, y, dy) => r.G.Mul(dy, r.G.Exp(r.G.Sub(r.In(0), y)))),
        Fused("ReduceProd", 13, Product),
        Fused("LpNormalization", 1, LpNormalization),
        Fused("LpPool", 11, LpPool),
        Fused("GlobalLpPool", 2, r => Root(r.G,
            r.G.ReduceSum(
                Power(r.G, r.In(0), r.Int("p", 2)), [.. Enumerable.Range(2, r.InType(0).Rank - 2).Select(a => (long)a)], keep: true),
            r.Int("p", 2))),
    ];

    /// <summary>A rule of the output and its cotangent, both with the reduced axes kept.</summary>
    static Rule Reduction(string op, Func<RuleContext, Value, Value, Value> gradient) =>
        new("", op, 13, r => [gradient(r, Reductions.KeepDims(r, r.Out(0)), Reductions.KeepDims(r, r.DOut()))]);

    static Value OneForZero(GraphBuilder g, Value x) => g.Where(g.Equal(x, g.Scalar(0)), g.Scalar(1), x);

    /// <summary>Halves multiplied with each other until one element is left: exact where elements are zero, in either derivative.</summary>
    static Value Product(RuleContext r)
    {
        var axes = Reductions.Axes(r);
        var product = r.In(0);
        foreach (var axis in axes)
        {
            if (r.InType(0).Shape[(int)axis] is not { IsFixed: true, Size: > 0 and var size })
                throw new OnnxModelException($"ReduceProd (node '{r.Node.Name}') needs a fixed size of axis {axis} for its gradient; "
                    + "export the model with fixed shapes");
            while (size > 1)
            {
                var half = size / 2;
                var next = r.G.Mul(Part(product, axis, 0, half), Part(product, axis, size - half, size));
                product = size % 2 == 0 ? next : r.G.Concat([next, Part(product, axis, half, half + 1)], axis);
                size -= half;
            }
        }
        return axes.Length == 0 || r.Int("keepdims", 1) == 1 ? product : r.G.Squeeze(product, axes);

        Value Part(Value x, long axis, long from, long until) => r.G.Slice(x, [from], [until], [axis], [1]);
    }

    /// <summary>|x|^p.</summary>
    static Value Power(GraphBuilder g, Value x, long p) => p switch
    {
        1 => g.Abs(x),
        2 => g.Mul(x, x),
        _ => g.Pow(g.Abs(x), g.Scalar(p)),
    };

    /// <summary>The p-th root, with gradient zero at zero.</summary>
    static Value Root(GraphBuilder g, Value x, long p) => p == 1 ? x
        : g.Where(g.Equal(x, g.Scalar(0)), g.Scalar(0), p == 2 ? g.Sqrt(OneForZero(g, x)) : g.Pow(OneForZero(g, x), g.Scalar(1f / p)));

    /// <summary>The norm of every window; its sums are a convolution with ones.</summary>
    static Value LpPool(RuleContext r)
    {
        var (c, p) = (Geometry.Of(r.Node, r.InType(0), null), r.Int("p", 2));
        if (r.Int("ceil_mode", 0) == 1)
            c = c.Extended(r.OutType().Sizes[2..]);
        var ones = new float[c.Channels * c.Taps];
        Array.Fill(ones, 1f);
        var sums = r.G.Add("Conv", [Power(r.G, r.In(0), p), r.G.Constant(Tensors.Of(ones, [c.Channels, 1, .. c.Kernel]))],
            (c with { Group = c.Channels }).Convolution);
        return Root(r.G, sums, p);
    }

    static Value LpNormalization(RuleContext r)
    {
        long[] axes = [r.InType(0).Axis(r.Int("axis", -1))];
        var norm = r.Int("p", 2) == 1 ? r.G.ReduceSum(r.G.Abs(r.In(0)), axes, keep: true) : r.G.ReduceL2(r.In(0), axes, keep: true);
        return r.G.Div(r.In(0), OneForZero(r.G, norm));
    }
}
