using RegistryUnlearn.Unlearning.StopRules;

namespace RegistryUnlearn.Unlearning.Tests.StopRules;

/// <summary>Expected numbers come from NumPy and SciPy.</summary>
public class SamplesTests
{
    [Theory]
    [InlineData(new float[] { 1, 2, 2, 3, 5 }, new float[] { 2, 2.5f, 4, 4, 4, 6 }, 0.4666666666666667)]
    [InlineData(new float[] { 1, 2 }, new float[] { 3, 4 }, 1)]
    [InlineData(new float[] { 3, 4 }, new float[] { 1, 2 }, 1)]
    [InlineData(new float[] { 1, 1, 1 }, new float[] { 1, 1 }, 0)]
    [InlineData(new float[] { 0, 1, 2, 3 }, new[] { 1.5f }, 0.5)]
    [InlineData(new[] { .1f, .4f, .4f, .9f }, new[] { .4f, .4f, .8f }, 0.25)]
    [InlineData(new[] { float.NaN, 1 }, new float[] { 1, 2 }, double.PositiveInfinity)]
    public void Distance_between_distributions(float[] a, float[] b, double distance)
    {
        Assert.Equal(distance, Samples.KolmogorovSmirnov(a, b), 1e-12);
        Assert.Equal(distance, Samples.KolmogorovSmirnov(b, a), 1e-12);
    }

    [Theory]
    [InlineData(0, 1)]
    [InlineData(0.1, 1.4)]
    [InlineData(0.5, 2)]
    [InlineData(0.77, 3.16)]
    [InlineData(0.999, 4.992)]
    [InlineData(1, 5)]
    public void Quantiles_are_linear_between_neighbours(double q, double value)
    {
        Assert.Equal(value, Samples.Quantile([1, 2, 2, 3, 5], q), 1e-6);
        Assert.Equal(7, Samples.Quantile([7], q));
    }

    [Theory]
    [InlineData(new float[] { 1, 2, 2, 3, 5 }, 1.3564659966250538)]
    [InlineData(new float[] { 2, 2.5f, 4, 4, 4, 6 }, 1.282900359861721)]
    [InlineData(new float[] { -1, 1 }, 1)]
    [InlineData(new float[] { 3, 3, 3 }, 0)]
    public void Deviation_is_that_of_the_population(float[] values, double deviation) =>
        Assert.Equal(deviation, Samples.StandardDeviation(values), 1e-12);

    [Fact]
    public void Equal_values_keep_their_order()
    {
        Assert.Equal([2, 0, 3, 1], Samples.Ranks([5, -1, 5, 0]));
        Assert.Equal([-1, 0, 5, 5], Samples.Sorted([5, -1, 5, 0]));
    }
}
