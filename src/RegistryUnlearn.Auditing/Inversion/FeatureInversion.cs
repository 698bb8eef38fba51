using RegistryUnlearn.Onnx.Graphs;
using RegistryUnlearn.Onnx.Steps;
using RegistryUnlearn.Training.Buffers;
using RegistryUnlearn.Training.Runtime;
using RegistryUnlearn.Unlearning.Data;

namespace RegistryUnlearn.Auditing.Inversion;

/// <param name="Iterations">Steps of a search, 1..100,000; the authors took 10,000.</param>
/// <param name="Restarts">Searches from other noise, of which the one with the lowest cost counts.</param>
/// <param name="Rate">Step in shares of the input's scale, halved at 3/8, 5/8 and 7/8 of the search.</param>
/// <param name="Smoothness">Weight of the total variation.</param>
public sealed record FeatureOptions(int Iterations = 1000, int Restarts = 3, float Rate = 0.04f, float Smoothness = 0.01f);

/// <summary>What a search found.</summary>
/// <param name="Sample">As the network takes it.</param>
/// <param name="Cosine">Between its gradient and the parameters' difference.</param>
public sealed record Reconstruction(float[] Sample, double Cost, double Cosine);

/// <summary>
/// Unlearning inversion of features (Hu et al., IEEE S&amp;P 2024, arXiv 2404.03233): who holds the model before and after looks for an
/// input whose gradient points along the difference of the parameters, since unlearning one sample moves them along that sample's gradient.
/// Adam on the signs of the exact gradient (a gradient of a gradient), inputs kept within their range.
/// </summary>
public sealed class FeatureInversion : IDisposable
{
    const double Decay = 0.9, SquareDecay = 0.999, Tiny = 1e-8;

    readonly GraphSession session;
    readonly BoundStep step;
    readonly TensorBlock difference;
    readonly InputRange range;

    /// <param name="parent">In the host's memory; read by every search, as is <paramref name="child"/> by this constructor.</param>
    public FeatureInversion(ForwardModel model, int classes, TensorBlock parent, TensorBlock child, InputRange range)
    {
        this.range = range;
        difference = new TensorBlock(parent.Layout);
        for (var i = 0; i < difference.TensorCount; i++)
            System.Numerics.Tensors.TensorPrimitives.Subtract(child[i], parent[i], difference[i]);
        session = new GraphSession(InversionGraph.Features(model, classes));
        step = new BoundStep(session, _ => 1, [parent.As(""), difference.As(InversionGraph.Target)]);
    }

    /// <summary>Looks for a sample of a label.</summary>
    /// <param name="labels">Of one sample.</param>
    public Reconstruction Search(ReadOnlySpan<long> labels, FeatureOptions options, ulong seed)
    {
        labels.CopyTo(step["labels"].Longs);
        step[InversionGraph.Smoothness].Floats[0] = options.Smoothness;
        Reconstruction? best = null;
        for (var restart = 0; restart < options.Restarts; restart++)
            if (Descend(options, Rng.For(seed, "inversion", restart)) is var found && (best is null || found.Cost < best.Cost))
                best = found;
        return best!;
    }

    Reconstruction Descend(FeatureOptions options, Rng random)
    {
        var input = step["input"].Floats;
        var (mean, square, best) = (new double[input.Length], new double[input.Length], new Reconstruction([], double.PositiveInfinity, 0));
        for (var i = 0; i < input.Length; i++)
        {
            var channel = range.ChannelOf(i, input.Length);
            input[i] = range.Low(channel) + ((range.High(channel) - range.Low(channel)) * random.NextSingle());
        }

        for (var iteration = 1; iteration <= options.Iterations; iteration++)
        {
            step.Run();
            double cost = step.Scalar(StepGraph.Loss);
            if (!double.IsFinite(cost))
                break;
            if (cost < best.Cost)
                best = new([.. input], cost, step.Scalar(InversionGraph.Cosine));
            Follow(input, step[InversionGraph.InputGradient].Floats, mean, square, iteration, options);
        }

        return best.Sample.Length > 0 ? best : best with { Sample = [.. input] };
    }

    void Follow(Span<float> input, ReadOnlySpan<float> gradient, double[] mean, double[] square, int iteration, FeatureOptions options)
    {
        var halvings = new[] { 3, 5, 7 }.Count(eighth => iteration > options.Iterations * eighth / 8.0);
        var rate = options.Rate / (1 << halvings);
        for (var i = 0; i < input.Length; i++)
        {
            double sign = float.IsNaN(gradient[i]) ? 0 : Math.Sign(gradient[i]);
            mean[i] = (Decay * mean[i]) + ((1 - Decay) * sign);
            square[i] = (SquareDecay * square[i]) + ((1 - SquareDecay) * sign * sign);
            var channel = range.ChannelOf(i, input.Length);
            var (low, high) = (range.Low(channel), range.High(channel));
            var move = mean[i] / (1 - Math.Pow(Decay, iteration))
                / (Math.Sqrt(square[i] / (1 - Math.Pow(SquareDecay, iteration))) + Tiny);
            input[i] = Math.Clamp((float)(input[i] - (rate * (high - low) * move)), low, high);
        }
    }

    public void Dispose()
    {
        step.Dispose();
        session.Dispose();
        difference.Dispose();
    }
}
