using RegistryUnlearn.Unlearning.Data;
using RegistryUnlearn.Unlearning.Membership;

namespace RegistryUnlearn.Unlearning.Tests.Membership;

public class MembershipEnsembleTests
{
    static readonly float[] Members = Features(400, 1.0f, "members");
    static readonly float[] NonMembers = Features(100, 0.0f, "non-members");

    [Fact]
    public void Each_model_sees_its_own_features_only()
    {
        var ensemble = MembershipEnsemble.Fit(Members, NonMembers, 16, 1);

        Assert.Equal(15, Enumerable.Range(0, 15).Select(MembershipEnsemble.FeatureMask).Distinct().Count());
        Assert.Equal(MembershipEnsemble.FeatureMask(0), MembershipEnsemble.FeatureMask(15));
        for (var k = 0; k < 16; k++)
        {
            for (var j = 0; j < 4; j++)
                Assert.Equal((MembershipEnsemble.FeatureMask(k) & (1 << j)) != 0, ensemble.Weights[(4 * k) + j] is not 0);
        }

        Assert.NotEqual(ensemble[0], ensemble[15]);
    }

    [Fact]
    public void Tells_members_from_non_members_it_has_not_seen()
    {
        var ensemble = MembershipEnsemble.Fit(Members, NonMembers, 3, 1);
        var (members, nonMembers) = (Features(400, 1.0f, "new members"), Features(400, 0.0f, "new non-members"));
        for (var k = 0; k < 3; k++)
        {
            var (high, low) = (new float[400], new float[400]);
            ensemble[k].Score(members, high);
            ensemble[k].Score(nonMembers, low);

            Assert.InRange(RankStatistics.Auc(high, low), 0.8, 1);
            // Equal total weights: the mean probability over both sides is one half, although there are four times as many members.
            Assert.Equal(1, high.Average(Probability) + low.Average(Probability), 0.1);
        }

        static double Probability(float score) => 1 / (1 + Math.Exp(-score));
    }

    [Fact]
    public void Is_a_function_of_seed_and_round()
    {
        var first = MembershipEnsemble.Fit(Members, NonMembers, 3, 1);

        Assert.Equal(first.Weights.ToArray(), MembershipEnsemble.Fit(Members, NonMembers, 3, 1).Weights.ToArray());
        Assert.Equal(first[0], MembershipEnsemble.Fit(Members, NonMembers, 1, 1)[0]);
        Assert.NotEqual(first[0], MembershipEnsemble.Fit(Members, NonMembers, 3, 2)[0]);
        Assert.NotEqual(first[0], MembershipEnsemble.Fit(Members, NonMembers, 3, 1, round: 1)[0]);
    }

    /// <summary>One sample each, identical samples, far apart samples: weights and probabilities stay finite.</summary>
    [Theory]
    [InlineData(new float[] { 0, 13.8f, 0, 0 }, new float[] { -3, -3, 1, -1 })]
    [InlineData(new float[] { 0, 13.8f, 0, 0 }, new float[] { 0, 13.8f, 0, 0 })]
    [InlineData(new float[] { 0, 1, 0, 0, 0, 2, 0, 0 }, new float[] { -1e6f, -1e6f, 1e6f, -1e6f })]
    [InlineData(new float[] { float.MaxValue, 1, 0, 0 }, new float[] { float.MinValue, 1, 0, 0 })]
    public void Degenerate_audit_sets_give_finite_models(float[] members, float[] nonMembers)
    {
        var ensemble = MembershipEnsemble.Fit(members, nonMembers, 15, 1);

        for (var k = 0; k < 15; k++)
        {
            Assert.True(float.IsFinite(ensemble.Bias[k]));
            Assert.True(ensemble[k].Score(members) >= ensemble[k].Score(nonMembers));
        }

        Assert.All(ensemble.Weights.ToArray(), weight => Assert.True(float.IsFinite(weight)));
    }

    [Fact]
    public void Refuses_features_that_are_not_finite()
    {
        float[] diverged = [0, 0, 0, 0, 0, float.NaN, 0, 0];

        Assert.Contains("Feature 1 of sample 1 is not finite",
            Assert.Throws<ArgumentException>(() => MembershipEnsemble.Fit(diverged, NonMembers, 1, 1)).Message);
        Assert.Throws<ArgumentException>(() => MembershipEnsemble.Fit(Members, [], 1, 1));
        Assert.Throws<ArgumentException>(() => MembershipEnsemble.Fit(Members, new float[5], 1, 1));
        Assert.Throws<ArgumentOutOfRangeException>(() => MembershipEnsemble.Fit(Members, NonMembers, 1, 1, penalty: 0));
    }

    [Fact]
    public void Survives_a_checkpoint()
    {
        var ensemble = MembershipEnsemble.Fit(Members, NonMembers, 3, 1);
        var bytes = new byte[ensemble.ByteCount];
        ensemble.Write(bytes);
        var restored = MembershipEnsemble.Read(bytes);

        Assert.Equal(8 + (3 * 5 * 4), bytes.Length);
        Assert.Equal(ensemble.Weights.ToArray(), restored.Weights.ToArray());
        Assert.Equal(ensemble.Bias.ToArray(), restored.Bias.ToArray());
        Assert.Throws<DataException>(() => MembershipEnsemble.Read(bytes.AsSpan(1)));
        Assert.Throws<DataException>(() => MembershipEnsemble.Read(bytes.AsSpan(0, 7)));
        bytes[8 + 3] = 0x7f;
        bytes[8 + 2] = 0x80;
        Assert.Throws<DataException>(() => MembershipEnsemble.Read(bytes));
        bytes[0] = 2;
        Assert.Throws<DataException>(() => MembershipEnsemble.Read(bytes));
    }

    [Fact]
    public void Score_is_linear() =>
        Assert.Equal(1 - 4 + 9 - 16 + 0.5f, new MembershipModel(1, 2, 3, 4, 0.5f).Score([1, -2, 3, -4]));

    [Theory]
    [InlineData(new float[] { 2, 3 }, new float[] { 0, 1 }, 1)]
    [InlineData(new float[] { 0, 1 }, new float[] { 2, 3 }, 0)]
    [InlineData(new float[] { 1, 1 }, new float[] { 1 }, 0.5)]
    [InlineData(new float[] { 3, 1, 2 }, new float[] { 2, 0 }, 4.5 / 6)]
    [InlineData(new float[] { float.PositiveInfinity }, new float[] { float.NegativeInfinity }, 1)]
    public void Auc_counts_pairs(float[] members, float[] nonMembers, double auc) =>
        Assert.Equal(auc, RankStatistics.Auc(members, nonMembers));

    [Fact]
    public void Auc_needs_numbers()
    {
        Assert.Throws<ArgumentException>(() => RankStatistics.Auc([], [1]));
        Assert.Throws<ArgumentException>(() => RankStatistics.Auc([1], [float.NaN]));
    }

    /// <summary>Features of ten-class samples whose label's logit is larger for members.</summary>
    static float[] Features(int count, float memory, string stream)
    {
        var rng = Rng.For(9, stream, 0);
        var (logits, labels, features) = (new float[10 * count], new long[count], new float[4 * count]);
        rng.FillNormal(logits);
        for (var i = 0; i < count; i++)
        {
            labels[i] = rng.NextInt32(10);
            logits[(10 * i) + (int)labels[i]] += 1 + (2.5f * memory);
        }

        MembershipFeatures.Compute(logits, labels, 10, features);
        return features;
    }
}
