using RegistryUnlearn.Onnx.Graphs;

namespace RegistryUnlearn.Onnx.Gradients.Rules;

/// <summary>The activation functions that a recurrent layer can name (ONNX operator specification, "RNN").</summary>
static class RecurrentActivations
{
    /// <summary>The functions of a layer, their inputs clipped where the layer asks for it.</summary>
    /// <param name="otherwise">The names where the layer gives none; as many as it needs.</param>
    public static Func<Value, Value>[] Of(RuleContext r, string[] otherwise)
    {
        var given = r.Node.Find("activations")?.Strings.Select(s => s.ToStringUtf8()).ToArray() ?? [];
        var names = given.Length == 0 ? otherwise : given;
        Queue<float> alphas = Parameters("activation_alpha"), betas = Parameters("activation_beta");
        var clip = r.Float("clip", 0);
        return [.. names.Select(name =>
        {
            var function = Named(r, name, alphas, betas);
            return clip > 0 ? x => function(r.G.Add("Clip", [x, r.G.Scalar(-clip), r.G.Scalar(clip)])) : function;
        })];

        Queue<float> Parameters(string attribute) => new(r.Node.Find(attribute)?.Floats.ToArray() ?? []);
    }

    static Func<Value, Value> Named(RuleContext r, string name, Queue<float> alphas, Queue<float> betas)
    {
        var g = r.G;
        switch (name.ToUpperInvariant())
        {
            case "RELU" or "TANH" or "SIGMOID" or "SOFTSIGN" or "SOFTPLUS":
                var op = name[..1].ToUpperInvariant() + name[1..].ToLowerInvariant();
                return x => g.Add(op, [x]);
            case "LEAKYRELU":
                return WithAlpha("LeakyRelu", 0.01f);
            case "THRESHOLDEDRELU":
                return WithAlpha("ThresholdedRelu", 1);
            case "ELU":
                return WithAlpha("Elu", 1);
            case "HARDSIGMOID":
                float slope = Next(alphas, 0.2f), middle = Next(betas, 0.5f);
                return x => g.Add("HardSigmoid", [x], Attributes.Of("alpha", slope), Attributes.Of("beta", middle));
            case "SCALEDTANH":
                float outer = Next(alphas, 1), inner = Next(betas, 1);
                return x => g.Scale(g.Tanh(g.Scale(x, inner)), outer);
            case "AFFINE":
                float factor = Next(alphas, 1), offset = Next(betas, 0);
                return x => g.Add(g.Scale(x, factor), g.Scalar(offset));
            default:
                throw r.Refuse($"activation '{name}'", "export it with one of the activations of the ONNX operator specification");
        }

        Func<Value, Value> WithAlpha(string op, float otherwise)
        {
            var alpha = Next(alphas, otherwise);
            return x => g.Add(op, [x], Attributes.Of("alpha", alpha));
        }

        static float Next(Queue<float> values, float otherwise) => values.TryDequeue(out var value) ? value : otherwise;
    }
}
