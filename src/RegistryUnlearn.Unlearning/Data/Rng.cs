namespace RegistryUnlearn.Unlearning.Data;

/// <summary>
/// Deterministic random numbers addressed by (seed, stream, step): a resumed run continues without any stored generator state.
/// Philox4x32-10 with a key derived from seed and stream (FNV-1a over the stream's UTF-16 units, finalised as in SplitMix64) and the
/// counter (block, step). A mutable value without heap memory: keep it in a local variable and pass it by reference; a copy repeats the
/// numbers.
/// </summary>
public struct Rng
{
    readonly ulong key;
    readonly ulong step;
    ulong block;
    uint word1;
    uint word2;
    uint word3;
    int left;
    double spareNormal;
    bool hasSpareNormal;

    Rng(ulong key, ulong step) => (this.key, this.step) = (key, step);

    /// <summary>The generator of one step of one stream. Streams with different names are independent of each other.</summary>
    public static Rng For(ulong seed, string stream, long step)
    {
        var hash = 0xCBF29CE484222325;
        foreach (var unit in stream)
        {
            hash = (hash ^ (byte)unit) * 0x100000001B3;
            hash = (hash ^ (byte)(unit >> 8)) * 0x100000001B3;
        }

        return new Rng(Mix(Mix(seed + 0x9E3779B97F4A7C15) ^ hash), (ulong)step);
    }

    public uint NextUInt32()
    {
        switch (left)
        {
            case 3:
                left = 2;
                return word1;
            case 2:
                left = 1;
                return word2;
            case 1:
                left = 0;
                return word3;
            default:
                (var word0, word1, word2, word3) = Philox.Block(
                    (uint)block, (uint)(block >> 32), (uint)step, (uint)(step >> 32), (uint)key, (uint)(key >> 32));
                block++;
                left = 3;
                return word0;
        }
    }

    public ulong NextUInt64() => NextUInt32() | ((ulong)NextUInt32() << 32);

    /// <summary>Uniform in [0, 1), a multiple of 2⁻⁵³.</summary>
    public double NextDouble() => (NextUInt64() >> 11) * (1.0 / (1UL << 53));

    /// <summary>Uniform in [0, 1), a multiple of 2⁻²⁴.</summary>
    public float NextSingle() => (NextUInt32() >> 8) * (1.0f / (1 << 24));

    /// <summary>Uniform in 0 .. bound − 1, without modulo bias (Lemire, "Fast Random Integer Generation in an Interval", 2019).</summary>
    /// <exception cref="ArgumentOutOfRangeException">The bound is not positive.</exception>
    public int NextInt32(int bound)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(bound);
        var range = (uint)bound;
        var product = (ulong)NextUInt32() * range;
        if ((uint)product < range)
        {
            var rejected = (0u - range) % range;
            while ((uint)product < rejected)
                product = (ulong)NextUInt32() * range;
        }

        return (int)(product >> 32);
    }

    /// <summary>Normal with mean 0 and variance 1 (Box and Muller, 1958).</summary>
    public double NextNormal()
    {
        if (hasSpareNormal)
        {
            hasSpareNormal = false;
            return spareNormal;
        }

        var radius = Math.Sqrt(-2 * Math.Log(1 - NextDouble()));
        var (sine, cosine) = Math.SinCos(2 * Math.PI * NextDouble());
        (spareNormal, hasSpareNormal) = (radius * sine, true);
        return radius * cosine;
    }

    /// <summary>Fills with independent standard normal numbers.</summary>
    public void FillNormal(Span<float> values)
    {
        for (var i = 0; i < values.Length; i++)
            values[i] = (float)NextNormal();
    }

    /// <summary>Uniform random permutation in place (Fisher and Yates).</summary>
    public void Shuffle<T>(Span<T> values) => Sample(values, values.Length);

    /// <summary>
    /// Moves a uniform random sample without replacement, in random order, to the first <paramref name="count"/> places;
    /// the others stay behind.
    /// </summary>
    /// <exception cref="ArgumentOutOfRangeException">There are fewer values than asked for.</exception>
    public void Sample<T>(Span<T> values, int count)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(count);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(count, values.Length);
        for (var i = 0; i < count; i++)
        {
            var other = i + NextInt32(values.Length - i);
            (values[i], values[other]) = (values[other], values[i]);
        }
    }

    /// <summary>The finaliser of SplitMix64 (Steele, Lea, Flood, "Fast Splittable Pseudorandom Number Generators", 2014).</summary>
    static ulong Mix(ulong value)
    {
        value = (value ^ (value >> 30)) * 0xBF58476D1CE4E5B9;
        value = (value ^ (value >> 27)) * 0x94D049BB133111EB;
        return value ^ (value >> 31);
    }
}
