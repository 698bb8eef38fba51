using RegistryUnlearn.Auditing.Statistics;

namespace RegistryUnlearn.Auditing;

/// <summary>What the audit keeps of one model: aggregates and sorted losses, nothing that leads back to a sample.</summary>
/// <param name="Classes">C.</param>
/// <param name="Retained">Summary of the retained set; likewise <paramref name="Forget"/>, <paramref name="Test"/>, <paramref
/// name="Holdout"/>.</param>
/// <param name="VersusTest">The attack that tells the forget set from the test set; null without a test set.</param>
/// <param name="VersusHoldout">The attack that tells the forget set from the holdout; null without a holdout.</param>
/// <param name="Canary">Present when the true labels of the forget set are known beside the trained ones.</param>
public sealed record ModelSummary(
    int Classes,
    SetSummary Retained,
    SetSummary Forget,
    SetSummary? Test = null,
    SetSummary? Holdout = null,
    AttackSummary? VersusTest = null,
    AttackSummary? VersusHoldout = null,
    CanarySummary? Canary = null)
{
    /// <summary>Rate of false alarms at which the attack's power is stated.</summary>
    public const double LowFalsePositiveRate = 0.01;

    /// <summary>Aggregates the outputs of one model.</summary>
    /// <param name="lossPoints">
    /// Losses of sets other than the forget set are thinned to at most this many quantiles, after all statistics are taken; null keeps
    /// them all.
    /// </param>
    public static ModelSummary Of(ModelOutputs outputs, int? lossPoints = null)
    {
        SetSummary? Summary(string name) => outputs.Sets.TryGetValue(name, out var set) ? SetSummary.Of(set) : null;
        var forgetOutputs = outputs.Sets[AuditSets.Forget];
        var forget = SetSummary.Of(forgetOutputs);
        var (test, holdout) = (Summary(AuditSets.Test), Summary(AuditSets.Holdout));
        return new(
            forgetOutputs.Classes,
            Summary(AuditSets.Retained)!.Thinned(lossPoints),
            forget,
            test?.Thinned(lossPoints),
            holdout?.Thinned(lossPoints),
            AttackSummary.Of(forget, test),
            AttackSummary.Of(forget, holdout),
            CanarySummary.Of(forgetOutputs));
    }

    /// <summary>The summary of a set by its <see cref="AuditSets"/> name, or null.</summary>
    public SetSummary? Set(string name) => name switch
    {
        AuditSets.Retained => Retained,
        AuditSets.Forget => Forget,
        AuditSets.Test => Test,
        AuditSets.Holdout => Holdout,
        _ => throw new ArgumentException($"unknown set '{name}'; known sets: {string.Join(", ", AuditSets.All)}", nameof(name)),
    };
}

/// <summary>Aggregates of one set.</summary>
/// <param name="Count">Number of samples.</param>
/// <param name="Accuracy">Share predicted with its label, in [0, 1]; where samples have several, the mean of each sample's share.</param>
/// <param name="MeanLoss">Mean cross-entropy in nats.</param>
/// <param name="Losses">Ascending cross-entropies in nats, or quantiles of them.</param>
/// <param name="Confusion">
/// The cells of the confusion matrix that are not zero: (label, prediction, count) one after the other, ascending by label, then
/// prediction. Empty for positions with more than 1,000 classes, such as the words of a vocabulary.
/// </param>
/// <param name="Labelled">Labelled positions; null where every sample has one label.</param>
public sealed record SetSummary(int Count, double Accuracy, double MeanLoss, double[] Losses, int[] Confusion, int? Labelled = null)
{
    /// <summary>Confusion between the words of a vocabulary is no figure, and would name them.</summary>
    internal const int MostClassesByPosition = 1000;

    public static SetSummary Of(SetOutputs set)
    {
        var cells = new SortedDictionary<(int Label, int Prediction), int>();
        var labelled = 0;
        for (var i = 0; i < set.Labels.Length; i++)
        {
            if (set.Labels[i] < 0)
                continue;
            labelled++;
            if (set.Rows > 1 && set.Classes > MostClassesByPosition)
                continue;
            var cell = (set.Labels[i], set.Predictions[i]);
            cells[cell] = cells.GetValueOrDefault(cell) + 1;
        }

        int[] confusion = [.. cells.SelectMany(cell => (int[])[cell.Key.Label, cell.Key.Prediction, cell.Value])];

        // Summed in ascending order: the mean does not depend on the order of the samples.
        var losses = set.Losses.Order().ToArray();
        return new(
            set.Count, set.Right.Sum() / set.Count, losses.Sum() / set.Count, losses, confusion, set.Rows > 1 ? labelled : null);
    }

    internal SetSummary Thinned(int? points) => points is { } p ? this with { Losses = Quantiles.Thin(Losses, p) } : this;
}

/// <summary>The loss-threshold attack that tells the forget set (called members) from a reference set never trained on.</summary>
/// <param name="Auc">Area under its ROC curve; 0.5 = chance, above: the forget set has the smaller losses.</param>
/// <param name="TprAtLowFpr">True-positive rate at a false-positive rate of at most 1 %.</param>
/// <param name="Ks">Kolmogorov–Smirnov distance between the losses of the two sets.</param>
public sealed record AttackSummary(double Auc, double TprAtLowFpr, double Ks)
{
    internal static AttackSummary? Of(SetSummary forget, SetSummary? reference) => reference is null
        ? null
        : new(
            MembershipAttack.Auc(forget.Losses, reference.Losses),
            MembershipAttack.TruePositiveRate(forget.Losses, reference.Losses, ModelSummary.LowFalsePositiveRate),
            KolmogorovSmirnov.Distance(forget.Losses, reference.Losses));
}

/// <summary>What became of planted wrong labels.</summary>
/// <param name="TrainedLabel">Share of canaries still predicted with the wrong label they were trained on.</param>
/// <param name="TrueLabel">Share of canaries predicted with their true label.</param>
/// <param name="Count">
/// Number of canaries: forget samples (positions of forget samples) whose true label differs from the trained one.
/// </param>
public sealed record CanarySummary(double TrainedLabel, double TrueLabel, int Count)
{
    internal static CanarySummary? Of(SetOutputs forget)
    {
        if (forget.TrueLabels is not { } truth)
            return null;
        int count = 0, trained = 0, recovered = 0;
        for (var i = 0; i < truth.Length; i++)
        {
            if (truth[i] == forget.Labels[i])
                continue;
            count++;
            trained += forget.Predictions[i] == forget.Labels[i] ? 1 : 0;
            recovered += forget.Predictions[i] == truth[i] ? 1 : 0;
        }

        return count == 0 ? null : new((double)trained / count, (double)recovered / count, count);
    }
}
