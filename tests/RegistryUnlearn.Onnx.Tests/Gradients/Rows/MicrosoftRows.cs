using RegistryUnlearn.Onnx.Graphs;

namespace RegistryUnlearn.Onnx.Tests.Gradients.Rows;

public sealed class MicrosoftRows
{
    const string Domain = "com.microsoft.";

    internal static readonly RowSet Rows = new(
    [
        new(Domain + "Gelu", "N,3"), new(Domain + "BiasGelu", "N,2,3 | 3"),
        new(Domain + "FastGelu", "N,3"), new(Domain + "FastGelu", "N,3 | 3"),
        new(Domain + "QuickGelu", "N,3"), new(Domain + "QuickGelu", "N,3", "alpha=1.5"),
        new(Domain + "FusedMatMul", "N,3 | 3,5", "alpha=0.5"), new(Domain + "FusedMatMul", "N,3 | 5,3", "transB=1"),
        new(Domain + "FusedMatMul", "N,3,2 | N,4,3", "transA=1 transB=1 alpha=2.0"),
        .. from activation in new[]
            {
                "activation=Relu", "activation=Tanh", "activation=Sigmoid", "activation=LeakyRelu activation_alpha=0.25",
            }
            select new GradientCase(Domain + "FusedGemm", "N,3 | 5,3 | 5", $"{activation} transB=1 alpha=0.5")
                { Step = 1 / 128f, Tolerance = 5e-3 },
        new(Domain + "FusedConv", "N,2,4,5 | 3,2,3,3 | 3", "activation=Tanh pads=[1,1,1,1]"),
        new(Domain + "FusedConv", "N,2,4,5 | 3,2,1,1 | 3 | N,3,4,5", "activation=Sigmoid"),
        new(Domain + "FusedConv", "N,2,4,5 | 3,2,3,3") { Build = (g, x) => [Conv(g, x, "HardSigmoid", 0.03f, 0.5f)] },
        new(Domain + "FusedConv", "N,2,4,5 | 2,2,3,3") { Build = (g, x) => [Conv(g, x, "Clip", -9, 9)] },
        new(Domain + "SkipLayerNormalization", "N,2,4 | N,2,4 | 4 | 4 | 4", "epsilon=0.1"),
        new(Domain + "SkipLayerNormalization", "N,2,4 | N,2,4 | 4") { Build = (g, x) => [Skip(g, x, "SkipLayerNormalization")] },
        new(Domain + "SkipSimplifiedLayerNormalization", "N,2,4 | N,2,4 | 4 | 4", "epsilon=0.1"),
        new(Domain + "SkipSimplifiedLayerNormalization", "N,2,4 | N,2,4 | 4")
        {
            Build = (g, x) => [Skip(g, x, "SkipSimplifiedLayerNormalization")],
        },
    ]);

    public static TheoryData<string, int, bool> Runs => Rows.Runs;

    [Theory, MemberData(nameof(Runs))]
    public void Gradient_agrees_with_difference_quotients(string row, int opset, bool free) => Rows.Check(row, opset, free);

    static Value Conv(GraphBuilder g, Value[] ins, string activation, params float[] parameters)
    {
        var list = new Proto.AttributeProto { Name = "activation_params", Type = Proto.AttributeProto.Types.AttributeType.Floats };
        list.Floats.AddRange(parameters);
        return g.Add(Domain + "FusedConv", ins, Onnx.Graphs.Attributes.Of("activation", activation), list);
    }

    /// <summary>The normalised values times the sum that the residual path goes on with.</summary>
    static Value Skip(GraphBuilder g, Value[] ins, string op)
    {
        Value[] outs = [new("y"), new("mean"), new("inverse"), new("sum")];
        g.Add(Domain + op, ins, outs, Onnx.Graphs.Attributes.Of("epsilon", 0.1f));
        return g.Mul(outs[0], outs[3]);
    }
}
