using RegistryUnlearn.Auditing.Statistics;

namespace RegistryUnlearn.Auditing.Tests;

public class RmiaTests
{
    [Fact]
    public void Offline_ratio_divides_by_the_mean_moved_towards_one()
    {
        // Mean of the references ½; a = 0.3 makes p(x) = (1.3 · 0.5 + 0.7) / 2 = 0.675, a = 1 leaves ½, a = 0 gives ¾.
        var outs = Logs([[.25, .75]]);
        foreach (var (a, p) in new[] { (.3, .675), (1, .5), (0, .75) })
            Assert.Equal(Math.Log(.9 / p), Rmia.LogRatiosOffline([Math.Log(.9)], outs, a)[0], 1e-15);
        Assert.Equal(Rmia.LogRatiosOffline([Math.Log(.9)], outs, .3), Rmia.LogRatiosOffline([Math.Log(.9)], outs));
    }

    [Fact]
    public void Online_ratio_divides_by_the_mean_of_both_means_whatever_the_numbers()
    {
        // Means 0.8 and 0.2: p(x) = 0.5.
        var ratio = Rmia.LogRatiosOnline([Math.Log(.25)], Logs([[.7, .8, .9]]), Logs([[.2]]))[0];
        Assert.Equal(Math.Log(.5), ratio, 1e-14);
    }

    [Fact]
    public void Probabilities_below_the_smallest_double_keep_their_ratios()
    {
        double[][] tiny = [[-5000, -5000 + Math.Log(3)]];
        Assert.Equal(4000 - Math.Log(2), Rmia.LogRatiosOffline([-1000], ScorePool.OfSamples(tiny), a: 1)[0], 1e-9);
        Assert.Equal(
            4000 - Math.Log(2), Rmia.LogRatiosOnline([-1000], ScorePool.OfSamples(tiny), ScorePool.OfSamples(tiny))[0], 1e-9);
        Assert.Equal(-1000 - Math.Log(.35), Rmia.LogRatiosOffline([-1000], ScorePool.OfSamples(tiny))[0], 1e-9);
    }

    [Fact]
    public void Score_is_the_share_of_the_population_that_is_beaten()
    {
        double[] population = [Math.Log(4), 0, Math.Log(2), 0];
        double[] samples = [-1, 0, Math.Log(2), Math.Log(3), Math.Log(4), 50];
        Assert.Equal([0, .5, .75, .75, 1, 1], Rmia.Scores(samples, population));
        Assert.Equal([0, 0, .5, .5, .75, 1], Rmia.Scores(samples, population, gamma: 2));
    }

    [Fact]
    public void Score_agrees_with_all_pairs_in_any_order()
    {
        for (var seed = 0UL; seed < 50; seed++)
        {
            var random = new SplitMix64(seed);
            double[] Ratios(int count) => [.. Enumerable.Range(0, count).Select(_ => (double)random.Next(9))];
            double[] samples = Ratios(1 + random.Next(20)), population = Ratios(1 + random.Next(20));
            var shuffled = Normals.Shuffled(seed, population);
            foreach (var logGamma in new[] { 0, 1, 2.5 })
                Assert.Equal(
                    samples.Select(x => population.Count(z => x - z >= logGamma) / (double)population.Length),
                    Rmia.Scores(samples, shuffled, Math.Exp(logGamma)));
        }
    }

    /// <summary>Log ratios N(d, 1) and N(0, 1): ranks among a large population keep the order, so AUC = Φ(d/√2).</summary>
    [Theory]
    [InlineData(0)]
    [InlineData(1.5)]
    public void Score_of_shifted_normal_ratios_has_the_closed_form(double shift)
    {
        const int Count = 5000;
        var population = Normals.Draw(1, Count);
        var members = Rmia.Scores(Normals.Draw(2, Count, shift), population);
        var nonMembers = Rmia.Scores(Normals.Draw(3, Count), population);
        Assert.Equal(
            NormalDistribution.Cdf(shift / Math.Sqrt(2)), AttackCurve.Of(members, nonMembers, new(1), resamples: 1).Auc, .015);
        Assert.Equal(.5, nonMembers.Average(), .02);
    }

    [Fact]
    public void One_reference_sees_through_how_hard_samples_are()
    {
        // Log probabilities from −40 to −20 by the sample alone; the model adds noise of 0.1, and 1 to its members.
        const int Count = 1000;
        var random = new SplitMix64(1);
        double[] hardness = [.. Enumerable.Range(0, 3 * Count).Select(_ => -20 * (1 + random.NextDouble()))];
        double[] noise = Normals.Draw(2, 3 * Count, 0, .1);
        double[] logs = [.. hardness.Select((log, i) => log + noise[i] + (i < Count ? 1 : 0))];
        var reference = ScorePool.OfSamples([.. hardness.Select(log => new[] { log })]);
        var ratios = Rmia.LogRatiosOffline(logs, reference, a: 1);
        var scores = Rmia.Scores(ratios.AsSpan(0, 2 * Count), ratios.AsSpan(2 * Count));
        Assert.Equal(1, AttackCurve.Of(scores.AsSpan(0, Count), scores.AsSpan(Count), new(1), resamples: 1).Auc, .002);
        Assert.InRange(AttackCurve.Of(logs.AsSpan(0, Count), logs.AsSpan(Count, Count), new(1), resamples: 1).Auc, .45, .6);
    }

    [Fact]
    public void A_model_that_is_its_own_reference_gives_a_guess()
    {
        double[] logs = [-3, -.5, -.01];
        var itself = ScorePool.OfModels([logs]);
        Assert.Equal([0.0, 0, 0], Rmia.LogRatiosOffline(logs, itself, a: 1));
        Assert.All(Rmia.LogRatiosOnline(logs, itself, itself), ratio => Assert.Equal(0, ratio, 1e-15));
    }

    [Fact]
    public void Inputs_that_are_no_probabilities_are_refused()
    {
        var pool = ScorePool.OfModels([[-1, -2]]);
        Refused(() => Rmia.LogRatiosOffline([-1, .1], pool), "no logarithm");
        Refused(() => Rmia.LogRatiosOffline([-1, -1], ScorePool.OfModels([[-1, 2]])), "no logarithm");
        Refused(() => Rmia.LogRatiosOnline([-1, -1], pool, ScorePool.OfModels([[1, -2]])), "no logarithm");
        Refused(() => Rmia.LogRatiosOffline([-1], pool), "2 samples where 1");
        Refused(() => Rmia.LogRatiosOffline([], pool), "empty");
        Refused(() => Rmia.LogRatiosOffline([-1, double.NaN], pool), "finite");
        Refused(() => Rmia.Scores([], [1]), "empty");
        Refused(() => Rmia.Scores([1], []), "empty");
        Refused(() => Rmia.Scores([1], [double.NaN]), "finite");
        foreach (var a in new[] { -.1, 1.1, double.NaN })
            Assert.Throws<ArgumentOutOfRangeException>(() => Rmia.LogRatiosOffline([-1, -1], pool, a));
        foreach (var gamma in new[] { 0, -1, double.NaN, double.PositiveInfinity })
            Assert.Throws<ArgumentOutOfRangeException>(() => Rmia.Scores([1], [1], gamma));
    }

    static ScorePool Logs(double[][] probabilities) =>
        ScorePool.OfSamples([.. probabilities.Select(sample => Array.ConvertAll(sample, Math.Log))]);

    static void Refused(Action attack, string reason) => Assert.Contains(reason, Assert.Throws<ArgumentException>(attack).Message);
}
