using RegistryUnlearn.Onnx.Graphs;
using RegistryUnlearn.Onnx.Losses;
using RegistryUnlearn.Unlearning.Membership;

namespace RegistryUnlearn.Unlearning.Methods.Ltu;

/// <summary>
/// The two feedbacks as losses of one batch, with what they need beside the logits as inputs under the batch's prefix. Where samples have
/// positions, all numbers of a sample are means over its labelled positions.
/// </summary>
static class LtuLosses
{
    public const string Labels = "labels";

    /// <summary>[N]: weight of each sample's cross-entropy.</summary>
    public const string LabelWeights = "label-weights";

    /// <summary>[N, C], or [N, P, C] for positions: logits of the original.</summary>
    public const string Reference = "reference";

    /// <summary>[N]: weight of each sample's distance to the original's logits.</summary>
    public const string ReferenceWeights = "reference-weights";

    /// <summary>[N]: confidences to reach.</summary>
    public const string Targets = "targets";

    /// <summary>[N, C], or [N, P, C] for positions: probabilities of the other classes.</summary>
    public const string Others = "others";

    public const string MembershipWeights = "mi/weights";
    public const string MembershipBias = "mi/bias";
    public const string MembershipLevel = "mi/level";

    /// <summary>Confidences beyond this distance from the target pull with constant force.</summary>
    const float HuberBeta = 2;

    /// <summary>Σ w·CE + Σ v·‖centred logit difference to the original‖²/C.</summary>
    public static Value Remember(GraphBuilder g, string prefix, Value logits, int classes, LogitLayout? layout = null)
    {
        Dim batch = Batch(g, prefix);
        var rows = Labelled(g, prefix, logits, classes, layout);
        var crossEntropy = ClassificationLosses.CrossEntropyPerSample(g, rows.Logits, rows.Labels, classes);
        var distance = ClassificationLosses.CentredLogitDistance(g, rows.Logits, PerRow(g, prefix + Reference, batch, classes, layout));
        return g.Add(
            g.SumAll(g.Mul(rows.PerSample(crossEntropy), g.Input(prefix + LabelWeights, TensorType.Float(batch)))),
            g.SumAll(g.Mul(rows.PerSample(distance), g.Input(prefix + ReferenceWeights, TensorType.Float(batch)))));
    }

    /// <summary>Mean Huber distance of the confidences to their targets, and the soft targets of the other classes.</summary>
    public static Value Forget(GraphBuilder g, string prefix, Value logits, int classes, float otherClasses, LogitLayout? layout = null)
    {
        Dim batch = Batch(g, prefix);
        var rows = Labelled(g, prefix, logits, classes, layout);
        var mask = ClassificationLosses.LabelMask(g, rows.Labels, classes);
        var confidence = rows.PerSample(ClassificationLosses.Confidence(g, rows.Logits, mask));
        var distance = ClassificationLosses.Huber(g, confidence, g.Input(prefix + Targets, TensorType.Float(batch)), HuberBeta);
        if (otherClasses is 0)
            return g.MeanAll(distance);
        var soft = PerRow(g, prefix + Others, batch, classes, layout);
        var others = ClassificationLosses.OtherClassesCrossEntropy(g, rows.Logits, soft, mask);
        return g.MeanAll(g.Add(distance, g.Scale(rows.PerSample(others), otherClasses)));
    }

    /// <summary>Membership feedback by one model per batch.</summary>
    public static Value Membership(GraphBuilder g, string prefix, Value logits, int classes, bool hinge, LogitLayout? layout = null)
    {
        var features = MembershipLosses.Features(g, Labelled(g, prefix, logits, classes, layout), classes);
        var weights = g.Input(prefix + MembershipWeights, TensorType.Float(MembershipFeatures.Count));
        var scores = MembershipLosses.Scores(g, features, weights, g.Input(prefix + MembershipBias, TensorType.Float()));
        return hinge
            ? MembershipLosses.Hinge(g, scores, g.Input(prefix + MembershipLevel, TensorType.Float()))
            : MembershipLosses.NonMember(g, scores);
    }

    static LabelledLogits Labelled(GraphBuilder g, string prefix, Value logits, int classes, LogitLayout? layout)
    {
        layout ??= LogitLayout.PerSample;
        return new(g, layout, logits, layout.AddLabels(g, prefix + Labels, Batch(g, prefix)), classes);
    }

    /// <summary>Declares numbers for every class of every row of logits, as [R, C].</summary>
    static Value PerRow(GraphBuilder g, string name, Dim batch, int classes, LogitLayout? layout)
    {
        layout ??= LogitLayout.PerSample;
        var input = g.Input(name, layout.ArrangedType(batch, classes));
        return layout.IsPerSample ? input : g.Reshape(input, -1, classes);
    }

    /// <summary>The batch dimension of the input that belongs to the prefix.</summary>
    static Dim Batch(GraphBuilder g, string prefix) => g.Inputs[prefix + "input"].Shape[0];
}
