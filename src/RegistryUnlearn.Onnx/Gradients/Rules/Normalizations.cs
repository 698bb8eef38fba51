using RegistryUnlearn.Onnx.Graphs;
using RegistryUnlearn.Onnx.Models;

namespace RegistryUnlearn.Onnx.Gradients.Rules;

/// <summary>Normalisation with stored statistics.</summary>
static class Normalizations
{
    public static IReadOnlyList<Rule> Rules { get; } = [new("", "BatchNormalization", 14, BatchNormalization)];

    /// <summary>
    /// y = (x − mean)·inv·scale + bias with inv = 1/√(var + ε): affine in x, scale and bias; the statistics are constants.
    /// </summary>
    static Value?[] BatchNormalization(RuleContext r)
    {
        if (r.Int("training_mode", 0) == 1)
            throw new OnnxModelException($"BatchNormalization (node '{r.Node.Name}') is in training mode; export the model for inference, "
                + "the graph that is edited is the graph that is served");
        var rank = r.InType(0).Rank;
        long[] allButChannel = [0, .. Enumerable.Range(2, rank - 2).Select(a => (long)a)];
        var inverse = r.G.Reciprocal(r.G.Sqrt(r.G.Add(r.In(4), r.G.Scalar(r.Float("epsilon", 1e-5f)))));
        var normalized = r.G.Mul(r.G.Sub(r.In(0), PerChannel(r.In(3))), PerChannel(inverse));
        return
        [
            r.G.Mul(r.DOut(), PerChannel(r.G.Mul(r.In(1), inverse))),
            r.G.ReduceSum(r.G.Mul(r.DOut(), normalized), allButChannel, keep: false),
            r.G.ReduceSum(r.DOut(), allButChannel, keep: false),
        ];

        Value PerChannel(Value vector) => rank == 2 ? vector : r.G.Reshape(vector, [-1, .. Enumerable.Repeat(1L, rank - 2)]);
    }
}
