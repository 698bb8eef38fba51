using RegistryUnlearn.Unlearning.Membership;

namespace RegistryUnlearn.Unlearning.Tests.Membership;

public class MembershipFeaturesTests
{
    /// <summary>
    /// Expected values from the formulas in float64, evaluated elsewhere; the first row by hand: log ½, log ½ − log(½ + 1e-6), log 2.
    /// </summary>
    [Theory]
    [InlineData(new[] { 0f, 0 }, 0, -0.6931471805599453, -1.9999979999907325e-06, 0.6931471805599453, -0.6931471805599453)]
    [InlineData(new[] { 1.0986123f, 0 }, 1, -1.3862943759954565, -1.098613641834635, 0.5623351405331886, -0.2876820674932592)]
    [InlineData(new[] { 1f, 2, 3 }, 2, -0.4076059644443806, 0.6867353252629891, 0.8323955818399389, -0.4076059644443806)]
    [InlineData(new[] { 1f, 2, 3 }, 0, -2.4076059644443806, -2.3132627864556388, 0.8323955818399389, -0.4076059644443806)]
    [InlineData(new[] { 30f, 0, 0 }, 0, 0, 13.815510370811644, 0, 0)]
    [InlineData(new[] { -100f, 100 }, 0, -200, -200.0000009999995, 0, 0)]
    [InlineData(new[] { 1000f, 0, 0 }, 0, 0, 13.815510557964274, 0, 0)]
    [InlineData(new[] { 0, float.NegativeInfinity, 0 }, 0, -0.69314718056, -1.999998e-06, 0.69314718056, -0.69314718056)]
    public void Follow_the_definition(float[] logits, long label, double phi0, double phi1, double phi2, double phi3)
    {
        var features = new float[4];

        MembershipFeatures.Compute(logits, [label], logits.Length, features);

        double[] expected = [phi0, phi1, phi2, phi3];
        for (var j = 0; j < 4; j++)
            Assert.Equal(expected[j], features[j], 1e-7 + (2e-7 * Math.Abs(expected[j])));
    }

    [Fact]
    public void Do_not_depend_on_a_shift_of_the_logits_and_go_sample_by_sample()
    {
        float[] logits = [1, 2, 3, 65, 66, 67];
        var features = new float[8];

        MembershipFeatures.Compute(logits, [1, 1], 3, features);

        Assert.Equal(features[..4], features[4..]);
    }

    [Fact]
    public void Stay_honest_about_diverged_logits()
    {
        var features = new float[4];

        MembershipFeatures.Compute([float.NaN, 1], [0], 2, features);

        Assert.All(features, feature => Assert.True(float.IsNaN(feature)));
    }

    [Fact]
    public void Allocate_nothing_and_check_lengths()
    {
        var (logits, labels, features) = (new float[20], new long[2], new float[8]);
        MembershipFeatures.Compute(logits, labels, 10, features);

        var before = GC.GetAllocatedBytesForCurrentThread();
        MembershipFeatures.Compute(logits, labels, 10, features);
        Assert.Equal(before, GC.GetAllocatedBytesForCurrentThread());

        Assert.Throws<ArgumentException>(() => MembershipFeatures.Compute(logits, labels, 9, features));
        Assert.Throws<ArgumentException>(() => MembershipFeatures.Compute(logits, labels, 10, new float[7]));
        Assert.Throws<ArgumentOutOfRangeException>(() => MembershipFeatures.Compute(logits, [0, 10], 10, features));
        Assert.Throws<ArgumentOutOfRangeException>(() => MembershipFeatures.Compute(logits, [0, -1], 10, features));
    }

    [Fact]
    public void A_sample_with_positions_has_the_mean_of_those_that_are_labelled()
    {
        float[] logits = [1, 2, 3, -1, 0.5f, 0.25f, 7, 7, 7], rows = new float[8], mean = new float[4];
        MembershipFeatures.Compute(logits.AsSpan(0, 6), [2, 0], 3, rows);
        MembershipFeatures.Compute(logits, [2, 0, -100], 3, mean, rows: 3);
        for (var k = 0; k < 4; k++)
            Assert.Equal((rows[k] + rows[4 + k]) / 2.0, mean[k], 1e-6);
    }
}
