namespace RegistryUnlearn.Auditing.Statistics;

/// <summary>
/// The likelihood-ratio attack on one model (Carlini et al., S&amp;P 2022): for every sample, Gaussians are fitted to the logit-scaled
/// confidences (<see cref="SetOutputs.Confidences"/>) of models that were not trained on it, and, online, of models that were. Scores are
/// larger for members; <see cref="AttackCurve"/> judges them. Every sample has at least 2 models of each kind; below 16 the variance is
/// pooled over the samples unless <see cref="PoolVariance"/> says otherwise.
/// </summary>
public static class Lira
{
    /// <summary>
    /// Offline: how many standard deviations each confidence lies above the models that never saw the sample. Orders samples as
    /// <see cref="Offline"/> does, and does not tie below the mean.
    /// </summary>
    /// <param name="target">Confidences of the attacked model, one per sample.</param>
    /// <param name="outs">Confidences of models that were not trained on the sample.</param>
    /// <exception cref="ArgumentException">A confidence is not finite, the samples differ in number, or a sample has fewer than 2
    /// models.</exception>
    public static double[] OfflineZ(ReadOnlySpan<double> target, ScorePool outs, PoolVariance variance = PoolVariance.ByModels)
    {
        Check(target, outs, nameof(outs));
        var gaussians = PoolGaussians.Of(outs, variance);
        var scores = new double[target.Length];
        for (var i = 0; i < scores.Length; i++)
            scores[i] = (target[i] - gaussians[i].Mean) / gaussians[i].Deviation;
        return scores;
    }

    /// <summary>
    /// Offline: −log of the probability that a model that never saw the sample is at least as confident, in nats, at least 0; does not
    /// underflow however confident the model is. Parameters and errors as for <see cref="OfflineZ"/>.
    /// </summary>
    public static double[] Offline(ReadOnlySpan<double> target, ScorePool outs, PoolVariance variance = PoolVariance.ByModels) =>
        Array.ConvertAll(OfflineZ(target, outs, variance), z => -NormalDistribution.LogSurvival(z));

    /// <summary>Online: log of the likelihood ratio of the Gaussian of the models that saw the sample to that of those that did not, in
    /// nats.</summary>
    /// <param name="target">Confidences of the attacked model, one per sample.</param>
    /// <param name="ins">Confidences of models that were trained on the sample.</param>
    /// <param name="outs">Confidences of models that were not.</param>
    /// <exception cref="ArgumentException">As for <see cref="OfflineZ"/>.</exception>
    public static double[] Online(
        ReadOnlySpan<double> target, ScorePool ins, ScorePool outs, PoolVariance variance = PoolVariance.ByModels)
    {
        Check(target, ins, nameof(ins));
        Check(target, outs, nameof(outs));
        var (seen, unseen) = PoolGaussians.Of(ins, outs, variance);
        var scores = new double[target.Length];
        for (var i = 0; i < scores.Length; i++)
            scores[i] = seen[i].LogDensity(target[i]) - unseen[i].LogDensity(target[i]);
        return scores;
    }

    static void Check(ReadOnlySpan<double> target, ScorePool pool, string name)
    {
        Require.Finite(target, nameof(target));
        Require.SameCount(target.Length, pool.Samples, name);
        Require.Models(pool, 2, name);
    }
}
