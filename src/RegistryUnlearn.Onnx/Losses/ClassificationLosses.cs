using RegistryUnlearn.Onnx.Graphs;

namespace RegistryUnlearn.Onnx.Losses;

/// <summary>
/// Losses of N×C logits as graph nodes; every one of them is twice differentiable almost everywhere. Where samples have several rows of
/// logits, N counts rows, and <see cref="LabelledLogits"/> brings them together.
/// </summary>
public static class ClassificationLosses
{
    /// <summary>1 at each sample's label, 0 elsewhere: float [N, C] from int64 labels [N].</summary>
    public static Value LabelMask(GraphBuilder g, Value labels, long classes)
    {
        var range = new long[classes];
        for (var c = 0; c < classes; c++)
            range[c] = c;
        return g.Cast(g.Equal(g.Unsqueeze(labels, 1), g.Ints(range)));
    }

    /// <summary>−log p_y per sample, [N]; p is the softmax of the logits.</summary>
    public static Value CrossEntropyPerSample(GraphBuilder g, Value logits, Value labels, long classes) =>
        g.Neg(AtLabel(g, g.LogSoftmax(logits, 1), LabelMask(g, labels, classes)));

    /// <summary>Mean cross-entropy with integer labels, a scalar.</summary>
    public static Value CrossEntropy(GraphBuilder g, Value logits, Value labels, long classes) =>
        g.MeanAll(CrossEntropyPerSample(g, logits, labels, classes));

    /// <summary>Mean cross-entropy of a batch over all rows that count, a scalar.</summary>
    public static Value CrossEntropy(GraphBuilder g, LabelledLogits batch, long classes) =>
        batch.Mean(CrossEntropyPerSample(g, batch.Logits, batch.Labels, classes));

    /// <summary>Mean over samples of −Σ_c q_c log p_c with target probabilities q, [N, C].</summary>
    public static Value SoftTargetCrossEntropy(GraphBuilder g, Value logits, Value targets) =>
        g.Neg(g.MeanAll(g.ReduceSum(g.Mul(targets, g.LogSoftmax(logits, 1)), [1], keep: false)));

    /// <summary>
    /// Squared difference of logits per sample, [N], averaged over the classes, after each sample's mean over the classes is taken off, so
    /// that a common shift, which the softmax does not see, costs nothing.
    /// </summary>
    public static Value CentredLogitDistance(GraphBuilder g, Value logits, Value targets)
    {
        var difference = g.Sub(logits, targets);
        var centred = g.Sub(difference, g.ReduceMean(difference, [1], keep: true));
        return g.ReduceMean(g.Mul(centred, centred), [1], keep: false);
    }

    /// <summary>Logit-scaled confidence per sample, [N]: z_y − log Σ_{c≠y} exp z_c (Carlini et al. 2022, section VI-B).</summary>
    public static Value Confidence(GraphBuilder g, Value logits, Value mask) =>
        g.Sub(AtLabel(g, logits, mask), LogSumExp(g, Excluding(g, logits, mask)));

    /// <summary>
    /// Huber distance of values to targets, [N] each and [N]; quadratic up to beta, linear beyond (scaled as torch's smooth_l1_loss).
    /// </summary>
    public static Value Huber(GraphBuilder g, Value values, Value targets, float beta)
    {
        var distance = g.Abs(g.Sub(values, targets));
        var quadratic = g.Add("Clip", [distance, default, g.Scalar(beta)]);
        // ½q²/β + (d − q) with q = min(d, β)
        return g.Add(g.Scale(g.Mul(quadratic, quadratic), 0.5f / beta), g.Sub(distance, quadratic));
    }

    /// <summary>Cross-entropy per sample, [N], among the classes other than the label, towards soft targets over those classes.</summary>
    /// <param name="targets">[N, C] probabilities that are 0 at the label and sum to 1 over the others.</param>
    public static Value OtherClassesCrossEntropy(GraphBuilder g, Value logits, Value targets, Value mask)
    {
        var others = Excluding(g, logits, mask);
        var logProbabilities = g.Sub(logits, g.Unsqueeze(LogSumExp(g, others), 1));
        return g.Neg(g.ReduceSum(g.Mul(targets, logProbabilities), [1], keep: false));
    }

    /// <summary>The element at the label, [N].</summary>
    internal static Value AtLabel(GraphBuilder g, Value perClass, Value mask) => g.ReduceSum(g.Mul(perClass, mask), [1], keep: false);

    /// <summary>Logits with the label's pushed so far down that it no longer counts in a softmax.</summary>
    static Value Excluding(GraphBuilder g, Value logits, Value mask) => g.Sub(logits, g.Scale(mask, 1e4f));

    /// <summary>log Σ_c exp z_c along the class axis, [N], with the largest logit taken out first.</summary>
    static Value LogSumExp(GraphBuilder g, Value logits)
    {
        var largest = g.ReduceMax(logits, [1], keep: true);
        return g.Add(g.Log(g.ReduceSum(g.Exp(g.Sub(logits, largest)), [1], keep: false)), g.Squeeze(largest, 1));
    }
}
