using RegistryUnlearn.Onnx.Graphs;
using static RegistryUnlearn.Onnx.Gradients.Rule;

namespace RegistryUnlearn.Onnx.Gradients.Rules;

/// <summary>Activation functions of networks beyond the elementary ones.</summary>
static class Activations
{
    public static IReadOnlyList<Rule> Rules { get; } =
    [
        // Below zero the derivative is the function's own exponential part: α·eˣ = y + α, and so on.
        Unary("Elu", 6, r => Piecewise(r, 1, r.G.Add(r.Out(0), r.G.Scalar(r.Float("alpha", 1))))),
        Unary("Selu", 6, r => Piecewise(r, r.Float("gamma", 1.05070102f),
            r.G.Add(r.Out(0), r.G.Scalar(r.Float("gamma", 1.05070102f) * r.Float("alpha", 1.67326319f))))),
        Unary("Celu", 12, r => Piecewise(r, 1, r.G.Add(r.G.Scale(r.Out(0), 1 / r.Float("alpha", 1)), r.G.Scalar(1)))),
        Unary("HardSigmoid", 6, r => r.G.Scale(
            Masked(r, r.G.And(r.G.Greater(r.Out(0), r.G.Scalar(0)), r.G.Less(r.Out(0), r.G.Scalar(1)))), r.Float("alpha", 0.2f))),
        Unary("ThresholdedRelu", 10, r => Masked(r, r.G.Greater(r.In(0), r.G.Scalar(r.Float("alpha", 1))))),
        Unary("Shrink", 9, r => Masked(r, r.G.Greater(r.G.Abs(r.In(0)), r.G.Scalar(r.Float("lambd", 0.5f))))),
        Unary("Softsign", 1, r => r.G.Sub(r.G.Scalar(1), r.G.Abs(r.Out(0))) is var root ? r.G.Mul(r.DOut(), r.G.Mul(root, root)) : default),
        new("", "PRelu", 9, PRelu),
        Fused("HardSwish", 14, r => r.G.Mul(r.In(0),
            r.G.Add("HardSigmoid", [r.In(0)], Attributes.Of("alpha", 1 / 6f), Attributes.Of("beta", 0.5f)))),
        Fused("Mish", 18, r => r.G.Mul(r.In(0), r.G.Tanh(r.G.Softplus(r.In(0))))),
        Fused("Gelu", 20, r => r.Node.Text("approximate", "none") is "tanh" ? TanhGelu(r.G, r.In(0)) : Gelu(r.G, r.In(0))),
        Fused("Swish", 24, r => Swish(r.G, r.In(0), r.Float("alpha", 1))),
    ];

    /// <summary>x·Φ(x), Φ the standard normal distribution (Hendrycks and Gimpel, 2016).</summary>
    public static Value Gelu(GraphBuilder g, Value x) =>
        g.Mul(x, g.Scale(g.Add(g.Add("Erf", [g.Scale(x, 0.70710678f)]), g.Scalar(1)), 0.5f));

    /// <summary>x·(1 + tanh(√(2/π)·(x + 0.044715·x³)))/2, the approximation of the same paper.</summary>
    public static Value TanhGelu(GraphBuilder g, Value x)
    {
        var inner = g.Scale(g.Mul(x, g.Add(g.Scale(g.Mul(x, x), 0.044715f), g.Scalar(1))), 0.79788456f);
        return g.Mul(x, g.Scale(g.Add(g.Tanh(inner), g.Scalar(1)), 0.5f));
    }

    /// <summary>x·σ(αx).</summary>
    public static Value Swish(GraphBuilder g, Value x, float alpha) => g.Mul(x, g.Sigmoid(g.Scale(x, alpha)));

    /// <summary>The gradient where the condition holds, zero elsewhere.</summary>
    static Value Masked(RuleContext r, Value condition) => r.G.Mul(r.DOut(), r.G.Cast(condition));

    /// <summary>A constant derivative where the input is positive, another derivative elsewhere.</summary>
    static Value Piecewise(RuleContext r, float above, Value below) =>
        r.G.Mul(r.DOut(), r.G.Where(r.G.Greater(r.In(0), r.G.Scalar(0)), r.G.Scalar(above), below));

    static Value?[] PRelu(RuleContext r)
    {
        Value negative = r.G.Less(r.In(0), r.G.Scalar(0)), below = r.G.Mul(r.DOut(), r.G.Cast(negative));
        return [r.G.Where(negative, r.G.Mul(r.DOut(), r.In(1)), r.DOut()), r.Unbroadcast(r.G.Mul(below, r.In(0)), 1)];
    }
}
