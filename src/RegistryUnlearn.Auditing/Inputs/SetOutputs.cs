using RegistryUnlearn.Auditing.Statistics;

namespace RegistryUnlearn.Auditing;

/// <summary>
/// What one model answers on one set of samples. All derived quantities are computed once, in float64, when the object is made.
/// </summary>
public sealed record SetOutputs
{
    /// <param name="name">Name of the set; it appears in error messages.</param>
    /// <param name="logits">N×C, row-major; every value finite.</param>
    /// <param name="classes">C, at least 2.</param>
    /// <param name="labels">N labels in [0, C): the labels the model was trained on, or would have been.</param>
    /// <param name="trueLabels">N labels in [0, C) where they are known to differ from the trained ones (planted canaries).</param>
    /// <exception cref="AuditInputException">The set is empty, the shapes disagree, a label is out of range or a logit is not
    /// finite.</exception>
    public SetOutputs(string name, float[] logits, int classes, int[] labels, int[]? trueLabels = null)
    {
        (Name, Logits, Classes, Labels, TrueLabels) = (name, logits, classes, labels, trueLabels);
        Check();
        Losses = new double[labels.Length];
        Confidences = new double[labels.Length];
        Predictions = new int[labels.Length];
        for (var row = 0; row < labels.Length; row++)
            Derive(row);
    }

    public string Name { get; }
    public float[] Logits { get; }
    public int Classes { get; }
    public int[] Labels { get; }
    public int[]? TrueLabels { get; }

    /// <summary>Number of samples, N.</summary>
    public int Count => Labels.Length;

    /// <summary>Cross-entropy per sample in nats, −log softmax(z)_y, at least 0.</summary>
    public double[] Losses { get; }

    /// <summary>Class with the largest logit per sample; the lowest index wins a tie.</summary>
    public int[] Predictions { get; }

    /// <summary>
    /// Logit-scaled confidence per sample, z_y − logsumexp of the other logits (Carlini et al., S&amp;P 2022, section VI).
    /// </summary>
    public double[] Confidences { get; }

    void Check()
    {
        if (Classes < 2)
            throw new AuditInputException($"set '{Name}': {Classes} class(es); an audit needs a classifier with at least 2");
        if (Labels.Length == 0)
            throw new AuditInputException($"set '{Name}' is empty; give it samples or leave it out");
        if (Logits.LongLength != (long)Labels.Length * Classes)
            throw new AuditInputException(
                $"set '{Name}': {Logits.LongLength} logits for {Labels.Length} labels and {Classes} classes; expected "
                + $"{(long)Labels.Length * Classes}");
        if (TrueLabels is not null && TrueLabels.Length != Labels.Length)
            throw new AuditInputException($"set '{Name}': {TrueLabels.Length} true labels for {Labels.Length} labels; give one per sample");
        CheckLabels("label", Labels);
        if (TrueLabels is not null)
            CheckLabels("true label", TrueLabels);
    }

    void CheckLabels(string kind, int[] labels)
    {
        for (var row = 0; row < labels.Length; row++)
            if ((uint)labels[row] >= (uint)Classes)
                throw new AuditInputException($"set '{Name}', row {row}: {kind} {labels[row]} is outside 0..{Classes - 1}");
    }

    void Derive(int row)
    {
        var z = Logits.AsSpan(row * Classes, Classes);
        var label = Labels[row];
        var best = 0;
        var rival = double.NegativeInfinity;
        for (var c = 0; c < z.Length; c++)
        {
            if (!float.IsFinite(z[c]))
                throw new AuditInputException(
                    $"set '{Name}', row {row}: logit of class {c} is not finite; the model diverged or its input is damaged");
            if (z[c] > z[best])
                best = c;
            if (c != label && z[c] > rival)
                rival = z[c];
        }

        var sum = 0.0;
        for (var c = 0; c < z.Length; c++)
            if (c != label)
                sum += Math.Exp(z[c] - rival);
        Predictions[row] = best;
        Confidences[row] = z[label] - rival - Math.Log(sum);
        Losses[row] = Softplus.Of(-Confidences[row]);
    }
}
