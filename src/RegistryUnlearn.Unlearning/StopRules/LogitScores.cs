using System.Numerics.Tensors;
using RegistryUnlearn.Training.Evaluation;
using RegistryUnlearn.Unlearning.Data;

namespace RegistryUnlearn.Unlearning.StopRules;

/// <summary>
/// What stop rules and targets read from the logits of many samples. A sample has one row of logits, or P rows, one per position; then
/// its numbers are means over its labelled positions.
/// </summary>
public sealed class LogitScores
{
    readonly int rows;

    LogitScores(int count, int rows, int classes, bool keepLogits)
    {
        (this.rows, Classes) = (rows, classes);
        Logits = keepLogits ? new float[checked(count * rows * classes)] : [];
        Confidences = new float[count];
        Predictions = new int[checked(count * rows)];
    }

    public int Count => Confidences.Length;

    public int Classes { get; }

    /// <summary>[count, P, C]; empty unless asked for.</summary>
    public float[] Logits { get; }

    /// <summary>
    /// z_y − log Σ_{c≠y} exp z_c of each sample, the mean over its labelled positions; with one row positive where the label is predicted.
    /// </summary>
    public float[] Confidences { get; }

    /// <summary>[count, P]: the class with the largest logit.</summary>
    public int[] Predictions { get; }

    /// <summary>Share of each sample's labelled positions whose label is predicted, 0..1.</summary>
    public double[] Right(long[] labels)
    {
        var right = new double[Count];
        for (var i = 0; i < right.Length; i++)
        {
            var counted = 0;
            for (var r = i * rows; r < (i + 1) * rows; r++)
            {
                counted += labels[r] >= 0 ? 1 : 0;
                right[i] += Predictions[r] == labels[r] ? 1 : 0;
            }
            right[i] /= counted;
        }
        return right;
    }

    /// <summary>Mean over the samples of the share of their labels that is predicted, 0..1.</summary>
    public double Accuracy(long[] labels) => Right(labels).Average();

    /// <param name="keepLogits">Whether <see cref="Logits"/> are kept.</param>
    public static LogitScores Of(Evaluator evaluator, SampleSource source, int classes, bool keepLogits = false)
    {
        var scores = new LogitScores(source.Count, source.LabelSize, classes, keepLogits);
        evaluator.Logits(source.Count, source.FillFrom, (start, logits) => scores.Take(start, logits, source.Labels));
        return scores;
    }

    /// <param name="logits">[count, P, C]</param>
    /// <param name="labels">[count, P]; negative where a position has none.</param>
    /// <param name="rows">P.</param>
    public static LogitScores Of(float[] logits, long[] labels, int classes, int rows = 1)
    {
        var scores = new LogitScores(labels.Length / rows, rows, classes, keepLogits: true);
        scores.Take(0, logits, labels);
        return scores;
    }

    void Take(int start, ReadOnlySpan<float> logits, long[] labels)
    {
        if (Logits.Length > 0)
            logits.CopyTo(Logits.AsSpan(start * rows * Classes));
        for (var i = 0; i < logits.Length / (rows * Classes); i++)
        {
            var (sum, counted) = (0.0, 0);
            for (var r = 0; r < rows; r++)
            {
                var place = (start + i) * rows + r;
                var row = logits.Slice((i * rows + r) * Classes, Classes);
                Predictions[place] = TensorPrimitives.IndexOfMax(row);
                if (labels[place] < 0)
                    continue;
                sum += Confidence(row, (int)labels[place]);
                counted++;
            }
            Confidences[start + i] = (float)(sum / counted);
        }
    }

    /// <summary>Logit-scaled confidence of one row for a class, in float64 (Carlini et al. 2022, section VI-B).</summary>
    public static double Confidence(ReadOnlySpan<float> logits, int label)
    {
        var largest = double.NegativeInfinity;
        for (var c = 0; c < logits.Length; c++)
            if (c != label)
                largest = Math.Max(largest, logits[c]);
        var sum = 0.0;
        for (var c = 0; c < logits.Length; c++)
            if (c != label)
                sum += Math.Exp(logits[c] - largest);
        return logits[label] - largest - Math.Log(sum);
    }
}
