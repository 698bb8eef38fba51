using RegistryUnlearn.Onnx.Graphs;
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

    static Value LpNormalization(RuleContext r)
    {
        long[] axes = [r.InType(0).Axis(r.Int("axis", -1))];
        var norm = r.Int("p", 2) == 1 ? r.G.ReduceSum(r.G.Abs(r.In(0)), axes, keep: true) : r.G.ReduceL2(r.In(0), axes, keep: true);
        return r.G.Div(r.In(0), OneForZero(r.G, norm));
    }
}
