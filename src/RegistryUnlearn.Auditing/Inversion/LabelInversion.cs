using RegistryUnlearn.Onnx.Graphs;
using RegistryUnlearn.Onnx.Steps;
using RegistryUnlearn.Training.Buffers;
using RegistryUnlearn.Training.Evaluation;
using RegistryUnlearn.Training.Runtime;
using RegistryUnlearn.Unlearning.Data;
using RegistryUnlearn.Unlearning.StopRules;

namespace RegistryUnlearn.Auditing.Inversion;

/// <param name="Probes">Samples per class, 1..1,000; the authors took 10.</param>
/// <param name="Iterations">Steps in which they are made, 1..100,000.</param>
/// <param name="Rate">Step in shares of the input's scale.</param>
public sealed record LabelOptions(int Probes = 10, int Iterations = 100, float Rate = 0.02f);

/// <summary>
/// Unlearning inversion of labels (Hu et al., IEEE S&amp;P 2024): probes of which the model before is sure are made for every class, by
/// descent along the signs of the input's gradient; the class whose probes lose most confidence is taken for the one that was unlearned.
/// </summary>
public static class LabelInversion
{
    /// <summary>
    /// Mean loss of logit-scaled confidence of each class's probes, in nats, from the parent to the child; the largest is the guess.
    /// </summary>
    public static double[] Drops(
        ForwardModel model, int classes, TensorBlock parent, TensorBlock child, InputRange range, LabelOptions options, ulong seed)
    {
        var batch = (int)(model.FixedBatch ?? options.Probes);
        using var session = new GraphSession(InversionGraph.Probes(model, classes));
        using var step = new BoundStep(session, _ => batch, parent);
        using Evaluator before = Evaluator.Frozen(model, parent), after = Evaluator.Frozen(model, child);
        var drops = new double[classes];
        for (var label = 0; label < classes; label++)
        {
            var labels = Enumerable.Repeat((long)label, (int)step["labels"].Count).ToArray();
            var probes = Make(step, labels, batch, range, options, Rng.For(seed, "probes", label));
            drops[label] = Confidence(before) - Confidence(after);

            double Confidence(Evaluator evaluator)
            {
                var logits = new float[labels.Length * classes];
                var size = probes.Length / batch;
                evaluator.Logits(
                    batch, (start, inputs) => probes.AsSpan(start * size, inputs.Length).CopyTo(inputs.Floats), logits.AsSpan());
                return LogitScores.Of(logits, labels, classes, labels.Length / batch).Confidences.Average();
            }
        }

        return drops;
    }

    /// <summary>Rank of a class by drop, 1 for the largest; classes that dropped alike share their mean rank.</summary>
    public static double Rank(IReadOnlyList<double> drops, int label) =>
        1 + drops.Count(d => d > drops[label]) + ((drops.Count(d => d == drops[label]) - 1) / 2.0);

    static float[] Make(BoundStep step, long[] labels, int batch, InputRange range, LabelOptions options, Rng random)
    {
        labels.CopyTo(step["labels"].Longs);
        var input = step["input"].Floats;
        var size = input.Length / batch;
        for (var i = 0; i < input.Length; i++)
        {
            var channel = range.ChannelOf(i % size, size);
            input[i] = range.Low(channel) + ((range.High(channel) - range.Low(channel)) * random.NextSingle());
        }

        for (var iteration = 0; iteration < options.Iterations; iteration++)
        {
            step.Run();
            var gradient = step[InversionGraph.InputGradient].Floats;
            for (var i = 0; i < input.Length; i++)
            {
                var channel = range.ChannelOf(i % size, size);
                var (low, high) = (range.Low(channel), range.High(channel));
                var sign = float.IsNaN(gradient[i]) ? 0 : Math.Sign(gradient[i]);
                input[i] = Math.Clamp(input[i] - (options.Rate * (high - low) * sign), low, high);
            }
        }

        return [.. input];
    }
}
