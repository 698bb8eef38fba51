using RegistryUnlearn.Training.Evaluation;
using RegistryUnlearn.Unlearning.Data;

namespace RegistryUnlearn.Unlearning.StopRules;

/// <summary>Logits of a sample source with what stop rules and targets read from them.</summary>
/// <param name="Logits">[count, classes], row-major.</param>
/// <param name="Confidences">z_y − log Σ_{c≠y} exp z_c of each sample; positive where the label is predicted.</param>
/// <param name="Predictions">The class with the largest logit.</param>
sealed record LogitScores(float[] Logits, int Classes, float[] Confidences, int[] Predictions)
{
    public int Count => Confidences.Length;

    /// <summary>Share of samples whose label is predicted, 0..1.</summary>
    public double Accuracy(long[] labels) => Predictions.Zip(labels).Count(p => p.First == p.Second) / (double)labels.Length;

    public static LogitScores Of(Evaluator evaluator, SampleSource source, int classes)
    {
        var logits = new float[checked(source.Count * classes)];
        evaluator.Logits(source.Count, source.FillFrom, logits);
        return Of(logits, source.Labels, classes);
    }

    public static LogitScores Of(float[] logits, long[] labels, int classes)
    {
        var confidences = new float[labels.Length];
        var predictions = new int[labels.Length];
        for (var i = 0; i < labels.Length; i++)
        {
            var row = logits.AsSpan(i * classes, classes);
            predictions[i] = System.Numerics.Tensors.TensorPrimitives.IndexOfMax((ReadOnlySpan<float>)row);
            confidences[i] = (float)Confidence(row, (int)labels[i]);
        }
        return new(logits, classes, confidences, predictions);
    }

    /// <summary>Logit-scaled confidence of one sample for a class, in float64 (Carlini et al. 2022, section VI-B).</summary>
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
