using RegistryUnlearn.Onnx.Graphs;
using RegistryUnlearn.Onnx.Lowering;

namespace RegistryUnlearn.Onnx.Gradients.Rules;

/// <summary>Operators that move or repeat elements without computing: the gradient moves them back and sums the repetitions.</summary>
static class Shaping
{
    public static IReadOnlyList<Rule> Rules { get; } =
    [
        new("", "Reshape", 5, Back),
        new("", "Flatten", 9, Back),
        new("", "Squeeze", 13, r => r.HasIn(1) ? [r.G.Add("Unsqueeze", [r.DOut(), r.In(1)])] : Back(r)),
        new("", "Unsqueeze", 13, r => [r.G.Add("Squeeze", [r.DOut(), r.In(1)])]),
        new("", "Transpose", 1, r => [r.G.Transpose(r.DOut(), InversePermutation(r))]),
        new("", "Expand", 8, r => [r.Unbroadcast(r.DOut(), 0)]),
        new("", "Concat", 4, Concat),
        new("", "Split", 13, r => [r.G.Concat([.. Enumerable.Range(0, r.OutputCount).Select(r.DOut)], r.Int("axis", 0))]),
        new("", "Slice", 10, r => [Adjoint.SliceGrad(r.G, r.DOut(), r.Node, r.InType(0))]),
        Adjoint.Rule(Adjoint.SliceGradOp, r => [r.G.Add("Slice", [r.DOut(), .. Enumerable.Range(2, r.InputCount - 2).Select(r.In)])]),
        new("", "Pad", 13, Pad),
        new("", "Trilu", 14, r => [r.G.Add("Trilu", r.HasIn(1) ? [r.DOut(), r.In(1)] : [r.DOut()],
            Attributes.Of("upper", r.Int("upper", 1)))]),
        // The transpose of a running sum runs the other way.
        new("", "CumSum", 11, r => [r.G.Add("CumSum", [r.DOut(), r.In(1)],
            Attributes.Of("exclusive", r.Int("exclusive", 0)), Attributes.Of("reverse", 1 - r.Int("reverse", 0)))]),
    ];

    static Value?[] Back(RuleContext r) => [r.ReshapeLikeIn(r.DOut(), 0)];

    static long[] InversePermutation(RuleContext r)
    {
        var permutation = r.Ints("perm") ?? [.. Enumerable.Range(0, r.InType(0).Rank).Reverse().Select(a => (long)a)];
        var inverse = new long[permutation.Length];
        for (var i = 0; i < permutation.Length; i++)
            inverse[permutation[i]] = i;
        return inverse;
    }

    static Value?[] Concat(RuleContext r)
    {
        var axis = r.OutType().Axis(r.Int("axis", 0));
        var parts = Enumerable.Range(0, r.InputCount).ToArray();
        var sizes = parts.All(i => r.InType(i).Shape[axis].IsFixed)
            ? r.G.Ints([.. parts.Select(i => r.InType(i).Shape[axis].Size)])
            : r.G.Concat([.. parts.Select(i => r.G.Gather(r.G.Shape(r.In(i)), r.G.Ints(axis), 0))], 0);
        var outs = new Value[parts.Length];
        for (var i = 0; i < outs.Length; i++)
            outs[i] = new Value(r.G.Fresh($"Split.{r.Node.Output[0]}.{i}"));
        r.G.Add("Split", [r.DOut(), sizes], outs, Attributes.Of("axis", (long)axis));
        return [.. outs.Select(o => (Value?)o)];
    }

    /// <summary>Constant padding is cut off again; in other modes every element receives the gradients of its repetitions.</summary>
    static Value?[] Pad(RuleContext r)
    {
        var pads = r.ConstantInts(1);
        long[] axes = r.HasIn(3)
            ? [.. r.ConstantInts(3).Select(a => (long)r.InType(0).Axis(a))]
            : [.. Enumerable.Range(0, pads.Length / 2).Select(a => (long)a)];
        if (r.Node.Text("mode", "constant") is not "constant" and var mode)
            return [RepeatedPad(r, mode, axes, pads)];
        long[] starts = pads[..axes.Length];
        // A negative pad cut elements off: they come back as zeros.
        var restored = r.DOut();
        if (pads.Any(p => p < 0))
        {
            var grow = new long[2 * r.InType(0).Rank];
            for (var i = 0; i < axes.Length; i++)
            {
                grow[axes[i]] = Math.Max(0, -pads[i]);
                grow[axes[i] + r.InType(0).Rank] = Math.Max(0, -pads[i + axes.Length]);
            }
            restored = r.G.Pad(restored, grow);
        }
        var cut = axes.Select((a, i) => (a, From: Math.Max(0, starts[i]), Until: Math.Max(0, pads[i + axes.Length])))
            .Where(c => c.From + c.Until > 0).ToArray();
        return cut.Length == 0 ? [restored] :
        [
            r.G.Slice(restored, [.. cut.Select(c => c.From)], [.. cut.Select(c => c.Until > 0 ? -c.Until : long.MaxValue)],
                [.. cut.Select(c => c.a)], [.. cut.Select(_ => 1L)]),
        ];
    }

    static Value RepeatedPad(RuleContext r, string mode, long[] axes, long[] pads)
    {
        var gradient = r.DOut();
        for (var i = 0; i < axes.Length; i++)
        {
            if (pads[i] == 0 && pads[i + axes.Length] == 0)
                continue;
            var size = AxisMaps.FixedSize(r, (int)axes[i]);
            int[] from =
                [.. Enumerable.Range(0, (int)(size + pads[i] + pads[i + axes.Length])).Select(o => Source((int)(o - pads[i]), size))];
            gradient = AxisMaps.Apply(r.G, gradient, r.InType(0).Rank, (int)axes[i], AxisMaps.Selection(from, size, transposed: true));
        }
        return gradient;

        int Source(int at, int size) => mode switch
        {
            "edge" => Math.Clamp(at, 0, size - 1),
            "wrap" => Modulo(at, size),
            _ when size == 1 => 0,
            _ => Modulo(at, 2 * size - 2) is var i && i < size ? i : 2 * size - 2 - i,
        };

        static int Modulo(int at, int period) => ((at % period) + period) % period;
    }
}
