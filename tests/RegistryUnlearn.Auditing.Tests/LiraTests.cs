using RegistryUnlearn.Auditing.Statistics;

namespace RegistryUnlearn.Auditing.Tests;

public class LiraTests
{
    [Fact]
    public void Offline_counts_standard_deviations_above_the_models_that_never_saw_the_sample()
    {
        // Means 2 and 10; unbiased variances 2 and 8, pooled (1 + 1 + 4 + 4) / 2 = 5.
        var outs = ScorePool.OfSamples([[1, 3], [8, 12]]);
        double[] target = [4, 9];
        Assert.Equal([2 / Math.Sqrt(5), -1 / Math.Sqrt(5)], Lira.OfflineZ(target, outs), Near);
        Assert.Equal([2 / Math.Sqrt(5), -1 / Math.Sqrt(5)], Lira.OfflineZ(target, outs, PoolVariance.Pooled), Near);
        Assert.Equal([2 / Math.Sqrt(2), -1 / Math.Sqrt(8)], Lira.OfflineZ(target, outs, PoolVariance.PerSample), Near);
    }

    [Fact]
    public void Variance_is_pooled_below_sixteen_models_and_samples_may_have_different_numbers()
    {
        double[] Values(int count) => Normals.Draw((ulong)count, count);
        double[] target = [1, 2];
        foreach (var (models, rule) in new[] { (15, PoolVariance.Pooled), (16, PoolVariance.PerSample) })
        {
            var outs = ScorePool.OfSamples([Values(40), Values(models)]);
            Assert.Equal(Lira.OfflineZ(target, outs, rule), Lira.OfflineZ(target, outs));
            var ins = ScorePool.OfSamples([Values(30), Values(31)]);
            Assert.Equal(Lira.Online(target, ins, outs, rule), Lira.Online(target, ins, outs));
        }

        var few = ScorePool.OfSamples([Values(40), Values(15)]);
        Assert.NotEqual(Lira.OfflineZ(target, few, PoolVariance.PerSample), Lira.OfflineZ(target, few));
    }

    [Fact]
    public void Pooled_variance_ignores_how_samples_differ()
    {
        var near = ScorePool.OfSamples([[-1, 1], [-1, 1]]);
        var far = ScorePool.OfSamples([[-1, 1], [999, 1001]]);
        Assert.Equal(Lira.OfflineZ([3, 3], near)[0], Lira.OfflineZ([3, 3], far)[0], 1e-12);
    }

    [Fact]
    public void Offline_score_is_the_tail_and_keeps_the_order_where_the_tail_underflows()
    {
        var outs = ScorePool.OfSamples([.. Enumerable.Repeat<double[]>([-1, 1], 5)]);
        double[] target = [-2, 0, 1, 500, 501];
        var z = Lira.OfflineZ(target, outs);
        var scores = Lira.Offline(target, outs);
        Assert.Equal(Math.Log(2), scores[1], 1e-15);
        Assert.Equal(z.Select(x => -NormalDistribution.LogSurvival(x)), scores);
        Assert.Equal(scores.Order(), scores);
        Assert.True(scores[4] > scores[3] + 1 && double.IsFinite(scores[4]));
    }

    [Fact]
    public void Online_score_is_the_log_likelihood_ratio()
    {
        // In N(3, 2), out N(1, 8) by their own variances.
        var score = Lira.Online([2], ScorePool.OfSamples([[2, 4]]), ScorePool.OfSamples([[-1, 3]]), PoolVariance.PerSample)[0];
        Assert.Equal((-.25 - (.5 * Math.Log(2))) - (-.0625 - (.5 * Math.Log(8))), score, 1e-14);
    }

    [Fact]
    public void Online_score_of_exchanged_pools_is_its_negative_and_of_equal_pools_zero()
    {
        var (ins, outs) = (Normals.Pool(1, 20, [1, 2, 3]), Normals.Pool(2, 24, [0, 1, 2]));
        double[] target = [-5, 1, 900];
        Assert.Equal(Lira.Online(target, outs, ins).Select(x => -x), Lira.Online(target, ins, outs));
        Assert.Equal([0.0, 0, 0], Lira.Online(target, ins, ins));
    }

    /// <summary>Confidences shifted by d for members, deviation 1, own means per sample: the attack sees through the means.</summary>
    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(2)]
    public void Per_sample_attack_reaches_the_closed_form_where_one_threshold_for_all_cannot(double shift)
    {
        const int Count = 3000, Models = 64;
        double[] means = Normals.Draw(1, 2 * Count, 0, 20), noise = Normals.Draw(2, 2 * Count);
        double[] target = [.. means.Select((mean, i) => mean + noise[i] + (i < Count ? shift : 0))];
        var outs = Normals.Pool(3, Models, means);
        var ins = Normals.Pool(4, Models, [.. means.Select(mean => mean + shift)]);
        double Auc(double[] scores) => AttackCurve.Of(scores.AsSpan(0, Count), scores.AsSpan(Count), new(1), resamples: 1).Auc;
        var expected = NormalDistribution.Cdf(shift / Math.Sqrt(2));
        foreach (var variance in Enum.GetValues<PoolVariance>())
        {
            Assert.Equal(expected, Auc(Lira.OfflineZ(target, outs, variance)), .02);
            Assert.Equal(expected, Auc(Lira.Online(target, ins, outs, variance)), .02);
        }

        Assert.Equal(.5, Auc(target), .05);
    }

    [Fact]
    public void Order_of_the_models_does_not_matter()
    {
        for (var seed = 0UL; seed < 20; seed++)
        {
            double[][] models = [.. Enumerable.Range(0, 7).Select(m => Normals.Draw((100 * seed) + (ulong)m, 5))];
            var (pool, shuffled) = (ScorePool.OfModels(models), ScorePool.OfModels(Normals.Shuffled(seed, models)));
            var target = Normals.Draw(999 + seed, 5);
            Assert.Equal(Lira.OfflineZ(target, pool), Lira.OfflineZ(target, shuffled), Near);
        }
    }

    [Fact]
    public void Models_that_agree_give_large_but_finite_scores()
    {
        var outs = ScorePool.OfSamples([[2, 2, 2], [2, 2, 2]]);
        foreach (var variance in Enum.GetValues<PoolVariance>())
        {
            var scores = Lira.OfflineZ([2, 3], outs, variance);
            Assert.Equal(0, scores[0]);
            Assert.InRange(scores[1], 1e5, 1e7);
            Assert.All(Lira.Online([2, 3], outs, ScorePool.OfSamples([[0, 1], [0, 1]]), variance), x => Assert.True(double.IsFinite(x)));
        }
    }

    [Fact]
    public void Inputs_that_fit_no_Gaussian_are_refused()
    {
        var pool = ScorePool.OfSamples([[1, 2], [3, 4]]);
        Refused(() => Lira.OfflineZ([1, 2], ScorePool.OfModels([[1, 2]])), "at least 2");
        Refused(() => Lira.Online([1, 2], ScorePool.OfSamples([[1, 2], [3]]), pool), "at least 2");
        Refused(() => Lira.Offline([1], pool), "2 samples where 1");
        Refused(() => Lira.Online([1, 2], pool, ScorePool.OfSamples([[1, 2]])), "1 samples where 2");
        Refused(() => Lira.OfflineZ([], pool), "empty");
        Refused(() => Lira.OfflineZ([1, double.NaN], pool), "finite");
    }

    static bool Near(double expected, double actual) => Math.Abs(expected - actual) <= 1e-12 * Math.Max(1, Math.Abs(expected));

    static void Refused(Action attack, string reason) => Assert.Contains(reason, Assert.Throws<ArgumentException>(attack).Message);
}
