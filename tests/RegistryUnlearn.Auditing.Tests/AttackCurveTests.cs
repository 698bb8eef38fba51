using RegistryUnlearn.Auditing.Statistics;

namespace RegistryUnlearn.Auditing.Tests;

public class AttackCurveTests
{
    /// <summary>Scores N(d, 1) and N(0, 1): AUC = Φ(d/√2), TPR at FPR α = Φ(d − z), Φ(z) = 1 − α.</summary>
    [Theory]
    [InlineData(0)]
    [InlineData(0.5)]
    [InlineData(1)]
    [InlineData(2.5)]
    public void Shifted_normal_scores_have_their_closed_forms(double shift)
    {
        const int Count = 20_000;
        var curve = AttackCurve.Of(Normals.Draw(1, Count, shift), Normals.Draw(2, Count), new(3), resamples: 200);
        var auc = NormalDistribution.Cdf(shift / Math.Sqrt(2));
        Assert.Equal(auc, curve.Auc, .01);
        Assert.InRange(auc, curve.AucInterval.Low - .005, curve.AucInterval.High + .005);
        Assert.InRange(curve.AucInterval.High - curve.AucInterval.Low, 1e-3, .015);
        double[] quantiles = [3.0902323061678135, 2.3263478740408411];
        for (var i = 0; i < 2; i++)
        {
            var point = curve.Points[i];
            var expected = NormalDistribution.Cdf(shift - quantiles[i]);
            Assert.Equal(AttackCurve.LowFalsePositiveRates[i], point.FalsePositiveRate);
            Assert.Equal(quantiles[i], point.Threshold, .25);
            Assert.InRange(expected, point.BootstrapInterval.Low - .005, point.BootstrapInterval.High + .005);
            Assert.InRange(point.TruePositiveRate, point.ExactInterval.Low, point.ExactInterval.High);
            Assert.Equal(ClopperPearson.Of((int)Math.Round(point.TruePositiveRate * Count), Count), point.ExactInterval);
            Assert.False(point.IsUpperBound);
        }
    }

    [Fact]
    public void Loss_attack_is_the_attack_by_the_score_minus_loss()
    {
        for (var seed = 0UL; seed < 50; seed++)
        {
            var random = new SplitMix64(seed);
            double[] Losses(int count) => [.. Enumerable.Range(0, count).Select(_ => (double)random.Next(12)).Order()];
            double[] members = Losses(1 + random.Next(40)), nonMembers = Losses(1 + random.Next(40));
            double[] rates = [0, .05, .3, 1];
            var curve = AttackCurve.Of(
                Normals.Shuffled(seed, members.Select(x => -x)), Normals.Shuffled(seed, nonMembers.Select(x => -x)), new(seed), rates, 30);
            Assert.Equal(MembershipAttack.Auc(members, nonMembers), curve.Auc);
            Assert.Equal(MembershipAttack.AucInterval(members, nonMembers, new(seed), 30), curve.AucInterval);
            foreach (var point in curve.Points)
            {
                // The definition: the best point of the ROC curve whose false-positive rate is allowed.
                var allowed = MembershipAttack.Roc(members, nonMembers).Where(p => p.FalsePositiveRate <= point.FalsePositiveRate);
                Assert.Equal(allowed.Max(p => p.TruePositiveRate), point.TruePositiveRate);
                Assert.Equal(point.TruePositiveRate, MembershipAttack.TruePositiveRate(members, nonMembers, point.FalsePositiveRate));
                Assert.Equal(point.TruePositiveRate, members.Count(loss => -loss > point.Threshold) / (double)members.Length);
                Assert.True(nonMembers.Count(loss => -loss > point.Threshold) <= point.FalsePositiveRate * nonMembers.Length);
            }
        }
    }

    [Fact]
    public void Rates_that_are_no_binary_fractions_allow_all_their_false_positives()
    {
        double[] nonMembers = [.. Enumerable.Range(0, 100).Select(i => (double)i)];
        for (var percent = 0; percent < 100; percent++)
            Assert.Equal(percent / 100.0, MembershipAttack.TruePositiveRate(nonMembers, nonMembers, percent / 100.0), 1e-15);
        Assert.Equal(1, MembershipAttack.TruePositiveRate(nonMembers, nonMembers, 1));
    }

    [Fact]
    public void A_strictly_growing_change_of_the_score_changes_no_rate()
    {
        double[] members = Normals.Draw(4, 60, 1), nonMembers = Normals.Draw(5, 50);
        var curve = AttackCurve.Of(members, nonMembers, new(6), resamples: 40);
        var changed = AttackCurve.Of([.. members.Select(Math.Exp)], [.. nonMembers.Select(Math.Exp)], new(6), resamples: 40);
        Assert.Equal((curve.Auc, curve.AucInterval), (changed.Auc, changed.AucInterval));
        Assert.Equal(
            curve.Points.Select(p => (p.TruePositiveRate, p.ExactInterval, p.BootstrapInterval)),
            changed.Points.Select(p => (p.TruePositiveRate, p.ExactInterval, p.BootstrapInterval)));
    }

    [Fact]
    public void Attack_and_its_reverse_share_the_square()
    {
        double[] members = Normals.Draw(7, 33), nonMembers = Normals.Draw(8, 44, .5);
        Assert.Equal(
            1, AttackCurve.Of(members, nonMembers, new(1)).Auc + AttackCurve.Of(nonMembers, members, new(1)).Auc, 1e-15);
    }

    [Fact]
    public void Identical_sets_and_constant_scores_are_a_guess()
    {
        var scores = Normals.Draw(9, 2000);
        Assert.Equal(.5, AttackCurve.Of(scores, scores, new(1), resamples: 20).Auc);

        var constant = AttackCurve.Of([5, 5, 5], [5, 5], new(1), [.01, .4, 1]);
        Assert.Equal((.5, new Interval(.5, .5)), (constant.Auc, constant.AucInterval));
        Assert.Equal([0.0, 0, 1], constant.Points.Select(p => p.TruePositiveRate));
        Assert.Equal(new Interval(0, 0), constant.Points[1].BootstrapInterval);
        Assert.Equal(new Interval(1, 1), constant.Points[2].BootstrapInterval);
        Assert.Equal(double.NegativeInfinity, constant.Points[2].Threshold);
    }

    [Theory]
    [InlineData(99, true, true)]
    [InlineData(100, true, false)]
    [InlineData(999, true, false)]
    [InlineData(1000, false, false)]
    public void Too_few_non_members_make_an_upper_bound(int nonMembers, bool atThousandth, bool atHundredth)
    {
        var curve = AttackCurve.Of(Normals.Draw(1, 10), Normals.Draw(2, nonMembers), new(3), resamples: 1);
        Assert.Equal([atThousandth, atHundredth], curve.Points.Select(p => p.IsUpperBound));
    }

    [Fact]
    public void Bootstrap_of_a_rate_counts_the_threshold_too()
    {
        // The few non-members at the top move the threshold from draw to draw; the exact interval knows the members alone.
        var point = AttackCurve.Of(Normals.Draw(1, 4000, 2), Normals.Draw(2, 1000), new(3), resamples: 300).Points[0];
        Assert.True(Width(point.BootstrapInterval) > 2 * Width(point.ExactInterval));

        static double Width(Interval interval) => interval.High - interval.Low;
    }

    [Fact]
    public void Scores_that_no_attack_can_use_are_refused()
    {
        double[] fine = [1];
        foreach (double[] bad in (double[][])[[], [double.NaN], [0, double.PositiveInfinity]])
        {
            Assert.Throws<ArgumentException>(() => AttackCurve.Of(bad, fine, new(1)));
            Assert.Throws<ArgumentException>(() => AttackCurve.Of(fine, bad, new(1)));
        }

        foreach (var rate in new[] { -.1, 1.1, double.NaN })
        {
            Assert.Throws<ArgumentOutOfRangeException>(() => AttackCurve.Of(fine, fine, new(1), [rate]));
            Assert.Throws<ArgumentOutOfRangeException>(() => MembershipAttack.TruePositiveRate(fine, fine, rate));
        }

        Assert.Throws<ArgumentOutOfRangeException>(() => AttackCurve.Of(fine, fine, new(1), resamples: 0));
        Assert.Throws<ArgumentOutOfRangeException>(() => AttackCurve.Of(fine, fine, new(1), level: 1));
    }
}
