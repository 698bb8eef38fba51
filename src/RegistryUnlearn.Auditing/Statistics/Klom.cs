namespace RegistryUnlearn.Auditing.Statistics;

/// <summary>
/// KL divergence of margins (Georgiev et al., ICLR 2025, arXiv 2410.23232): per sample, how far the histogram of the unlearned models'
/// margins is from that of the retrained ones. The margin is the logit-scaled confidence (<see cref="SetOutputs.Confidences"/>). Histograms
/// have 20 bins over the range of both pools, clipped to ±100, the largest margin in the last bin; ε = 1e-5 is added to every share, and
/// the shares are brought back to the sum 1. So a sample has 0 when the histograms agree, and at most log((1 + ε)/ε) ≈ 11.5 nats.
/// </summary>
/// <remarks>Few models fill few bins: two pools of one distribution are above 0, the more so the fewer they are (100 is customary). Compare
/// with oracles against other oracles, of the same numbers. The authors' code drops the largest margin and bounds only the second
/// histogram from below.</remarks>
public static class Klom
{
    const int Bins = 20;
    const double Bound = 100;
    const double Epsilon = 1e-5;

    /// <param name="oracles">Margins of models retrained without the forget set.</param>
    /// <param name="unlearned">Margins of unlearned models; the pools may differ in size.</param>
    /// <exception cref="ArgumentException">The samples differ in number, or a sample has fewer than 2 models.</exception>
    public static KlomResult Compare(
        ScorePool oracles, ScorePool unlearned, KlomDirection direction = KlomDirection.UnlearnedFromOracles)
    {
        Require.SameCount(oracles.Samples, unlearned.Samples, nameof(unlearned));
        Require.Models(oracles, 2, nameof(oracles));
        Require.Models(unlearned, 2, nameof(unlearned));
        var (from, to) = direction == KlomDirection.UnlearnedFromOracles ? (unlearned, oracles) : (oracles, unlearned);
        var divergences = new double[oracles.Samples];
        for (var sample = 0; sample < divergences.Length; sample++)
            divergences[sample] = Divergence(from[sample], to[sample]);
        var ascending = divergences.Order().ToArray();
        return new(divergences.Average(), Quantiles.At(ascending, 0.95), divergences);
    }

    static double Divergence(ReadOnlySpan<double> from, ReadOnlySpan<double> to)
    {
        var (first, second) = (Range(from), Range(to));
        var range = new Interval(Math.Min(first.Low, second.Low), Math.Max(first.High, second.High));
        Span<double> p = stackalloc double[Bins], q = stackalloc double[Bins];
        Fill(p, from, range);
        Fill(q, to, range);
        var sum = 0.0;
        for (var bin = 0; bin < Bins; bin++)
            sum += p[bin] * Math.Log(p[bin] / q[bin]);
        return Math.Max(sum, 0);
    }

    static Interval Range(ReadOnlySpan<double> margins)
    {
        double low = Bound, high = -Bound;
        foreach (var margin in margins)
            (low, high) = (Math.Min(low, Clip(margin)), Math.Max(high, Clip(margin)));
        return new(low, high);
    }

    static void Fill(Span<double> shares, ReadOnlySpan<double> margins, Interval range)
    {
        var width = range.High - range.Low;
        foreach (var margin in margins)
            shares[width > 0 ? Math.Min((int)((Clip(margin) - range.Low) / width * Bins), Bins - 1) : 0]++;
        foreach (ref var share in shares)
            share = ((share / margins.Length) + Epsilon) / (1 + (Bins * Epsilon));
    }

    static double Clip(double margin) => Math.Clamp(margin, -Bound, Bound);
}

/// <summary>KL divergence is not symmetric.</summary>
public enum KlomDirection
{
    /// <summary>KL(unlearned ‖ oracles): large where unlearned models go and oracles never do. The authors' code measures this, so their
    /// published numbers do too.</summary>
    UnlearnedFromOracles,

    /// <summary>KL(oracles ‖ unlearned): large where oracles go and unlearned models never do.</summary>
    OraclesFromUnlearned,
}

/// <summary>All in nats, at least 0.</summary>
/// <param name="Mean">Over the samples.</param>
/// <param name="Percentile95">Over the samples, linear between order statistics.</param>
/// <param name="PerSample">In the order of the samples.</param>
public sealed record KlomResult(double Mean, double Percentile95, IReadOnlyList<double> PerSample);
