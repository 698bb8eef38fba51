namespace RegistryUnlearn.Auditing.Statistics;

static class Require
{
    /// <exception cref="ArgumentException">The sample is empty, not finite or not ascending.</exception>
    public static void Ascending(ReadOnlySpan<double> sample, string name)
    {
        if (sample.IsEmpty)
            throw new ArgumentException("the sample is empty; a statistic of nothing does not exist", name);
        var previous = double.NegativeInfinity;
        foreach (var value in sample)
        {
            if (!double.IsFinite(value) || value < previous)
                throw new ArgumentException("the sample must be finite and ascending; sort it first", name);
            previous = value;
        }
    }

    /// <exception cref="ArgumentException">The sample is empty or not finite.</exception>
    public static void Finite(ReadOnlySpan<double> sample, string name)
    {
        if (sample.IsEmpty)
            throw new ArgumentException("the sample is empty; a statistic of nothing does not exist", name);
        foreach (var value in sample)
            if (!double.IsFinite(value))
                throw new ArgumentException("the sample must be finite; find the model that diverged", name);
    }

    /// <exception cref="ArgumentException">The sample is empty, or a value is above 0 or not finite.</exception>
    public static void LogProbabilities(ReadOnlySpan<double> sample, string name)
    {
        Finite(sample, name);
        foreach (var value in sample)
            if (value > 0)
                throw new ArgumentException($"{value} is no logarithm of a probability; give the negative of the losses", name);
    }

    /// <exception cref="ArgumentException">The counts differ.</exception>
    public static void SameCount(int expected, int actual, string name)
    {
        if (actual != expected)
            throw new ArgumentException($"{actual} samples where {expected} are expected; give the same samples in the same order", name);
    }

    /// <exception cref="ArgumentException">The pool lacks models for some sample.</exception>
    public static void Models(ScorePool pool, int least, string name)
    {
        if (pool.LeastModels < least)
            throw new ArgumentException($"a sample has {pool.LeastModels} model(s); this statistic needs at least {least}", name);
    }

    /// <exception cref="ArgumentOutOfRangeException">The level does not lie between 0 and 1.</exception>
    public static void Level(double level)
    {
        if (level is not (> 0 and < 1))
            throw new ArgumentOutOfRangeException(nameof(level), level, "the level must lie between 0 and 1");
    }
}
