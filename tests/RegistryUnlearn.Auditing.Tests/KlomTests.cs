using RegistryUnlearn.Auditing.Statistics;

namespace RegistryUnlearn.Auditing.Tests;

public class KlomTests
{
    const double Epsilon = 1e-5;
    static readonly double Ceiling = Math.Log((1 + Epsilon) / Epsilon) / (1 + (20 * Epsilon));

    [Fact]
    public void Identical_pools_have_no_divergence()
    {
        for (var seed = 0UL; seed < 20; seed++)
        {
            double[][] models = [.. Enumerable.Range(0, 2 + (int)seed).Select(m => Normals.Draw((100 * seed) + (ulong)m, 3, 0, 30))];
            var result = Klom.Compare(ScorePool.OfModels(models), ScorePool.OfModels(Normals.Shuffled(seed, models)));
            Assert.Equal([0.0, 0, 0], result.PerSample);
            Assert.Equal((0.0, 0.0), (result.Mean, result.Percentile95));
        }
    }

    [Fact]
    public void Repeated_models_change_nothing()
    {
        double[] oracles = [1, 2, 3, 5], unlearned = [2, 2, 4];
        var once = Klom.Compare(ScorePool.OfSamples([oracles]), ScorePool.OfSamples([unlearned])).Mean;
        var thrice = Klom.Compare(
            ScorePool.OfSamples([[.. oracles, .. oracles, .. oracles]]), ScorePool.OfSamples([[.. unlearned, .. unlearned]])).Mean;
        Assert.Equal(once, thrice, 1e-12);
    }

    [Fact]
    public void Disjoint_pools_in_one_bin_each_reach_the_ceiling_in_both_directions()
    {
        var (oracles, unlearned) = (ScorePool.OfSamples([[0, 0, 0]]), ScorePool.OfSamples([[7, 7]]));
        foreach (var direction in Enum.GetValues<KlomDirection>())
            Assert.Equal(Ceiling, Klom.Compare(oracles, unlearned, direction).Mean, 1e-12);
        Assert.Equal(11.51, Ceiling, .01);
    }

    [Fact]
    public void Directions_follow_their_definitions()
    {
        // Bins of width 1: oracles half in bin 0 and half in bin 19, unlearned all in bin 0.
        var (oracles, unlearned) = (ScorePool.OfSamples([[0, 20]]), ScorePool.OfSamples([[0.5, 0.9, 0]]));
        const double Sum = 1 + (20 * Epsilon), Half = (.5 + Epsilon) / Sum, All = (1 + Epsilon) / Sum, None = Epsilon / Sum;
        var forth = (All * Math.Log(All / Half)) + (None * Math.Log(None / Half));
        var back = (Half * Math.Log(Half / All)) + (Half * Math.Log(Half / None));
        Assert.Equal(forth, Klom.Compare(oracles, unlearned).Mean, 1e-13);
        Assert.Equal(forth, Klom.Compare(oracles, unlearned, KlomDirection.UnlearnedFromOracles).Mean, 1e-13);
        Assert.Equal(back, Klom.Compare(oracles, unlearned, KlomDirection.OraclesFromUnlearned).Mean, 1e-13);
        Assert.Equal(Math.Log(2), forth, 1e-3);
    }

    [Fact]
    public void The_largest_margin_counts_in_the_last_bin()
    {
        // Bins of width 1 up to 20: 19.5 shares the last one with 20, 18.5 does not.
        double With(double margin) => Klom.Compare(ScorePool.OfSamples([[0, 20]]), ScorePool.OfSamples([[0, margin]])).Mean;
        Assert.Equal(0, With(19.5));
        Assert.InRange(With(18.5), 4, Ceiling);
    }

    [Fact]
    public void Margins_beyond_a_hundred_are_clipped()
    {
        var far = Klom.Compare(ScorePool.OfSamples([[0, 1e30]]), ScorePool.OfSamples([[0, 100]]));
        Assert.Equal(0, far.Mean);
        Assert.Equal(0, Klom.Compare(ScorePool.OfSamples([[-200, -300]]), ScorePool.OfSamples([[-1e9, -100]])).Mean);
    }

    [Fact]
    public void Summary_is_the_mean_and_the_95th_percentile_over_samples()
    {
        // 19 samples without divergence and 2 at the ceiling: position 0.95 · 20 = 19 of 0..20 is the first of the two.
        double[][] oracles = [.. Enumerable.Repeat<double[]>([0, 0], 21)];
        double[][] unlearned = [.. Enumerable.Range(0, 21).Select(i => i < 19 ? new double[] { 0, 0 } : [1, 1])];
        var result = Klom.Compare(ScorePool.OfSamples(oracles), ScorePool.OfSamples(unlearned));
        Assert.Equal(Ceiling * 2 / 21, result.Mean, 1e-12);
        Assert.Equal(Ceiling, result.Percentile95, 1e-9);
        Assert.Equal(21, result.PerSample.Count);
    }

    /// <summary>KL(N(d, 1) ‖ N(0, 1)) = d²/2; twenty bins and finite pools come near it.</summary>
    [Theory]
    [InlineData(0.5)]
    [InlineData(1)]
    public void Large_normal_pools_come_near_the_closed_form(double shift)
    {
        var result = Klom.Compare(Normals.Pool(1, 20_000, [0, 0, 0]), Normals.Pool(2, 20_000, [shift, shift, shift]));
        Assert.Equal(shift * shift / 2, result.Mean, .1 * shift * shift / 2);
    }

    [Fact]
    public void Scale_and_place_of_the_margins_do_not_matter()
    {
        for (var seed = 0UL; seed < 20; seed++)
        {
            double[] oracles = Normals.Draw(seed, 30), unlearned = Normals.Draw(seed + 100, 25, 1);
            double Mean(Func<double, double> change) =>
                Klom.Compare(ScorePool.OfSamples([[.. oracles.Select(change)]]), ScorePool.OfSamples([[.. unlearned.Select(change)]])).Mean;
            Assert.InRange(Mean(x => x), 0, Ceiling);
            Assert.Equal(Mean(x => x), Mean(x => (4 * x) + 8), 1e-9);
        }
    }

    [Fact]
    public void Inputs_that_make_no_histogram_are_refused()
    {
        var pool = ScorePool.OfSamples([[1, 2], [3, 4]]);
        Refused(() => Klom.Compare(pool, ScorePool.OfSamples([[1, 2]])), "1 samples where 2");
        Refused(() => Klom.Compare(pool, ScorePool.OfModels([[1, 2]])), "at least 2");
        Refused(() => Klom.Compare(ScorePool.OfSamples([[1, 2], [3]]), pool), "at least 2");
    }

    static void Refused(Action compare, string reason) => Assert.Contains(reason, Assert.Throws<ArgumentException>(compare).Message);
}
