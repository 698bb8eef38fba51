using RegistryUnlearn.Onnx.Graphs;
using RegistryUnlearn.Onnx.Losses;
using RegistryUnlearn.Unlearning.Membership;

namespace RegistryUnlearn.Unlearning.Methods.Ltu;

/// <summary>The two feedbacks as losses of one batch, with what they need beside the logits as inputs under the batch's prefix.</summary>
static class LtuLosses
{
    public const string Labels = "labels";

    /// <summary>[N]: weight of each sample's cross-entropy.</summary>
    public const string LabelWeights = "label-weights";

    /// <summary>[N, C]: logits of the original.</summary>
    public const string Reference = "reference";

    /// <summary>[N]: weight of each sample's distance to the original's logits.</summary>
    public const string ReferenceWeights = "reference-weights";

    /// <summary>[N]: confidences to reach.</summary>
    public const string Targets = "targets";

    /// <summary>[N, C]: probabilities of the other classes.</summary>
    public const string Others = "others";

    public const string MembershipWeights = "mi/weights";
    public const string MembershipBias = "mi/bias";
    public const string MembershipLevel = "mi/level";

    /// <summary>Confidences beyond this distance from the target pull with constant force.</summary>
    const float HuberBeta = 2;

    /// <summary>Σ w·CE + Σ v·‖centred logit difference to the original‖²/C.</summary>
    public static Value Remember(GraphBuilder g, string prefix, Value logits, int classes)
    {
        Dim batch = Batch(g, prefix);
        var labels = g.Input(prefix + Labels, TensorType.Int64(batch));
        var crossEntropy = ClassificationLosses.CrossEntropyPerSample(g, logits, labels, classes);
        var distance = ClassificationLosses.CentredLogitDistance(g, logits, g.Input(prefix + Reference, TensorType.Float(batch, classes)));
        return g.Add(
            g.SumAll(g.Mul(crossEntropy, g.Input(prefix + LabelWeights, TensorType.Float(batch)))),
            g.SumAll(g.Mul(distance, g.Input(prefix + ReferenceWeights, TensorType.Float(batch)))));
    }

    /// <summary>Mean Huber distance of the confidences to their targets, and the soft targets of the other classes.</summary>
    public static Value Forget(GraphBuilder g, string prefix, Value logits, int classes, float otherClasses)
    {
        Dim batch = Batch(g, prefix);
        var mask = ClassificationLosses.LabelMask(g, g.Input(prefix + Labels, TensorType.Int64(batch)), classes);
        var confidence = ClassificationLosses.Confidence(g, logits, mask);
        var distance = ClassificationLosses.Huber(g, confidence, g.Input(prefix + Targets, TensorType.Float(batch)), HuberBeta);
        var soft = g.Input(prefix + Others, TensorType.Float(batch, classes));
        var others = ClassificationLosses.OtherClassesCrossEntropy(g, logits, soft, mask);
        return g.MeanAll(g.Add(distance, g.Scale(others, otherClasses)));
    }

    /// <summary>Membership feedback by one model per batch.</summary>
    public static Value Membership(GraphBuilder g, string prefix, Value logits, int classes, bool hinge)
    {
        var features = MembershipLosses.Features(g, logits, g.Input(prefix + Labels, TensorType.Int64(Batch(g, prefix))), classes);
        var weights = g.Input(prefix + MembershipWeights, TensorType.Float(MembershipFeatures.Count));
        var scores = MembershipLosses.Scores(g, features, weights, g.Input(prefix + MembershipBias, TensorType.Float()));
        return hinge
            ? MembershipLosses.Hinge(g, scores, g.Input(prefix + MembershipLevel, TensorType.Float()))
            : MembershipLosses.NonMember(g, scores);
    }

    /// <summary>The batch dimension of the input that belongs to the prefix.</summary>
    static Dim Batch(GraphBuilder g, string prefix) => g.Inputs[prefix + "input"].Shape[0];
}
