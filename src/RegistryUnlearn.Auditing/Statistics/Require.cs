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
}
