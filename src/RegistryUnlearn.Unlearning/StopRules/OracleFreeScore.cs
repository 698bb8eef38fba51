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
    readonly int classes;
    readonly float[] targets;
    readonly float[] originalReference;
    readonly double retainedAccuracy, referenceAccuracy, targetShare, unit, targetAuc, aucGap, ksStart;

    /// <param name="targets">Expected confidence of every sample to forget.</param>
    /// <param name="reference">Samples that were not trained on.</param>
    public OracleFreeScore(
        Evaluator original, SampleSource retained, SampleSource forget, SampleSource reference, float[] targets, int classes)
    {
        (this.retained, this.forget, this.reference, this.classes) = (retained, forget, reference, classes);
        this.targets = Samples.Sorted(targets);
        var measured = Measure(original);
        var (r, f, h) = measured;
        (retainedAccuracy, referenceAccuracy) = (r.Accuracy(retained.Labels), h.Accuracy(reference.Labels));
        originalReference = h.Confidences;
        targetShare = PositiveShare(targets);
        // One percentage point at least: a target that agrees with the original must not blow the scale up.
        unit = Math.Max(Math.Abs(PositiveShare(f.Confidences) - targetShare), 0.01);
        targetAuc = RankStatistics.Auc(targets, originalReference);
        aucGap = Math.Max(Math.Abs(RankStatistics.Auc(f.Confidences, originalReference) - targetAuc), 1e-3);
        ksStart = Math.Max(Samples.KolmogorovSmirnov(Samples.Sorted(f.Confidences), this.targets), 1e-3);
        AtOriginal = Of(measured);
    }

    /// <summary>The score of the original.</summary>
    public double AtOriginal { get; }

    /// <summary>The score of a model; infinite where its outputs are not finite.</summary>
    public double Of(Evaluator evaluator) => Of(Measure(evaluator));

    double Of((LogitScores Retained, LogitScores Forget, LogitScores Reference) measured)
    {
        var (r, f, h) = measured;
        if (!f.Confidences.All(float.IsFinite))
            return double.PositiveInfinity;
        return (Math.Max(0, retainedAccuracy - r.Accuracy(retained.Labels)) / unit
            + Math.Abs(PositiveShare(f.Confidences) - targetShare) / unit
            + Math.Abs(h.Accuracy(reference.Labels) - referenceAccuracy) / unit
            + Math.Abs(RankStatistics.Auc(f.Confidences, originalReference) - targetAuc) / aucGap
            + Samples.KolmogorovSmirnov(Samples.Sorted(f.Confidences), targets) / ksStart) / 5;
    }

    (LogitScores Retained, LogitScores Forget, LogitScores Reference) Measure(Evaluator evaluator)
    {
        return (Scores(retained), Scores(forget), Scores(reference));

        LogitScores Scores(SampleSource source) => LogitScores.Of(evaluator, source, classes);
    }

    static double PositiveShare(float[] confidences) => confidences.Count(c => c > 0) / (double)confidences.Length;
}
