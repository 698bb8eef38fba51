namespace RegistryUnlearn.Auditing.Statistics;

/// <summary>A Gaussian per sample, fitted to the values that the models of a pool give it. Every sample has at least 2 models.</summary>
sealed class PoolGaussians
{
    const int FewModels = 16;

    /// <summary>Models that answer alike count as this far apart: below the rounding of logits in float32.</summary>
    const double LeastDeviation = 1e-6;

    readonly Moments[] _samples;
    readonly double _squares;
    readonly int _freedom;
    readonly bool _isPooled;

    PoolGaussians(ScorePool pool, bool isPooled)
    {
        _isPooled = isPooled;
        _samples = new Moments[pool.Samples];
        for (var sample = 0; sample < pool.Samples; sample++)
        {
            _samples[sample] = Statistics.Moments.Of(pool[sample]);
            _squares += _samples[sample].Squares;
            _freedom += _samples[sample].Count - 1;
        }
    }

    public static PoolGaussians Of(ScorePool pool, PoolVariance variance) => new(pool, IsPooled(variance, pool.LeastModels));

    /// <summary>Two pools that are compared have their variances from the same rule: that of the pool with fewer models.</summary>
    public static (PoolGaussians First, PoolGaussians Second) Of(ScorePool first, ScorePool second, PoolVariance variance)
    {
        var isPooled = IsPooled(variance, Math.Min(first.LeastModels, second.LeastModels));
        return (new(first, isPooled), new(second, isPooled));
    }

    public Gaussian this[int sample] => Fit(sample, _samples[sample]);

    /// <summary>The Gaussian of one sample as if its pool had given only what <paramref name="rest"/> sums up.</summary>
    public Gaussian Fit(int sample, Moments rest)
    {
        var all = _samples[sample];
        var variance = _isPooled
            ? (_squares - all.Squares + rest.Squares) / (_freedom - all.Count + rest.Count)
            : rest.Squares / (rest.Count - 1);
        return new(rest.Mean, Math.Max(Math.Sqrt(Math.Max(variance, 0)), LeastDeviation));
    }

    public Moments Moments(int sample) => _samples[sample];

    static bool IsPooled(PoolVariance variance, int models) =>
        variance == PoolVariance.Pooled || (variance == PoolVariance.ByModels && models < FewModels);
}

readonly record struct Gaussian(double Mean, double Deviation)
{
    public double LogDensity(double x) => NormalDistribution.LogDensity(x, Mean, Deviation);
}

/// <summary>Count, mean and sum of the squared deviations from the mean.</summary>
readonly record struct Moments(int Count, double Mean, double Squares)
{
    public static Moments Of(ReadOnlySpan<double> values)
    {
        double sum = 0, squares = 0;
        foreach (var value in values)
            sum += value;
        var mean = sum / values.Length;
        foreach (var value in values)
            squares += (value - mean) * (value - mean);
        return new(values.Length, mean, squares);
    }

    /// <summary>The same without one of the values; at least one must stay.</summary>
    public Moments Without(double value)
    {
        var mean = ((Count * Mean) - value) / (Count - 1);
        return new(Count - 1, mean, Math.Max(Squares - ((value - Mean) * (value - mean)), 0));
    }
}
