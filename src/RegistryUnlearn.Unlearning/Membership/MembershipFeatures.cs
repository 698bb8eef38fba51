namespace RegistryUnlearn.Unlearning.Membership;

/// <summary>
/// What a membership-inference (MI) model sees of a sample, from its logits z and label y, with p = softmax(z):
/// φ₀ = log p_y, φ₁ = log p_y − log(1 − p_y + 1e-6), φ₂ = −Σ p_c log p_c, φ₃ = max log p_c.
/// </summary>
public static class MembershipFeatures
{
    /// <summary>Features per sample.</summary>
    public const int Count = 4;

    /// <summary>Keeps φ₁ finite when p_y rounds to 1.</summary>
    const double Floor = 1e-6;

    /// <summary>
    /// Computes the features of a batch in float64 and rounds to float32. 1 − p_y is summed over the other classes, because the
    /// difference loses all digits for memorised samples. Logits that are not finite (except −∞, a class ruled out, that is not
    /// the label) give features that are not finite. Allocates nothing.
    /// </summary>
    /// <param name="logits">N×C values, C ≥ 2; N×P×C where samples have P positions.</param>
    /// <param name="labels">N (N×P) class indices below C; negative only for a position without a label, not for a sample without.</param>
    /// <param name="classes">C.</param>
    /// <param name="features">N×4 values: means over the labelled positions of each sample.</param>
    /// <param name="rows">P.</param>
    /// <exception cref="ArgumentException">A length does not fit.</exception>
    /// <exception cref="ArgumentOutOfRangeException">A label is not a class.</exception>
    public static void Compute(
        ReadOnlySpan<float> logits, ReadOnlySpan<long> labels, int classes, Span<float> features, int rows = 1)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(classes, 2);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(rows);
        if (logits.Length != (long)labels.Length * classes || labels.Length % rows is not 0
            || features.Length != (long)labels.Length / rows * Count)
        {
            throw new ArgumentException(
                $"{labels.Length} labels, {rows} per sample, need {classes} logits each, and {Count} features per sample.");
        }

        Span<float> row = stackalloc float[Count];
        Span<double> sums = stackalloc double[Count];
        for (var i = 0; i < labels.Length / rows; i++)
        {
            sums.Clear();
            var counted = 0;
            for (var r = i * rows; r < (i + 1) * rows; r++)
            {
                if (labels[r] < 0 && rows > 1)
                    continue;
                if ((ulong)labels[r] >= (ulong)classes)
                    throw new ArgumentOutOfRangeException(nameof(labels), $"A label is not below the {classes} classes.");
                Compute(logits.Slice(r * classes, classes), (int)labels[r], row);
                for (var k = 0; k < Count; k++)
                    sums[k] += row[k];
                counted++;
            }

            for (var k = 0; k < Count; k++)
                features[(i * Count) + k] = (float)(sums[k] / counted);
        }
    }

    static void Compute(ReadOnlySpan<float> logits, int label, Span<float> features)
    {
        var max = (double)logits[0];
        foreach (var logit in logits)
            max = Math.Max(max, logit);
        double others = 0, weighted = 0, total = 0;
        for (var c = 0; c < logits.Length; c++)
        {
            var shifted = logits[c] - max;
            var exponential = Math.Exp(shifted);
            total += exponential;
            others += c == label ? 0 : exponential;
            weighted += exponential is 0 ? 0 : exponential * shifted;
        }

        var logTotal = Math.Log(total);
        var logLabel = logits[label] - max - logTotal;
        features[0] = (float)logLabel;
        features[1] = (float)(logLabel - Math.Log((others / total) + Floor));
        features[2] = (float)(logTotal - (weighted / total));
        features[3] = (float)-logTotal;
    }
}
