using RegistryUnlearn.Auditing.Statistics;

namespace RegistryUnlearn.Auditing.Tests;

public class ULiraTests
{
    static readonly UtilityGuard Useful = new([.9], [.9], 1);

    /// <summary>Unlearned N(d, 1), retrained N(0, 1): the best rule tells a share of Φ(d/2) rightly.</summary>
    [Theory]
    [InlineData(0, PoolVariance.Pooled)]
    [InlineData(0, PoolVariance.PerSample)]
    [InlineData(1, PoolVariance.Pooled)]
    [InlineData(2, PoolVariance.ByModels)]
    [InlineData(-2, PoolVariance.PerSample)]
    public void Shifted_normal_pools_have_the_closed_form(double shift, PoolVariance variance)
    {
        var means = Normals.Draw(1, 100, 0, 5);
        var measured = Measure(Normals.Pool(2, 40, [.. means.Select(m => m + shift)]), Normals.Pool(3, 48, means), variance);
        Assert.Equal(NormalDistribution.Cdf(Math.Abs(shift) / 2), measured.BalancedAccuracy, .02);
        Assert.Equal(measured.BalancedAccuracy, measured.PerSample.Average(), 1e-12);
    }

    /// <summary>N(0, 1) and N(0, s²), s = 3: the likelihoods cross at |x| = c, c² = 2 ln s · s²/(s² − 1).</summary>
    [Fact]
    public void Pools_of_one_mean_are_told_by_their_widths()
    {
        var wide = Normals.Pool(4, 64, new double[60], 3);
        var crossing = Math.Sqrt(2 * Math.Log(3) * 9 / 8);
        var inside = (2 * NormalDistribution.Cdf(crossing)) - 1;
        var outside = 2 * (1 - NormalDistribution.Cdf(crossing / 3));
        foreach (var variance in Enum.GetValues<PoolVariance>())
            Assert.Equal((inside + outside) / 2, Measure(wide, Normals.Pool(5, 64, new double[60]), variance).BalancedAccuracy, .02);
    }

    [Theory]
    [InlineData(4, 4)]
    [InlineData(4, 12)]
    [InlineData(20, 17)]
    public void Few_models_of_one_distribution_are_a_guess_on_average(int unlearned, int oracles)
    {
        var means = Normals.Draw(6, 1500);
        foreach (var variance in Enum.GetValues<PoolVariance>())
            Assert.Equal(.5, Measure(Normals.Pool(7, unlearned, means), Normals.Pool(8, oracles, means), variance).BalancedAccuracy, .02);
    }

    [Fact]
    public void Identical_pools_in_any_order_are_a_guess_exactly()
    {
        for (var seed = 0UL; seed < 20; seed++)
        {
            double[][] models = [.. Enumerable.Range(0, 5 + (int)seed).Select(m => Normals.Draw((100 * seed) + (ulong)m, 3, 7, 1e-3))];
            var (pool, same) = (ScorePool.OfModels(models), ScorePool.OfModels(Normals.Shuffled(seed, models)));
            foreach (var variance in Enum.GetValues<PoolVariance>())
                Assert.Equal([.5, .5, .5], Measure(pool, same, variance).PerSample);
        }
    }

    [Fact]
    public void Accuracy_agrees_with_fitting_every_pair_anew()
    {
        for (var seed = 0UL; seed < 20; seed++)
        {
            double[] shared = Normals.Draw(seed, 2);
            double[] unlearned = [.. shared, .. Normals.Draw(seed + 100, 5, 1)], oracles = [.. shared, .. Normals.Draw(seed + 200, 4)];
            var right = 0.0;
            foreach (var u in unlearned)
                foreach (var o in oracles)
                {
                    var (ours, theirs) = (unlearned.Except([u, o]).ToArray(), oracles.Except([u, o]).ToArray());
                    double Ratio(double x) => LogDensity(ours, x) - LogDensity(theirs, x);
                    right += (Math.Sign(Ratio(u)) - Math.Sign(Ratio(o)) + 2) / 4.0;
                }

            var measured = Measure(ScorePool.OfSamples([unlearned]), ScorePool.OfSamples([oracles]), PoolVariance.PerSample);
            Assert.Equal(right / (unlearned.Length * oracles.Length), measured.BalancedAccuracy, 1e-12);
        }

        static double LogDensity(double[] values, double x)
        {
            var mean = values.Average();
            var variance = values.Sum(v => (v - mean) * (v - mean)) / (values.Length - 1);
            return NormalDistribution.LogDensity(x, mean, Math.Sqrt(variance));
        }
    }

    [Fact]
    public void Order_of_the_models_does_not_matter_and_the_pools_may_be_exchanged()
    {
        double[][] first = [.. Enumerable.Range(0, 6).Select(m => Normals.Draw((ulong)m, 4))];
        double[][] second = [.. Enumerable.Range(0, 9).Select(m => Normals.Draw(50 + (ulong)m, 4, .5))];
        var (a, b) = (ScorePool.OfModels(first), ScorePool.OfModels(second));
        var shuffled = Measure(ScorePool.OfModels(Normals.Shuffled(1, first)), ScorePool.OfModels(Normals.Shuffled(2, second)));
        Assert.Equal(Measure(a, b).PerSample, shuffled.PerSample);
        Assert.Equal(Measure(a, b).PerSample, Measure(b, a).PerSample);
    }

    [Fact]
    public void Constant_answers_are_a_guess_when_alike_and_certain_when_not()
    {
        ScorePool Constant(double value) => ScorePool.OfSamples([[value, value, value, value], [value, value, value, value]]);
        foreach (var variance in Enum.GetValues<PoolVariance>())
        {
            Assert.Equal([.5, .5], Measure(Constant(3), Constant(3), variance).PerSample);
            Assert.Equal([1.0, 1], Measure(Constant(3), Constant(4), variance).PerSample);
        }
    }

    [Fact]
    public void Each_sample_is_judged_by_itself()
    {
        var measured = Measure(Normals.Pool(1, 30, [0, 50]), Normals.Pool(2, 30, [0, 0]));
        Assert.InRange(measured.PerSample[0], .3, .7);
        Assert.Equal(1, measured.PerSample[1]);
    }

    [Fact]
    public void Lost_utility_is_refused_and_named()
    {
        var pool = Normals.Pool(1, 4, [0]);
        Assert.IsType<ULiraAnswer.Measured>(ULira.Compare(pool, pool, new([.5, .75], [.75, .75], 12.5)));
        var refused = Assert.IsType<ULiraAnswer.Refused>(ULira.Compare(pool, pool, new([.5, .75], [.75, .75], 12)));
        Assert.Equal(new(12.5, 12), refused);
        Assert.IsType<ULiraAnswer.Measured>(ULira.Compare(pool, pool, new([1], [.2], 0)));
    }

    [Fact]
    public void Inputs_that_cannot_be_compared_are_refused()
    {
        var pool = Normals.Pool(1, 4, [0, 1]);
        Refused(() => Measure(pool, Normals.Pool(1, 4, [0])), "1 samples where 2");
        Refused(() => Measure(pool, Normals.Pool(1, 3, [0, 1])), "at least 4");
        Refused(() => Measure(Normals.Pool(1, 1, [0, 1]), pool), "at least 4");
        foreach (var guard in new UtilityGuard[] { new([], [.5], 1), new([.5], [], 1), new([double.NaN], [.5], 1) })
            Refused(() => ULira.Compare(pool, pool, guard), "sample");
        Refused(() => ULira.Compare(pool, pool, new([90], [.5], 1)), "percentages");
        Refused(() => ULira.Compare(pool, pool, new([.5], [.5], -1)), "allowance");
        Refused(() => ULira.Compare(pool, pool, new([.5], [.5], double.NaN)), "allowance");
    }

    static ULiraAnswer.Measured Measure(ScorePool unlearned, ScorePool oracles, PoolVariance variance = PoolVariance.ByModels) =>
        Assert.IsType<ULiraAnswer.Measured>(ULira.Compare(unlearned, oracles, Useful, variance));

    static void Refused(Action compare, string reason) => Assert.Contains(reason, Assert.Throws<ArgumentException>(compare).Message);
}
