using RegistryUnlearn.Training.Evaluation;
using RegistryUnlearn.Unlearning.Data;

namespace RegistryUnlearn.Unlearning.StopRules;

/// <summary>
/// The plain stop rule: the distance between the distribution of confidences on the samples to forget and that on samples never trained
/// on, as long as the model still knows the retained samples. Right for forget sets that are like the rest of the data; it cannot see
/// that labels are wrong.
/// </summary>
sealed class HoldoutDistance
{
    readonly SampleSource retained, forget;
    readonly int classes;
    readonly float[] level;
    readonly double leastAccuracy;

    /// <param name="tolerance">Largest drop of the accuracy on retained samples, as a share.</param>
    public HoldoutDistance(
        Evaluator original, SampleSource retained, SampleSource forget, SampleSource holdout, int classes, double tolerance)
    {
        (this.retained, this.forget, this.classes) = (retained, forget, classes);
        level = Confidences(original, holdout);
        leastAccuracy = LogitScores.Of(original, retained, classes).Accuracy(retained.Labels) - tolerance;
    }

    /// <summary>0..1; infinite where the accuracy on retained samples has dropped too far or an output is not a number.</summary>
    public double Of(Evaluator evaluator) => LogitScores.Of(evaluator, retained, classes).Accuracy(retained.Labels) < leastAccuracy
        ? double.PositiveInfinity
        : Samples.KolmogorovSmirnov(Confidences(evaluator, forget), level);

    float[] Confidences(Evaluator evaluator, SampleSource source) => Samples.Sorted(LogitScores.Of(evaluator, source, classes).Confidences);
}
