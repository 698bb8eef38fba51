using RegistryUnlearn.Auditing.Statistics;

namespace RegistryUnlearn.Auditing;

/// <summary>Takes logits of samples one after the other, row-major [samples, C] or [samples, P, C].</summary>
public delegate void TakeSamples(ReadOnlySpan<float> logits);

/// <summary>
/// What one model answers on one set of samples. All derived quantities are computed once, in float64, when the object is made. A sample
/// has one label, or P labels, one per position, of which those below 0 do not count.
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
        : this(name, classes, labels, trueLabels, 1, take => take(logits), keepLogits: true)
    {
    }

    /// <param name="labels">N·P labels, at least one of each sample in [0, C).</param>
    /// <param name="trueLabels">As many, below 0 where the labels are.</param>
    /// <param name="rows">P.</param>
    /// <param name="measure">Gives the logits of all samples in order, in any number of parts.</param>
    /// <param name="keepLogits">Whether they are kept: what compares samples with others or under other labels needs them.</param>
    /// <exception cref="AuditInputException">As for the other constructor.</exception>
    public SetOutputs(
        string name, int classes, int[] labels, int[]? trueLabels, int rows, Action<TakeSamples> measure, bool keepLogits = false)
    {
        (Name, Classes, Labels, TrueLabels, Rows) = (name, classes, labels, trueLabels, rows);
        Check();
        Losses = new double[Count];
        Confidences = new double[Count];
        Right = new double[Count];
        Predictions = new int[labels.Length];
        Logits = keepLogits ? new float[checked(labels.Length * classes)] : null;
        var taken = 0L;
        measure(logits =>
        {
            if (Logits is not null && taken + logits.Length <= Logits.Length)
                logits.CopyTo(Logits.AsSpan((int)taken));
            var first = taken / classes;
            for (var row = 0; row < logits.Length / classes && first + row < labels.Length; row++)
                Derive((int)first + row, logits.Slice(row * classes, classes));
            taken += logits.Length;
        });
        var expected = (long)labels.Length * classes;
        if (taken != expected)
            throw new AuditInputException(
                $"set '{name}': {taken} logits for {labels.Length} labels and {classes} classes; expected {expected}");
        for (var sample = 0; sample < Count; sample++)
        {
            var counted = Counted(sample);
            Losses[sample] /= counted;
            Confidences[sample] /= counted;
            Right[sample] /= counted;
        }
    }

    public string Name { get; }
    public int Classes { get; }
    public int[] Labels { get; }
    public int[]? TrueLabels { get; }

    /// <summary>P, labels per sample.</summary>
    public int Rows { get; }

    /// <summary>Number of samples, N.</summary>
    public int Count => Labels.Length / Rows;

    /// <summary>Cross-entropy per sample in nats, −log softmax(z)_y, at least 0; the mean over its labelled positions.</summary>
    public double[] Losses { get; }

    /// <summary>Share of each sample's labelled positions that are predicted with their label; 0 or 1 with one label.</summary>
    public double[] Right { get; }

    /// <summary>Class with the largest logit per row; the lowest index wins a tie.</summary>
    public int[] Predictions { get; }

    /// <summary>
    /// Logit-scaled confidence per sample, z_y − logsumexp of the other logits (Carlini et al., S&amp;P 2022, section VI); the mean over
    /// its labelled positions.
    /// </summary>
    public double[] Confidences { get; }

    /// <summary>As they were given, row-major; null unless they were kept.</summary>
    public float[]? Logits { get; }

    /// <summary>Loss of a sample under another label, in nats; null when that needs logits that were not kept. For samples with one label.
    /// </summary>
    public double? LossAs(int sample, int label) => label == Labels[sample] ? Losses[sample]
        : Logits is null ? null
        : Softplus.Of(-Confidence(Logits.AsSpan(sample * Classes, Classes), label));

    void Check()
    {
        if (Classes < 2)
            throw new AuditInputException($"set '{Name}': {Classes} class(es); an audit needs a classifier with at least 2");
        if (Labels.Length == 0)
            throw new AuditInputException($"set '{Name}' is empty; give it samples or leave it out");
        if (Rows < 1 || Labels.Length % Rows != 0)
            throw new AuditInputException(
                $"set '{Name}': {Labels.Length} labels are no multiple of {Rows} per sample; give as many for each");
        if (TrueLabels is not null && TrueLabels.Length != Labels.Length)
            throw new AuditInputException($"set '{Name}': {TrueLabels.Length} true labels for {Labels.Length} labels; give one per sample");
        CheckLabels("label", Labels);
        if (TrueLabels is not null)
            CheckLabels("true label", TrueLabels);
        for (var sample = 0; sample < Count; sample++)
            if (Counted(sample) == 0)
                throw new AuditInputException($"set '{Name}', sample {sample} has no label; leave it out");
    }

    /// <summary>Labelled positions of a sample.</summary>
    int Counted(int sample)
    {
        var counted = 0;
        foreach (var label in Labels.AsSpan(sample * Rows, Rows))
            counted += label >= 0 ? 1 : 0;
        return counted;
    }

    void CheckLabels(string kind, int[] labels)
    {
        for (var row = 0; row < labels.Length; row++)
            if (Rows > 1 && Labels[row] < 0 ? labels[row] >= 0 : (uint)labels[row] >= (uint)Classes)
                throw new AuditInputException($"set '{Name}', row {row}: {kind} {labels[row]} is outside 0..{Classes - 1}");
    }

    void Derive(int row, ReadOnlySpan<float> z)
    {
        var label = Labels[row];
        var best = 0;
        for (var c = 0; c < z.Length; c++)
        {
            if (!float.IsFinite(z[c]))
                throw new AuditInputException(
                    $"set '{Name}', row {row}: logit of class {c} is not finite; the model diverged or its input is damaged");
            if (z[c] > z[best])
                best = c;
        }

        Predictions[row] = best;
        if (label < 0)
            return;
        var sample = row / Rows;
        var confidence = Confidence(z, label);
        Confidences[sample] += confidence;
        Losses[sample] += Softplus.Of(-confidence);
        Right[sample] += best == label ? 1 : 0;
    }

    static double Confidence(ReadOnlySpan<float> z, int label)
    {
        var rival = double.NegativeInfinity;
        for (var c = 0; c < z.Length; c++)
            if (c != label && z[c] > rival)
                rival = z[c];
        var sum = 0.0;
        for (var c = 0; c < z.Length; c++)
            if (c != label)
                sum += Math.Exp(z[c] - rival);
        return z[label] - rival - Math.Log(sum);
    }
}
