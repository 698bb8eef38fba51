using RegistryUnlearn.Unlearning.Data;

namespace RegistryUnlearn.Unlearning.Tests.Data;

public class RngTests
{
    /// <summary>Known answers of philox4x32-10 published with Random123 (Salmon et al., 2011), file kat_vectors.</summary>
    [Theory]
    [InlineData(0u, 0u, 0u, 0u, 0u, 0u, 0x6627e8d5u, 0xe169c58du, 0xbc57ac4cu, 0x9b00dbd8u)]
    [InlineData(~0u, ~0u, ~0u, ~0u, ~0u, ~0u, 0x408f276du, 0x41c83b0eu, 0xa20bc7c6u, 0x6d5451fdu)]
    [InlineData(
        0x243f6a88u, 0x85a308d3u, 0x13198a2eu, 0x03707344u, 0xa4093822u, 0x299f31d0u, 0xd16cfe09u, 0x94fdccebu, 0x5001e420u, 0x24126ea1u)]
    public void Philox_gives_the_published_answers(
        uint c0, uint c1, uint c2, uint c3, uint k0, uint k1, uint w0, uint w1, uint w2, uint w3) =>
        Assert.Equal((w0, w1, w2, w3), Philox.Block(c0, c1, c2, c3, k0, k1));

    [Fact]
    public void Equal_addresses_give_equal_numbers_and_others_do_not()
    {
        static ulong[] Draw(ulong seed, string stream, long step)
        {
            var rng = Rng.For(seed, stream, step);
            return [rng.NextUInt64(), rng.NextUInt64(), rng.NextUInt64()];
        }

        Assert.Equal(Draw(1, "a", 2), Draw(1, "a", 2));
        ulong[][] others =
        [
            Draw(1, "a", 2), Draw(2, "a", 2), Draw(1, "b", 2), Draw(1, "a", 3), Draw(1, "aa", 2), Draw(1, "", 2), Draw(1, "ŧ", 2),
        ];
        Assert.Equal(3 * others.Length, others.SelectMany(numbers => numbers).Distinct().Count());
    }

    [Fact]
    public void Uniform_numbers_have_the_moments_of_the_uniform_distribution()
    {
        var rng = Rng.For(3, "uniform", 0);
        double sum = 0, squares = 0, singles = 0;
        const int N = 100_000;
        for (var i = 0; i < N; i++)
        {
            var x = rng.NextDouble();
            var y = rng.NextSingle();
            Assert.InRange(x, 0, 1 - 1e-17);
            Assert.True(y is >= 0 and < 1);
            (sum, squares, singles) = (sum + x, squares + (x * x), singles + y);
        }

        Assert.Equal(1 / 2.0, sum / N, 0.004);
        Assert.Equal(1 / 3.0, squares / N, 0.004);
        Assert.Equal(1 / 2.0, singles / N, 0.004);
    }

    [Fact]
    public void Normal_numbers_have_the_moments_of_the_normal_distribution()
    {
        var rng = Rng.For(4, "normal", 0);
        var values = new float[100_000];
        rng.FillNormal(values);

        Assert.Equal(0, values.Average(), 0.015);
        Assert.Equal(1, values.Average(x => x * x), 0.02);
        Assert.Equal(3, values.Average(x => Math.Pow(x, 4)), 0.15);
        Assert.Equal(0, values.Zip(values.Skip(1), (a, b) => a * b).Average(), 0.015);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(3)]
    [InlineData(1000)]
    [InlineData(0x60000000)]
    public void Bounded_integers_are_uniform_below_the_bound(int bound)
    {
        var rng = Rng.For(5, "bounded", bound);
        const int N = 60_000;
        var thirds = new int[3];
        for (var i = 0; i < N; i++)
        {
            var value = rng.NextInt32(bound);
            Assert.InRange(value, 0, bound - 1);
            thirds[(int)(3L * value / bound)]++;
        }

        // With 0x60000000 = 3·2²⁹ a plain remainder of 32 bits would put 3/8, 3/8 and 2/8 into the thirds.
        if (bound > 1)
            Assert.All(thirds, count => Assert.Equal(1 / 3.0, count / (double)N, 0.01));
    }

    [Fact]
    public void Bound_must_be_positive() => Assert.Throws<ArgumentOutOfRangeException>(() =>
    {
        var rng = Rng.For(0, "", 0);
        return rng.NextInt32(0);
    });

    [Fact]
    public void All_permutations_are_equally_likely()
    {
        var counts = new Dictionary<string, int>();
        for (var step = 0; step < 12_000; step++)
        {
            Span<int> values = [0, 1, 2];
            Rng.For(6, "shuffle", step).Shuffle(values);
            var key = $"{values[0]}{values[1]}{values[2]}";
            counts[key] = counts.GetValueOrDefault(key) + 1;
        }

        Assert.Equal(6, counts.Count);
        Assert.All(counts.Values, count => Assert.InRange(count, 1850, 2150));
    }

    [Fact]
    public void A_sample_moves_distinct_values_to_the_front_and_loses_none()
    {
        var values = Enumerable.Range(0, 50).ToArray();
        Rng.For(7, "sample", 0).Sample(values.AsSpan(), 10);

        Assert.Equal(Enumerable.Range(0, 50), values.Order());
        Assert.NotEqual(Enumerable.Range(0, 10), values.Take(10));
        Assert.Throws<ArgumentOutOfRangeException>(() => Rng.For(7, "sample", 0).Sample(values.AsSpan(), 51));
    }
}
