using RegistryUnlearn.Onnx.Graphs;
using RegistryUnlearn.Onnx.Proto;

namespace RegistryUnlearn.Onnx.Gradients.Rules;

/// <summary>Losses that a model has as nodes. Classes are on axis 1; labels, int32 or int64, have the other axes.</summary>
static class LossNodes
{
    public static IReadOnlyList<Rule> Rules { get; } =
    [
        Rule.Fused("NegativeLogLikelihoodLoss", 13, r => NegativeLogLikelihood(r, r.In(0))),
        Rule.Fused("SoftmaxCrossEntropyLoss", 13, r =>
        {
            var logs = r.G.LogSoftmax(r.In(0), 1);
            return [NegativeLogLikelihood(r, logs), logs];
        }),
    ];

    /// <summary>Inputs: log probabilities, labels, a weight per class. The mean is weighted; labels to ignore have no weight.</summary>
    static Value NegativeLogLikelihood(RuleContext r, Value logs)
    {
        var g = r.G;
        var labels = r.InType(1).Element is TensorProto.Types.DataType.Int64 ? r.In(1) : g.Cast(r.In(1), TensorProto.Types.DataType.Int64);
        Value? weights = null;
        if (r.Node.Find("ignore_index") is { } ignored)
        {
            var none = g.Equal(labels, g.Ints(ignored.I));
            weights = g.Where(none, g.Scalar(0), g.Scalar(1));
            labels = g.Where(none, g.Ints(0), labels);
        }
        if (r.HasIn(2))
            weights = g.Gather(r.In(2), labels, 0) is var classes && weights is { } kept ? g.Mul(classes, kept) : classes;
        var losses = g.Neg(g.Squeeze(g.Add("GatherElements", [logs, g.Unsqueeze(labels, 1)], Attributes.Of("axis", 1L)), 1));
        if (weights is { } w)
            losses = g.Mul(losses, w);
        return r.Node.Text("reduction", "mean") switch
        {
            "none" => losses,
            "sum" => g.SumAll(losses),
            _ => weights is { } by ? g.Div(g.SumAll(losses), g.SumAll(by)) : g.MeanAll(losses),
        };
    }
}
