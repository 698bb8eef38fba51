using System.Numerics.Tensors;
using RegistryUnlearn.Onnx.Graphs;
using RegistryUnlearn.Training.Buffers;
using RegistryUnlearn.Unlearning.Data;

namespace RegistryUnlearn.Unlearning.Runs;

/// <summary>
/// Values of parameters before any training. Weights of convolutions are normal with variance 2/fan-in (He et al., ICCV 2015), those of
/// matrix products and recurrent layers with 1/fan-in; embeddings are standard normal, other tensors of two dimensions or more normal with
/// deviation 0.02; scales of normalizations are 1, biases and shifts 0.
/// </summary>
static class Reinitialization
{
    const double Tables = 0.02;

    /// <summary>The slope that PyTorch gives PRelu.</summary>
    const float Slope = 0.25f;

    /// <param name="target">In the host's memory.</param>
    /// <param name="chosen">Which parameters; null for all that the model reads.</param>
    /// <param name="seed">Decides the values; each parameter has a stream of its own.</param>
    public static void Fill(TensorBlock target, ForwardModel model, IReadOnlySet<int>? chosen, ulong seed)
    {
        foreach (var use in model.Uses.Where(u => chosen is null || chosen.Contains(u.Parameter)))
            Fill(target[use.Parameter], use, model.Parameters[use.Parameter].Shape.Count, seed);
    }

    /// <param name="rank">Dimensions of the parameter.</param>
    public static void Fill(Span<float> values, ParameterUse use, int rank, ulong seed)
    {
        if (rank < 2)
        {
            values.Fill(use switch
            {
                { Operator: "PRelu" } => Slope,
                { Operator: "Mul" } or { Operator: "Div" } => 1,
                { Input: 1 } when use.Operator.EndsWith("Normalization", StringComparison.Ordinal) => 1,
                _ => 0,
            });
            return;
        }
        var deviation = use.FanIn > 1 ? Math.Sqrt((use.Operator is "Conv" or "ConvTranspose" ? 2.0 : 1.0) / use.FanIn)
            : use.Operator is "Gather" ? 1 : Tables;
        Rng.For(seed, "initialize", use.Parameter).FillNormal(values);
        TensorPrimitives.Multiply(values, (float)deviation, values);
    }
}
