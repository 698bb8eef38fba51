using RegistryUnlearn.Auditing.Statistics;

namespace RegistryUnlearn.Auditing.Tests;

public class StatisticsTests
{
    [Theory]
    [InlineData(new[] { 1.0, 2 }, new[] { 3.0, 4 }, 1)]
    [InlineData(new[] { 3.0, 4 }, new[] { 1.0, 2 }, 0)]
    [InlineData(new[] { 1.0 }, new[] { 1.0 }, .5)]
    [InlineData(new[] { 1.0, 1, 1 }, new[] { 1.0, 1 }, .5)]
    [InlineData(new[] { 1.0, 3 }, new[] { 2.0, 4 }, .75)]
    [InlineData(new[] { 1.0, 2, 3 }, new[] { 2.0, 2, 5 }, 6.0 / 9)]
    public void Auc_is_the_share_of_won_pairs(double[] members, double[] nonMembers, double expected) =>
        Assert.Equal(expected, MembershipAttack.Auc(members, nonMembers), 1e-15);

    [Theory]
    [InlineData(new[] { 1.0, 2 }, new[] { 3.0, 4 }, .01, 1)]
    [InlineData(new[] { 1.0, 3 }, new[] { 2.0, 4 }, .01, .5)]
    [InlineData(new[] { 1.0, 3 }, new[] { 2.0, 4 }, .5, 1)]
    [InlineData(new[] { 1.0, 3 }, new[] { 1.0, 4 }, .01, 0)]
    [InlineData(new[] { 5.0, 6 }, new[] { 1.0, 2 }, .99, 0)]
    public void True_positive_rate_takes_whole_tie_groups(double[] members, double[] nonMembers, double fpr, double expected) =>
        Assert.Equal(expected, MembershipAttack.TruePositiveRate(members, nonMembers, fpr), 1e-15);

    [Theory]
    [InlineData(new[] { 1.0, 2 }, new[] { 3.0, 4 }, 1)]
    [InlineData(new[] { 1.0, 2, 3 }, new[] { 1.0, 2, 3 }, 0)]
    [InlineData(new[] { 1.0, 1, 2 }, new[] { 1.0, 2, 2 }, 1.0 / 3)]
    [InlineData(new[] { 1.0, 2, 3, 4 }, new[] { 3.0, 4, 5, 6 }, .5)]
    public void Ks_is_the_largest_distance_of_the_distribution_functions(double[] first, double[] second, double expected)
    {
        Assert.Equal(expected, KolmogorovSmirnov.Distance(first, second), 1e-15);
        Assert.Equal(expected, KolmogorovSmirnov.Distance(second, first), 1e-15);
    }

    [Fact]
    public void Statistics_of_known_distributions_come_near_their_closed_forms()
    {
        // Losses uniform on [0, 1] and [¼, 1¼]: AUC = 1 − ½·(¾)² = 0.71875, KS = ¼, TPR at 1 % FPR = 0.26.
        var random = new SplitMix64(7);
        double[] members = [.. Enumerable.Range(0, 20000).Select(_ => random.NextDouble()).Order()];
        double[] nonMembers = [.. Enumerable.Range(0, 20000).Select(_ => random.NextDouble() + .25).Order()];
        Assert.Equal(.71875, MembershipAttack.Auc(members, nonMembers), .01);
        Assert.Equal(.25, KolmogorovSmirnov.Distance(members, nonMembers), .015);
        Assert.Equal(.26, MembershipAttack.TruePositiveRate(members, nonMembers, .01), .015);

        // Hanley, McNeil (1982): the interval's half width is near 1.96 standard errors.
        var interval = MembershipAttack.AucInterval(members, nonMembers, new SplitMix64(1), resamples: 400);
        var (auc, n) = (.71875, 20000.0);
        var (q1, q2) = (auc / (2 - auc), 2 * auc * auc / (1 + auc));
        var error = Math.Sqrt(((auc * (1 - auc)) + ((n - 1) * (q1 - (auc * auc))) + ((n - 1) * (q2 - (auc * auc)))) / (n * n));
        Assert.Equal(2 * 1.96 * error, interval.High - interval.Low, error);
        Assert.InRange(auc, interval.Low - (2 * error), interval.High + (2 * error));
    }

    [Fact]
    public void Interval_depends_on_the_seed_alone()
    {
        double[] members = [.1, .2, .2, .5], nonMembers = [.2, .3, .7];
        Interval With(ulong seed) => MembershipAttack.AucInterval(members, nonMembers, new SplitMix64(seed), 50);
        Assert.Equal(With(3), With(3));
        Assert.NotEqual(With(3), With(4));
    }

    [Fact]
    public void Interval_of_a_perfect_attack_is_a_point() =>
        Assert.Equal(new(1, 1), MembershipAttack.AucInterval([1, 2], [3, 4, 5], new SplitMix64(1)));

    [Fact]
    public void Roc_starts_at_the_origin_and_ends_at_one() =>
        Assert.Equal([new(0, 0), new(0, .5), new(.5, .5), new(.5, 1), new(1, 1)], MembershipAttack.Roc([1, 3], [2, 4]));

    [Theory]
    [InlineData(new[] { 1.0, 2, 3, 4, 5 }, .5, 3)]
    [InlineData(new[] { 1.0, 2 }, .25, 1.25)]
    [InlineData(new[] { 7.0 }, .9, 7)]
    public void Quantiles_are_linear_between_order_statistics(double[] sample, double share, double expected) =>
        Assert.Equal(expected, Quantiles.At(sample, share), 1e-15);

    [Fact]
    public void Thinning_keeps_short_samples_and_the_shape_of_long_ones()
    {
        double[] sample = [.. Enumerable.Range(0, 1001).Select(i => i / 1000.0)];
        Assert.Same(sample, Quantiles.Thin(sample, 1001));
        double[] expected = [.125, .375, .625, .875];
        Assert.Equal(expected, Quantiles.Thin(sample, 4).Select(x => Math.Round(x, 12)));
    }

    [Theory]
    [InlineData(new double[0], "empty")]
    [InlineData(new[] { 2.0, 1 }, "ascending")]
    [InlineData(new[] { double.NaN }, "finite")]
    public void Samples_that_no_statistic_can_use_are_refused(double[] sample, string reason)
    {
        double[] fine = [1];
        Assert.Contains(reason, Assert.Throws<ArgumentException>(() => MembershipAttack.Auc(sample, fine)).Message);
        Assert.Contains(reason, Assert.Throws<ArgumentException>(() => MembershipAttack.Roc(fine, sample)).Message);
        Assert.Contains(reason, Assert.Throws<ArgumentException>(() => KolmogorovSmirnov.Distance(fine, sample)).Message);
        Assert.Contains(reason, Assert.Throws<ArgumentException>(() => Quantiles.At(sample, .5)).Message);
    }

    [Fact]
    public void Generator_gives_the_published_numbers()
    {
        var random = new SplitMix64(1234567);
        ulong[] expected = [6457827717110365317, 3203168211198807973, 9817491932198370423, 4593380528125082431, 16408922859458223821];
        Assert.Equal(expected, expected.Select(_ => random.Next()));
    }
}
