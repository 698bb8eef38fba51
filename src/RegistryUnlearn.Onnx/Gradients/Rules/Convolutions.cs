using RegistryUnlearn.Onnx.Graphs;
using RegistryUnlearn.Onnx.Lowering;

namespace RegistryUnlearn.Onnx.Gradients.Rules;

/// <summary>
/// Convolution and its two transposes. All three are bilinear in the same two of {image, kernel, output}, so their derivatives are
/// each other: conv(X, W), input gradient (dY, W), weight gradient (X, dY).
/// </summary>
static class Convolutions
{
    public static IReadOnlyList<Rule> Rules { get; } =
    [
        new("", "Conv", 11, Conv),
        new("", "ConvTranspose", 11, ConvTranspose),
        Adjoint.Rule(Adjoint.ConvGradInputOp, r =>
            [Forward(r, r.DOut(), r.In(1)), WeightGradient(r, Geometry.Of(r.Node), r.DOut(), r.In(0)), null]),
        Adjoint.Rule(Adjoint.ConvGradWeightOp, r =>
            [InputGradient(r, Geometry.Of(r.Node), r.In(1), r.DOut(), r.In(0)), Forward(r, r.In(0), r.DOut())]),
    ];

    static Value?[] Conv(RuleContext r)
    {
        var geometry = Geometry.Of(r.Node, r.InType(0), r.InType(1));
        return
        [
            InputGradient(r, geometry, r.DOut(), r.In(1), r.In(0)),
            WeightGradient(r, geometry, r.In(0), r.DOut()),
            Bias(r, geometry),
        ];
    }

    /// <summary>The input gradient of the convolution that leads from the output back to the input.</summary>
    static Value?[] ConvTranspose(RuleContext r)
    {
        var geometry = Geometry.OfTransposed(r.Node, r.InType(0), r.InType(1), r.OutType());
        return
        [
            r.G.Add("Conv", [r.DOut(), r.In(1)], geometry.Convolution),
            WeightGradient(r, geometry, r.DOut(), r.In(0)),
            Bias(r, geometry),
        ];
    }

    static Value? Bias(RuleContext r, Geometry geometry) => r.HasIn(2)
        ? r.G.ReduceSum(r.DOut(), [0, .. Enumerable.Range(2, geometry.Rank).Select(a => (long)a)], keep: false) : null;

    static Value InputGradient(RuleContext r, Geometry geometry, Value dy, Value w, Value x) =>
        Adjoint.Emit(r.G, Adjoint.ConvGradInputOp, [dy, w, x], geometry.Complete);

    static Value WeightGradient(RuleContext r, Geometry geometry, Value x, Value dy) =>
        Adjoint.Emit(r.G, Adjoint.ConvGradWeightOp, [x, dy], geometry.Complete);

    static Value Forward(RuleContext r, Value x, Value w) => r.G.Add("Conv", [x, w], Geometry.Of(r.Node).Convolution);
}
