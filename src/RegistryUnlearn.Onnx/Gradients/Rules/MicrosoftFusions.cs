using RegistryUnlearn.Onnx.Graphs;
using RegistryUnlearn.Onnx.Models;
using RegistryUnlearn.Onnx.Proto;

namespace RegistryUnlearn.Onnx.Gradients.Rules;

/// <summary>Operators of the domain com.microsoft that ONNX Runtime's optimizer puts in the place of several standard ones.</summary>
static class MicrosoftFusions
{
    const string Domain = "com.microsoft";

    public static IReadOnlyList<Rule> Rules { get; } =
    [
        Fused("Gelu", r => [Activations.Gelu(r.G, r.In(0))]),
        Fused("BiasGelu", r => [Activations.Gelu(r.G, r.G.Add(r.In(0), r.In(1)))]),
        Fused("FastGelu", r => [Activations.TanhGelu(r.G, r.HasIn(1) ? r.G.Add(r.In(0), r.In(1)) : r.In(0))]),
        Fused("QuickGelu", r => [Activations.Swish(r.G, r.In(0), r.Float("alpha", 1.702f))]),
        Fused("FusedMatMul", FusedMatMul),
        Fused("FusedGemm", r => [Activated(r, r.G.Add("Gemm", Ins(r, 3), WithoutActivation(r)))]),
        Fused("FusedConv", FusedConv),
        Fused("SkipLayerNormalization", SkipLayerNormalization),
        Fused("SkipSimplifiedLayerNormalization", SkipSimplifiedLayerNormalization),
        Fused("EmbedLayerNormalization", EmbedLayerNormalization),
    ];

    static Rule Fused(string op, Func<RuleContext, Value?[]> decompose) => Rule.Fused(op, 1, decompose, Domain);

    /// <summary>The first inputs that the node has, at most so many.</summary>
    static Value[] Ins(RuleContext r, int count) => [.. Enumerable.Range(0, count).Where(r.HasIn).Select(r.In)];

    /// <summary>alpha · op(A) · op(B).</summary>
    static Value?[] FusedMatMul(RuleContext r)
    {
        if (r.Int("transBatchA", 0) == 1 || r.Int("transBatchB", 0) == 1)
            throw new OnnxModelException($"FusedMatMul (node '{r.Node.Name}') with transBatchA or transBatchB has no gradient rule; use "
                + "the model as it was before ONNX Runtime optimized it");
        return [r.G.Scale(r.G.MatMul(Operand(0, "transA"), Operand(1, "transB")), r.Float("alpha", 1))];

        Value Operand(int i, string transposed)
        {
            var rank = r.InType(i).Rank;
            return rank < 2 || r.Int(transposed, 0) == 0 ? r.In(i)
                : r.G.Transpose(r.In(i), [.. Enumerable.Range(0, rank - 2).Select(a => (long)a), rank - 1, rank - 2]);
        }
    }

    /// <summary>Convolution, then the sum with a fourth input, then an activation.</summary>
    static Value?[] FusedConv(RuleContext r)
    {
        var y = r.G.Add("Conv", Ins(r, 3), WithoutActivation(r));
        return [Activated(r, r.HasIn(3) ? r.G.Add(y, r.In(3)) : y)];
    }

    static AttributeProto[] WithoutActivation(RuleContext r) =>
        [.. r.Node.Attribute.Where(a => !a.Name.StartsWith("activation", StringComparison.Ordinal))];

    static Value Activated(RuleContext r, Value y)
    {
        var parameters = r.Node.Find("activation_params")?.Floats.ToArray() ?? [];
        return r.Node.Text("activation", "") switch
        {
            "" => y,
            "Relu" or "Tanh" or "Sigmoid" => r.G.Add(r.Node.Text("activation", ""), [y]),
            "LeakyRelu" => r.G.Add("LeakyRelu", [y], Attributes.Of("alpha", Parameter(0, "activation_alpha", 0.01f))),
            "HardSigmoid" => r.G.Add("HardSigmoid", [y],
                Attributes.Of("alpha", Parameter(0, "activation_alpha", 0.2f)),
                Attributes.Of("beta", Parameter(1, "activation_beta", 0.5f))),
            "Clip" when parameters.Length == 2 => r.G.Add("Clip", [y, r.G.Scalar(parameters[0]), r.G.Scalar(parameters[1])]),
            var other => throw new OnnxModelException($"{r.Node.OpType} (node '{r.Node.Name}') with activation '{other}' has no gradient "
                + "rule; use the model as it was before ONNX Runtime optimized it"),
        };

        // FusedConv lists its parameters, FusedGemm names them.
        float Parameter(int i, string name, float otherwise) => i < parameters.Length ? parameters[i] : r.Float(name, otherwise);
    }

    /// <summary>Inputs: input, skip, gamma, beta, bias. Outputs: y, mean, 1/deviation, input + skip + bias.</summary>
    static Value?[] SkipLayerNormalization(RuleContext r)
    {
        var sum = SkipSum(r, bias: 4);
        var (y, mean, inverse) = SampleNormalizations.Standardize(r.G, sum, [r.InType(0).Rank - 1], r.Float("epsilon", 1e-12f));
        y = r.G.Mul(y, r.In(2));
        return [r.HasIn(3) ? r.G.Add(y, r.In(3)) : y, mean, inverse, sum];
    }

    /// <summary>Inputs: input, skip, gamma, bias. Outputs as above; there is no mean.</summary>
    static Value?[] SkipSimplifiedLayerNormalization(RuleContext r)
    {
        var sum = SkipSum(r, bias: 3);
        var inverse = SampleNormalizations.InverseRoot(r.G, sum, [r.InType(0).Rank - 1], r.Float("epsilon", 1e-12f));
        return [r.G.Mul(r.G.Mul(sum, inverse), r.In(2)), null, inverse, sum];
    }

    /// <summary>
    /// Inputs: words, segments [batch, steps], tables of words, positions and segments, gamma, beta, mask (1: no padding), positions.
    /// Outputs: y, words per sample, sum of the embeddings.
    /// </summary>
    static Value?[] EmbedLayerNormalization(RuleContext r)
    {
        var g = r.G;
        var steps = Attending.Size(r, r.In(0), r.InType(0), 1);
        var sum = g.Add(g.Gather(r.In(2), r.In(0), 0), g.Gather(r.In(3), r.HasIn(8) ? r.In(8) : Attending.Positions(g, steps), 0));
        if (r.HasIn(1) && r.HasIn(4))
            sum = g.Add(sum, g.Gather(r.In(4), r.In(1), 0));
        var (y, _, _) = SampleNormalizations.Standardize(g, sum, [2], r.Float("epsilon", 1e-12f));
        var ones = r.HasIn(7) ? r.In(7) : g.Cast(g.Zeros(r.ShapeOfIn(0)), TensorProto.Types.DataType.Int32);
        return [g.Add(g.Mul(y, r.In(5)), r.In(6)), g.ReduceSum(ones, [1], keep: false), sum];
    }

    static Value SkipSum(RuleContext r, int bias)
    {
        var sum = r.G.Add(r.In(0), r.In(1));
        return r.HasIn(bias) ? r.G.Add(sum, r.In(bias)) : sum;
    }
}
