namespace RegistryUnlearn.Auditing.Statistics;

/// <summary>
/// SplitMix64 (Steele, Lea, Flood, OOPSLA 2014, figure 17): the same seed gives the same numbers on every machine.
/// </summary>
public sealed class SplitMix64(ulong seed)
{
    ulong _state = seed;

    public ulong Next()
    {
        var z = _state += 0x9E3779B97F4A7C15;
        z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9;
        z = (z ^ (z >> 27)) * 0x94D049BB133111EB;
        return z ^ (z >> 31);
    }

    /// <summary>Uniform in [0, bound); the bias of the multiply-shift is below bound / 2^64.</summary>
    public int Next(int bound)
    {
        var high = Math.BigMul(Next(), (ulong)bound, out _);
        return (int)high;
    }

    /// <summary>Uniform in [0, 1) with 53 random bits.</summary>
    public double NextDouble() => (Next() >> 11) * (1.0 / (1UL << 53));
}
