using RegistryUnlearn.Onnx.Graphs;
using static RegistryUnlearn.Onnx.Gradients.Rule;

namespace RegistryUnlearn.Onnx.Gradients.Rules;

/// <summary>Circular and hyperbolic functions and their inverses.</summary>
static class Trigonometry
{
    public static IReadOnlyList<Rule> Rules { get; } =
    [
        Unary("Sin", 7, r => r.G.Mul(r.DOut(), r.G.Add("Cos", [r.In(0)]))),
        Unary("Cos", 7, r => r.G.Neg(r.G.Mul(r.DOut(), r.G.Add("Sin", [r.In(0)])))),
        Unary("Tan", 7, r => r.G.Mul(r.DOut(), r.G.Add(r.G.Scalar(1), r.G.Mul(r.Out(0), r.Out(0))))),
        Unary("Asin", 7, r => r.G.Div(r.DOut(), r.G.Sqrt(r.G.Sub(r.G.Scalar(1), Square(r))))),
        Unary("Acos", 7, r => r.G.Neg(r.G.Div(r.DOut(), r.G.Sqrt(r.G.Sub(r.G.Scalar(1), Square(r)))))),
        Unary("Atan", 7, r => r.G.Div(r.DOut(), r.G.Add(Square(r), r.G.Scalar(1)))),
        Unary("Sinh", 9, r => r.G.Mul(r.DOut(), r.G.Add("Cosh", [r.In(0)]))),
        Unary("Cosh", 9, r => r.G.Mul(r.DOut(), r.G.Add("Sinh", [r.In(0)]))),
        Unary("Asinh", 9, r => r.G.Div(r.DOut(), r.G.Sqrt(r.G.Add(Square(r), r.G.Scalar(1))))),
        Unary("Acosh", 9, r => r.G.Div(r.DOut(), r.G.Sqrt(r.G.Sub(Square(r), r.G.Scalar(1))))),
        Unary("Atanh", 9, r => r.G.Div(r.DOut(), r.G.Sub(r.G.Scalar(1), Square(r)))),
    ];

    static Value Square(RuleContext r) => r.G.Mul(r.In(0), r.In(0));
}
