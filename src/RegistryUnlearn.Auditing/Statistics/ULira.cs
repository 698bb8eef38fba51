namespace RegistryUnlearn.Auditing.Statistics;

/// <summary>
/// The per-sample likelihood-ratio test of unlearning (Hayes et al., SaTML 2025, arXiv 2403.01218): can unlearned models be told from
/// retrained ones by their logit-scaled confidence in a sample (<see cref="SetOutputs.Confidences"/>)? 1/2 is a guess, as it is between
/// retrained models; 1 is full recognition. Single samples scatter about it with few models, to both sides.
/// </summary>
public static class ULira
{
    /// <summary>Models that each pool needs.</summary>
    public const int LeastModels = 4;

    /// <summary>
    /// Tests every pair of an unlearned and a retrained model against Gaussians that were fitted without both, wherever their values
    /// occur, and takes the mean over the pairs: each model is told by the larger likelihood, a tie counts one half. So independent
    /// pools of one distribution expect exactly 1/2, whatever their sizes, and a pool against itself has it.
    /// </summary>
    /// <param name="unlearned">Confidences of independently unlearned models; every sample has at least <see cref="LeastModels"/>.</param>
    /// <param name="oracles">Confidences of models retrained without the forget set, none of which was unlearned; likewise.</param>
    /// <param name="utility">Without use there is no privacy to praise: when it does not hold there is no number.</param>
    /// <param name="variance">Pooled over the samples below 16 models unless stated.</param>
    /// <exception cref="ArgumentException">The samples differ in number, a sample has too few models, or an accuracy is none.</exception>
    public static ULiraAnswer Compare(
        ScorePool unlearned, ScorePool oracles, UtilityGuard utility, PoolVariance variance = PoolVariance.ByModels)
    {
        Require.SameCount(unlearned.Samples, oracles.Samples, nameof(oracles));
        Require.Models(unlearned, LeastModels, nameof(unlearned));
        Require.Models(oracles, LeastModels, nameof(oracles));
        if (!utility.Holds)
            return new ULiraAnswer.Refused(utility.LostPoints, utility.AllowedPoints);
        var (ours, theirs) = (Ascending(unlearned), Ascending(oracles));
        var (ourFits, theirFits) = PoolGaussians.Of(ours, theirs, variance);
        var accuracies = new double[unlearned.Samples];
        for (var sample = 0; sample < accuracies.Length; sample++)
        {
            var right = 0.0;
            foreach (var u in ours[sample])
                foreach (var o in theirs[sample])
                {
                    var (a, b) = (FitWithout(ours, ourFits, sample, u, o), FitWithout(theirs, theirFits, sample, u, o));
                    right += Right(a.LogDensity(u) - b.LogDensity(u)) + Right(b.LogDensity(o) - a.LogDensity(o));
                }

            accuracies[sample] = right / (2.0 * ours[sample].Length * theirs[sample].Length);
        }

        return new ULiraAnswer.Measured(accuracies.Average(), accuracies);
    }

    static double Right(double logRatio) => logRatio > 0 ? 1 : logRatio == 0 ? 0.5 : 0;

    // The smaller first: pools of the same values then give the same Gaussian to the last bit, and tie.
    static Gaussian FitWithout(ScorePool ascending, PoolGaussians fits, int sample, double first, double second)
    {
        var rest = fits.Moments(sample);
        var (smaller, larger) = (Math.Min(first, second), Math.Max(first, second));
        if (ascending[sample].BinarySearch(smaller) >= 0)
            rest = rest.Without(smaller);
        if (larger != smaller && ascending[sample].BinarySearch(larger) >= 0)
            rest = rest.Without(larger);
        return fits.Fit(sample, rest);
    }

    static ScorePool Ascending(ScorePool pool)
    {
        var samples = new double[pool.Samples][];
        for (var sample = 0; sample < samples.Length; sample++)
            Array.Sort(samples[sample] = pool[sample].ToArray());
        return ScorePool.OfSamples(samples);
    }
}

/// <summary>A measurement, or the reason why there is none.</summary>
public abstract record ULiraAnswer
{
    ULiraAnswer()
    {
    }

    /// <param name="BalancedAccuracy">Mean over the samples, in [0, 1].</param>
    /// <param name="PerSample">Share of the models that were told rightly, unlearned and retrained weighing the same.</param>
    public sealed record Measured(double BalancedAccuracy, IReadOnlyList<double> PerSample) : ULiraAnswer;

    /// <summary>The unlearned models lost more accuracy on the test set than is allowed.</summary>
    /// <param name="LostPoints">Points of hundred below the oracles.</param>
    public sealed record Refused(double LostPoints, double AllowedPoints) : ULiraAnswer;
}
