using RegistryUnlearn.Auditing.Statistics;

namespace RegistryUnlearn.Auditing.Tests;

/// <summary>Independent normal numbers from a seed (Box, Muller, 1958).</summary>
static class Normals
{
    public static double[] Draw(ulong seed, int count, double mean = 0, double deviation = 1)
    {
        var random = new SplitMix64(seed);
        var values = new double[count];
        for (var i = 0; i < count; i++)
            values[i] = mean + (deviation * Math.Sqrt(-2 * Math.Log(1 - random.NextDouble())) * Math.Cos(2 * Math.PI * random.NextDouble()));
        return values;
    }

    /// <summary>So many models that draw every sample from its own normal distribution.</summary>
    public static ScorePool Pool(ulong seed, int models, IReadOnlyList<double> means, double deviation = 1) =>
        ScorePool.OfSamples([.. means.Select((mean, sample) => Draw((seed * 1_000_003) + (ulong)sample, models, mean, deviation))]);

    /// <summary>The values in an order that the seed decides.</summary>
    public static T[] Shuffled<T>(ulong seed, IEnumerable<T> values)
    {
        var random = new SplitMix64(seed);
        return [.. values.Select(value => (value, key: random.Next())).OrderBy(x => x.key).Select(x => x.value)];
    }
}
