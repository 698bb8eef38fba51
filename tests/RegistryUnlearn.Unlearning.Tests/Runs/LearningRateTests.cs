using RegistryUnlearn.Unlearning.Runs;

namespace RegistryUnlearn.Unlearning.Tests.Runs;

public class LearningRateTests
{
    /// <summary>Peak 0.5: steps, step, and the rate of each schedule, computed with NumPy.</summary>
    [Theory]
    [InlineData(1, 0, 0.5, 0.5)]
    [InlineData(5, 0, 0.5, 0.5)]
    [InlineData(5, 1, 0.4, 0.4522542)]
    [InlineData(5, 2, 0.3, 0.3272542)]
    [InlineData(5, 4, 0.1, 0.04774575)]
    [InlineData(40, 0, 0.125, 0.125)]
    [InlineData(40, 1, 0.24375, 0.2496147)]
    [InlineData(40, 10, 0.375, 0.4267767)]
    [InlineData(40, 20, 0.25, 0.25)]
    [InlineData(40, 39, 0.0125, 0.0007706666)]
    public void Warms_up_and_falls(int steps, int step, double linear, double cosine)
    {
        Assert.Equal(0.5f, new LearningRate(0.5f, Schedule.Constant, steps).At(step));
        Assert.Equal(linear, new LearningRate(0.5f, Schedule.Linear, steps).At(step), 1e-7);
        Assert.Equal(cosine, new LearningRate(0.5f, Schedule.Cosine, steps).At(step), 1e-7);
    }

    [Theory]
    [InlineData(Schedule.Linear, 7)]
    [InlineData(Schedule.Linear, 1000)]
    [InlineData(Schedule.Cosine, 7)]
    [InlineData(Schedule.Cosine, 1000)]
    public void Stays_positive_and_below_its_peak(Schedule schedule, int steps)
    {
        var rate = new LearningRate(0.1f, schedule, steps);
        var rates = Enumerable.Range(0, steps).Select(rate.At).ToArray();

        Assert.All(rates, r => Assert.InRange(r, 1e-9f, 0.1f));
        Assert.Equal(rates.Skip(steps / 10).OrderDescending(), rates.Skip(steps / 10));
    }
}
