using RegistryUnlearn.Onnx.Graphs;
using static RegistryUnlearn.Onnx.Gradients.Rule;

namespace RegistryUnlearn.Onnx.Gradients.Rules;

/// <summary>Operators that work on each element: arithmetic with broadcasting, functions of one variable, selection.</summary>
static class Elementwise
{
    public static IReadOnlyList<Rule> Rules { get; } =
    [
        Binary("Add", 7, r => r.DOut(), r => r.DOut()),
        Binary("Sub", 7, r => r.DOut(), r => r.G.Neg(r.DOut())),
        Binary("Mul", 7, r => r.G.Mul(r.DOut(), r.In(1)), r => r.G.Mul(r.DOut(), r.In(0))),
        Binary("Div", 7, r => r.G.Div(r.DOut(), r.In(1)), r => r.G.Neg(r.G.Div(r.G.Mul(r.DOut(), r.Out(0)), r.In(1)))),
        Binary("Pow", 13, PowBase, PowExponent),
        new("", "Sum", 8, r => [.. Enumerable.Range(0, r.InputCount).Select(i => (Value?)r.Unbroadcast(r.DOut(), i))]),
        new("", "Mean", 8, r =>
            [.. Enumerable.Range(0, r.InputCount).Select(i => (Value?)r.Unbroadcast(r.G.Scale(r.DOut(), 1f / r.InputCount), i))]),
        new("", "Max", 8, Extremum),
        new("", "Min", 8, Extremum),
        new("", "Where", 9, r =>
        [
            null,
            r.Unbroadcast(r.G.Where(r.In(0), r.DOut(), r.G.Scalar(0)), 1),
            r.Unbroadcast(r.G.Where(r.In(0), r.G.Scalar(0), r.DOut()), 2),
        ]),
        new("", "Identity", 1, r => [r.DOut()]),
        new("", "Dropout", 12, Dropout),
        new("", "Cast", 9, CastBack),
        new("", "CastLike", 15, CastBack),

        Unary("Neg", 6, r => r.G.Neg(r.DOut())),
        Unary("Abs", 6, r => r.G.Mul(r.DOut(), r.G.Sign(r.In(0)))),
        Unary("Exp", 6, r => r.G.Mul(r.DOut(), r.Out(0))),
        Unary("Log", 6, r => r.G.Div(r.DOut(), r.In(0))),
        Unary("Sqrt", 6, r => r.G.Div(r.G.Scale(r.DOut(), 0.5f), r.Out(0))),
        Unary("Reciprocal", 6, r => r.G.Neg(r.G.Mul(r.DOut(), r.G.Mul(r.Out(0), r.Out(0))))),
        Unary("Relu", 6, r => r.G.Mul(r.DOut(), r.G.Cast(r.G.Greater(r.Out(0), r.G.Scalar(0))))),
        Unary("LeakyRelu", 6, r => r.G.Mul(r.DOut(), Step(r, r.Float("alpha", 0.01f)))),
        // tanh' = 1 − y², σ' = y·(1 − y)
        Unary("Tanh", 6, r => r.G.Mul(r.DOut(), r.G.Sub(r.G.Scalar(1), r.G.Mul(r.Out(0), r.Out(0))))),
        Unary("Sigmoid", 6, r => r.G.Mul(r.DOut(), r.G.Mul(r.Out(0), r.G.Sub(r.G.Scalar(1), r.Out(0))))),
        Unary("Softplus", 1, r => r.G.Mul(r.DOut(), r.G.Sigmoid(r.In(0)))),
        // erf' = 2/√π · exp(−x²)
        Unary("Erf", 9, r => r.G.Mul(r.DOut(), r.G.Scale(r.G.Exp(r.G.Neg(r.G.Mul(r.In(0), r.In(0)))), 1.1283791670955126f))),
        Unary("Clip", 11, Clip),

        // dx = y·(dy − Σ dy·y) and dx = dy − softmax·Σ dy, sums along the axis
        Unary("Softmax", 13, r => r.G.Mul(r.Out(0), r.G.Sub(r.DOut(), SumAlong(r, r.G.Mul(r.DOut(), r.Out(0)))))),
        Unary("LogSoftmax", 13, r => r.G.Sub(r.DOut(), r.G.Mul(r.G.Exp(r.Out(0)), SumAlong(r, r.DOut())))),
    ];

    static Rule Binary(string op, int since, Func<RuleContext, Value> left, Func<RuleContext, Value> right) =>
        new("", op, since, r => [r.Unbroadcast(left(r), 0), r.Unbroadcast(right(r), 1)]);

    /// <summary>Inputs that tie for the extremum share the gradient equally.</summary>
    static Value?[] Extremum(RuleContext r)
    {
        Value[] hits = [.. Enumerable.Range(0, r.InputCount).Select(i => r.G.Cast(r.G.Equal(r.In(i), r.Out(0))))];
        var share = r.G.Div(r.DOut(), r.G.Add("Sum", hits));
        return [.. hits.Select((hit, i) => (Value?)r.Unbroadcast(r.G.Mul(hit, share), i))];
    }

    /// <summary>The identity, as a served model has it.</summary>
    static Value?[] Dropout(RuleContext r) =>
        !r.HasIn(2) || r.G.IsConstantFalse(r.In(2)) ? [r.DOut()] : throw new Models.OnnxModelException(
            $"Dropout (node '{r.Node.Name}') is in training mode, or its mode is not a constant; export the model for inference, the "
                + "graph that is edited is the graph that is served");

    static Value?[] CastBack(RuleContext r) =>
        [r.InType(0).Element == r.OutType().Element ? r.DOut() : r.G.Cast(r.DOut(), r.InType(0).Element)];

    static Value SumAlong(RuleContext r, Value x) => r.G.ReduceSum(x, [r.Int("axis", -1)], keep: true);

    /// <summary>1 where the input is positive, the given slope elsewhere.</summary>
    static Value Step(RuleContext r, float slope) =>
        r.G.Add(r.G.Scale(r.G.Cast(r.G.Greater(r.In(0), r.G.Scalar(0))), 1 - slope), r.G.Scalar(slope));

    /// <summary>p·x^(p−1); constants up to 2 without Pow, which would give 0·∞ at x = 0 in either derivative.</summary>
    static Value PowBase(RuleContext r)
    {
        var constant = r.G.ConstantFloat(r.In(1)) ?? (r.G.ConstantInts(r.In(1)) is [var n] ? n : null);
        var exponent = r.InType(1).IsFloat ? r.In(1) : r.G.Cast(r.In(1));
        return constant switch
        {
            0f => r.G.Scale(r.DOut(), 0),
            1f => r.DOut(),
            2f => r.G.Mul(r.DOut(), r.G.Scale(r.In(0), 2)),
            { } p => r.G.Mul(r.DOut(), r.G.Scale(r.G.Pow(r.In(0), r.G.Scalar(p - 1)), p)),
            null => r.G.Mul(r.DOut(), r.G.Mul(exponent, r.G.Pow(r.In(0), r.G.Sub(exponent, r.G.Scalar(1))))),
        };
    }

    /// <summary>x^p·log x, and 0 at x = 0.</summary>
    static Value PowExponent(RuleContext r)
    {
        var one = r.G.Scalar(1);
        return r.G.Mul(r.DOut(), r.G.Mul(r.Out(0), r.G.Log(r.G.Where(r.G.Equal(r.In(0), r.G.Scalar(0)), one, r.In(0)))));
    }

    /// <summary>Passes the gradient on the closed interval [min, max].</summary>
    static Value Clip(RuleContext r)
    {
        var gradient = r.DOut();
        if (r.HasIn(1))
            gradient = r.G.Mul(gradient, r.G.Cast(r.G.GreaterOrEqual(r.In(0), r.In(1))));
        if (r.HasIn(2))
            gradient = r.G.Mul(gradient, r.G.Cast(r.G.LessOrEqual(r.In(0), r.In(2))));
        return gradient;
    }
}
