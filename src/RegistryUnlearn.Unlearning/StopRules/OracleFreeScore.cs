using RegistryUnlearn.Training.Evaluation;
using RegistryUnlearn.Unlearning.Data;
using RegistryUnlearn.Unlearning.Membership;

namespace RegistryUnlearn.Unlearning.StopRules;

/// <summary>
/// How far a model is from what a retrained one is expected to do, without any retrained model: the mean of five distances, each as a
/// share of its value at the original model or in units of the forget-accuracy gap. 0 is like retraining; about 0.6 is nothing done.
/// </summary>
sealed class OracleFreeScore
{
    readonly SampleSource retained;
    readonly SampleSource forget;
    readonly SampleSource reference;
    readonly SampleSource all;
    readonly int classes;
    readonly float[] targets, sortedTargets;
    readonly float[] originalReference;
    readonly double leastAccuracy, retainedAccuracy, referenceAccuracy, targetShare, unit, targetAuc, aucGap, distanceAtStart;

    /// <summary>Share of the samples that were not trained on that an edit may lose; more is a model that nobody would serve.</summary>
    public const double Tolerance = 0.03;

    /// <summary>Samples to forget below which each is compared with its own target.</summary>
    const int Few = 30;

    /// <param name="targets">Expected confidence of every sample to forget.</param>
    /// <param name="reference">Samples that were not trained on, apart from those that the edit sees.</param>
    /// <param name="all">All samples that were not trained on.</param>
    public OracleFreeScore(
        Evaluator original, SampleSource retained, SampleSource forget, SampleSource reference, SampleSource all, float[] targets,
        int classes)
    {
        (this.retained, this.forget, this.reference, this.all, this.classes) = (retained, forget, reference, all, classes);
        leastAccuracy = Accuracy(original, all) - Math.Max(Tolerance, 1.0 / all.Count);
        (this.targets, sortedTargets) = (targets, Samples.Sorted(targets));
        var measured = Measure(original);
        var (r, f, h) = measured;
        (retainedAccuracy, referenceAccuracy) = (r.Accuracy(retained.Labels), h.Accuracy(reference.Labels));
        originalReference = h.Confidences;
        targetShare = PositiveShare(targets);
        // One percentage point at least: a target that agrees with the original must not blow the scale up.
        unit = Math.Max(Math.Abs(PositiveShare(f.Confidences) - targetShare), 0.01);
        targetAuc = RankStatistics.Auc(targets, originalReference);
        aucGap = Math.Max(Math.Abs(RankStatistics.Auc(f.Confidences, originalReference) - targetAuc), 1e-3);
        distanceAtStart = Math.Max(Distance(f.Confidences), 1e-3);
        AtOriginal = Of(measured);
    }

    /// <summary>The score of the original.</summary>
    public double AtOriginal { get; }

    /// <summary>
    /// The score of a model; infinite where its outputs are not finite, or it knows too few of the samples that were not trained on.
    /// </summary>
    public double Of(Evaluator evaluator) =>
        Accuracy(evaluator, all) < leastAccuracy ? double.PositiveInfinity : Of(Measure(evaluator));

    double Accuracy(Evaluator evaluator, SampleSource source) => LogitScores.Of(evaluator, source, classes).Accuracy(source.Labels);

    double Of((LogitScores Retained, LogitScores Forget, LogitScores Reference) measured)
    {
        var (r, f, h) = measured;
        if (!f.Confidences.All(float.IsFinite))
            return double.PositiveInfinity;
        return (Math.Max(0, retainedAccuracy - r.Accuracy(retained.Labels)) / unit
            + Math.Abs(PositiveShare(f.Confidences) - targetShare) / unit
            + Math.Abs(h.Accuracy(reference.Labels) - referenceAccuracy) / unit
            + Math.Abs(RankStatistics.Auc(f.Confidences, originalReference) - targetAuc) / aucGap
            + Distance(f.Confidences) / distanceAtStart) / 5;
    }

    /// <summary>
    /// Between confidences and targets: of few samples the mean distance of each to its own, of many that of their distributions
    /// (Kolmogorov-Smirnov), which does not see a few samples move before one passes another.
    /// </summary>
    double Distance(float[] confidences) => confidences.Length < Few
        ? confidences.Zip(targets, (c, t) => Math.Abs(c - t)).Average()
        : Samples.KolmogorovSmirnov(Samples.Sorted(confidences), sortedTargets);

    (LogitScores Retained, LogitScores Forget, LogitScores Reference) Measure(Evaluator evaluator)
    {
        return (Scores(retained), Scores(forget), Scores(reference));

        LogitScores Scores(SampleSource source) => LogitScores.Of(evaluator, source, classes);
    }

    static double PositiveShare(float[] confidences) => confidences.Count(c => c > 0) / (double)confidences.Length;
}
