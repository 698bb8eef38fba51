namespace RegistryUnlearn.Auditing.Statistics;

/// <summary>
/// What several models say of the same samples, one number per model and sample, for example logit-scaled confidences
/// (<see cref="SetOutputs.Confidences"/>) or log probabilities of the labels (the negative of <see cref="SetOutputs.Losses"/>). Samples may
/// have different numbers of models. Every value is finite.
/// </summary>
public sealed class ScorePool
{
    readonly double[][] _samples;

    ScorePool(double[][] samples, string name)
    {
        if (samples.Length == 0)
            throw new ArgumentException("the pool has no samples; a statistic of nothing does not exist", name);
        foreach (var values in samples)
            Require.Finite(values, name);
        (_samples, LeastModels) = (samples, samples.Min(values => values.Length));
    }

    /// <summary>Number of samples, at least 1.</summary>
    public int Samples => _samples.Length;

    /// <summary>Number of models of the sample that has the fewest, at least 1.</summary>
    public int LeastModels { get; }

    /// <summary>The values of one sample, in the order of its models.</summary>
    public ReadOnlySpan<double> this[int sample] => _samples[sample];

    /// <param name="samples">For every sample its values, one per model.</param>
    /// <exception cref="ArgumentException">There is no sample, a sample has no model, or a value is not finite.</exception>
    public static ScorePool OfSamples(IReadOnlyList<double[]> samples) => new([.. samples.Select(s => s.ToArray())], nameof(samples));

    /// <param name="models">For every model its values, one per sample, in the same order.</param>
    /// <exception cref="ArgumentException">There is no model or no sample, the models differ in their samples, or a value is not
    /// finite.</exception>
    public static ScorePool OfModels(IReadOnlyList<double[]> models) => new(Select(models, (_, _) => true, nameof(models)), nameof(models));

    /// <summary>Parts models that were each trained on some of the samples: for every sample those that saw it, and the others.</summary>
    /// <param name="models">For every model its values, one per sample, in the same order.</param>
    /// <param name="members">For every model and sample whether the model was trained on the sample.</param>
    /// <exception cref="ArgumentException">As for <see cref="OfModels"/>, or a sample was seen by all models or by none.</exception>
    public static (ScorePool In, ScorePool Out) Split(IReadOnlyList<double[]> models, IReadOnlyList<bool[]> members)
    {
        Require.SameCount(models.Count, members.Count, nameof(members));
        for (var model = 0; model < models.Count; model++)
            Require.SameCount(models[model].Length, members[model].Length, nameof(members));
        return (
            new(Select(models, (model, sample) => members[model][sample], nameof(models)), nameof(members)),
            new(Select(models, (model, sample) => !members[model][sample], nameof(models)), nameof(members)));
    }

    static double[][] Select(IReadOnlyList<double[]> models, Func<int, int, bool> takes, string name)
    {
        if (models.Count == 0)
            throw new ArgumentException("the pool has no models; a statistic of nothing does not exist", name);
        foreach (var values in models)
            Require.SameCount(models[0].Length, values.Length, name);
        return
        [
            .. Enumerable.Range(0, models[0].Length).Select(sample =>
                Enumerable.Range(0, models.Count).Where(model => takes(model, sample)).Select(model => models[model][sample]).ToArray()),
        ];
    }
}
