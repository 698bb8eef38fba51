using RegistryUnlearn.Onnx.Graphs;

namespace RegistryUnlearn.Onnx.Losses;

/// <summary>
/// Membership feedback: losses that ask a logistic membership-inference model whether a sample looks like a training sample
/// (idea: Huang, Foo, Liu, ECCV 2024; the features and the logistic form are this product's choice).
/// </summary>
public static class MembershipLosses
{
    /// <summary>Keeps log(1 − p_y) finite for memorised samples.</summary>
    public const float Epsilon = 1e-6f;

    /// <summary>
    /// Features of each sample, [N, 4], with p the softmax of the logits: log p_y; log p_y − log(1 − p_y + ε); the entropy of p;
    /// max_c log p_c. 1 − p_y is summed over the other classes: for memorised samples the difference would have no digit left in float32.
    /// </summary>
    public static Value Features(GraphBuilder g, Value logits, Value labels, long classes)
    {
        var log = g.LogSoftmax(logits, 1);
        var probabilities = g.Exp(log);
        var mask = ClassificationLosses.LabelMask(g, labels, classes);
        var atLabel = g.ReduceSum(g.Mul(log, mask), [1], keep: true);
        var others = g.ReduceSum(g.Mul(probabilities, g.Sub(g.Scalar(1), mask)), [1], keep: true);
        var odds = g.Sub(atLabel, g.Log(g.Add(others, g.Scalar(Epsilon))));
        var entropy = g.Neg(g.ReduceSum(g.Mul(probabilities, log), [1], keep: true));
        return g.Concat([atLabel, odds, entropy, g.ReduceMax(log, [1], keep: true)], 1);
    }

    /// <summary>Features of each sample of a batch, [N, 4]: where it has several rows of logits, the mean over those that count.</summary>
    public static Value Features(GraphBuilder g, LabelledLogits batch, long classes) =>
        batch.PerSample(Features(g, batch.Logits, batch.Labels, classes), columns: 4);

    /// <summary>Scores w·φ + b of a logistic model, [N]; σ(score) is the probability of membership.</summary>
    /// <param name="weights">[4]</param>
    /// <param name="bias">scalar</param>
    public static Value Scores(GraphBuilder g, Value features, Value weights, Value bias) =>
        g.Add(g.ReduceSum(g.Mul(features, weights), [1], keep: false), bias);

    /// <summary>Mean of softplus(score) = −log(1 − σ(score)): small when every sample looks like a non-member.</summary>
    public static Value NonMember(GraphBuilder g, Value scores) => g.MeanAll(g.Softplus(scores));

    /// <summary>Mean of max(0, score − level): stops pushing at the level of the non-members.</summary>
    /// <param name="level">Mean score of the non-members, a scalar.</param>
    public static Value Hinge(GraphBuilder g, Value scores, Value level) => g.MeanAll(g.Add("Relu", [g.Sub(scores, level)]));
}
