namespace RegistryUnlearn.Auditing;

/// <summary>What can be said of a model without any retrained one. Each can show that something remains; none can show that nothing does.
/// </summary>
/// <param name="Matched">Null without unseen samples of the forget set's classes.</param>
/// <param name="KeptAccuracy">Accuracy on unseen samples of classes that the retained set still has; null without unseen samples.</param>
/// <param name="Change">Mean absolute change of the logit-scaled confidence on the forget set since the model before, in nats.</param>
/// <param name="Neighbours">Null for the model before, and where it cannot be measured.</param>
/// <param name="Relearn">Null where it was not measured.</param>
public sealed record RetrainFreeEstimates(
    MatchedAttack? Matched, double? KeptAccuracy, double Change, NeighbourLeakage? Neighbours = null, RelearnTime? Relearn = null)
{
    /// <param name="before">The model before unlearning; the same object as <paramref name="model"/> for its own estimates.</param>
    public static RetrainFreeEstimates Of(ModelOutputs model, ModelOutputs before, RelearnTime? relearn = null)
    {
        var (forget, known) = (model.Sets[AuditSets.Forget], before.Sets[AuditSets.Forget]);
        if (forget.Count != known.Count)
            throw new AuditInputException(
                $"model '{model.Name}' has {forget.Count} forget samples, '{before.Name}' has {known.Count}; measure both on one set");
        var change = forget.Confidences.Zip(known.Confidences, (a, b) => Math.Abs(a - b)).Average();
        return Unseen(model) is not { } unseen
            ? new(null, null, change, Relearn: relearn)
            : new(
                MatchedAttack.Of(forget, unseen),
                Accuracy(unseen, model.Sets[AuditSets.Retained]),
                change,
                ReferenceEquals(model, before) ? null : NeighbourLeakage.Of(known, Unseen(before)!, unseen),
                relearn);
    }

    static SetOutputs? Unseen(ModelOutputs model) =>
        model.Sets.GetValueOrDefault(AuditSets.Test) ?? model.Sets.GetValueOrDefault(AuditSets.Holdout);

    static double? Accuracy(SetOutputs unseen, SetOutputs retained)
    {
        if (unseen.Rows > 1)
            return unseen.Right.Average();
        var kept = retained.Labels.ToHashSet();
        double[] right = [.. unseen.Right.Where((_, i) => kept.Contains(unseen.Labels[i]))];
        return right.Length == 0 ? null : right.Average();
    }
}
