using RegistryUnlearn.Auditing.Statistics;

namespace RegistryUnlearn.Auditing.Tests;

public class DistributionTests
{
    /// <summary>Values computed with 40 digits.</summary>
    [Theory]
    [InlineData(-10, -7.6198530241605260704e-24)]
    [InlineData(-3, -0.0013508099647481937988)]
    [InlineData(-1, -0.17275377902344988953)]
    [InlineData(0, -0.69314718055994530942)]
    [InlineData(0.5, -1.1759117615936186089)]
    [InlineData(1, -1.8410216450092635058)]
    [InlineData(2.9999, -6.6073979162920546277)]
    [InlineData(3, -6.6077262215103495433)]
    [InlineData(5, -15.064998393988725736)]
    [InlineData(10, -53.231285150512470578)]
    [InlineData(40, -804.60844201375378817)]
    [InlineData(1e4, -50000010.129278915181)]
    [InlineData(1e8, -5000000000000019.3396)]
    public void Normal_tail_is_exact_far_beyond_underflow(double z, double expected) =>
        Assert.Equal(expected, NormalDistribution.LogSurvival(z), 1e-13 * Math.Abs(expected));

    [Fact]
    public void Normal_tail_falls_everywhere()
    {
        var previous = 0.0;
        for (var z = -8.0; z < 60; z += 1.0 / 64)
        {
            var value = NormalDistribution.LogSurvival(z);
            Assert.True(value < previous, $"at {z}");
            previous = value;
        }
    }

    [Fact]
    public void Normal_density_is_the_slope_of_its_distribution()
    {
        foreach (var z in new[] { -4, -1.5, 0, .25, 2, 5 })
        {
            var slope = (NormalDistribution.Cdf(z + 1e-5) - NormalDistribution.Cdf(z - 1e-5)) / 2e-5;
            Assert.Equal(Math.Log(slope), NormalDistribution.LogDensity((3 * z) + 2, 2, 3) + Math.Log(3), 1e-4);
        }
    }

    /// <summary>Values computed with 40 digits.</summary>
    [Theory]
    [InlineData(0, 10, .95, 0, 0.30849710781876082)]
    [InlineData(10, 10, .95, 0.69150289218123918, 1)]
    [InlineData(1, 10, .95, 0.0025285785444617845, 0.44501611702819542)]
    [InlineData(3, 10, .95, 0.066739511177734467, 0.6524528500599973)]
    [InlineData(5, 10, .9, 0.22244110100812908, 0.77755889899187092)]
    [InlineData(50, 1000, .95, 0.037335397604661768, 0.065390487915493648)]
    [InlineData(400, 5000, .99, 0.070421653104431061, 0.090388193917723092)]
    public void Clopper_Pearson_is_exact(int successes, int trials, double level, double low, double high)
    {
        var interval = ClopperPearson.Of(successes, trials, level);
        Assert.Equal(low, interval.Low, 1e-12);
        Assert.Equal(high, interval.High, 1e-12);
    }

    [Fact]
    public void Clopper_Pearson_without_success_has_its_closed_form()
    {
        foreach (var trials in new[] { 1, 7, 200, 50_000 })
            Assert.Equal(1 - Math.Pow(.025, 1.0 / trials), ClopperPearson.Of(0, trials).High, 1e-13);
    }

    [Fact]
    public void Clopper_Pearson_covers_at_least_its_level()
    {
        const int Trials = 25;
        foreach (var share in new[] { .02, .2, .5, .77 })
        {
            double covered = 0, term = Math.Pow(1 - share, Trials);
            for (var k = 0; k <= Trials; k++)
            {
                var interval = ClopperPearson.Of(k, Trials, .9);
                covered += interval.Low <= share && share <= interval.High ? term : 0;
                term *= (double)(Trials - k) / (k + 1) * share / (1 - share);
            }

            Assert.InRange(covered, .9, 1 + 1e-12);
        }
    }

    [Theory]
    [InlineData(0, 0, .95)]
    [InlineData(-1, 3, .95)]
    [InlineData(4, 3, .95)]
    [InlineData(1, 3, 0)]
    [InlineData(1, 3, 1)]
    [InlineData(1, 3, double.NaN)]
    public void Clopper_Pearson_refuses_what_is_no_share(int successes, int trials, double level) =>
        Assert.Throws<ArgumentOutOfRangeException>(() => ClopperPearson.Of(successes, trials, level));
}
