using RegistryUnlearn.Unlearning.Data;
using RegistryUnlearn.Unlearning.Membership;

namespace RegistryUnlearn.Unlearning.Tests.Membership;

public class LogisticRegressionTests
{
    /// <summary>
    /// Three of four members have x = +1, one of four non-members has: without a penalty the slope is log 3 exactly;
    /// with one it solves −¾(1 − σ(v)) + ¼σ(v) + λv = 0.
    /// </summary>
    [Theory]
    [InlineData(1e-12, 1.0986122886681098)]
    [InlineData(0.1, 0.7368761691015353)]
    [InlineData(1.0, 0.200133066693949)]
    public void Finds_the_optimum_of_a_case_solved_by_hand(double penalty, double slope)
    {
        var solution = LogisticRegression.Fit(
            [1, 1, 1, -1, 1, -1, -1, -1], [true, true, true, true, false, false, false, false], [1, 1, 1, 1, 1, 1, 1, 1], penalty);

        Assert.Equal(slope, solution[0], 1e-9);
        Assert.Equal(0, solution[1], 1e-9);
    }

    /// <summary>Weighted columns of different units; expected values from a float64 Newton iteration written elsewhere.</summary>
    [Fact]
    public void Folds_the_standardisation_back()
    {
        var solution = LogisticRegression.Fit(
            [0, 1, 2, 3, 1, 4, 10, 12, 9, 14, 11, 13], [false, false, false, true, true, true], [1, 2, 1, 1, 1, 2], 0.01);

        Assert.Equal(1.1262033512376926, solution[0], 1e-9);
        Assert.Equal(0.5959710121116458, solution[1], 1e-9);
        Assert.Equal(-8.973344205557172, solution[2], 1e-8);
    }

    /// <summary>At the optimum every directional difference of the objective, written down independently, is uphill.</summary>
    [Theory]
    [InlineData(1e-3)]
    [InlineData(1e-6)]
    public void Nothing_nearby_is_better(double penalty)
    {
        const int N = 60, D = 3;
        var rng = Rng.For(1, "logistic", 0);
        var isMember = Enumerable.Range(0, N).Select(i => i % 3 is 0).ToArray();
        var raw = new double[D * N];
        for (var i = 0; i < raw.Length; i++)
            raw[i] = (rng.NextNormal() * 3) + (isMember[i % N] ? 2 : 0) + 7;
        var weights = Enumerable.Range(0, N).Select(i => (double)(i % 4)).ToArray();
        var solution = LogisticRegression.Fit([.. raw], isMember, weights, penalty);
        var total = weights.Sum();
        double Deviation(int j)
        {
            var mean = Enumerable.Range(0, N).Sum(i => weights[i] * raw[(j * N) + i]) / total;
            return Math.Sqrt(Enumerable.Range(0, N).Sum(i => weights[i] * Math.Pow(raw[(j * N) + i] - mean, 2)) / total);
        }

        double Objective(double[] point) =>
            Enumerable.Range(0, N).Sum(i =>
            {
                var score = point[D] + Enumerable.Range(0, D).Sum(j => point[j] * raw[(j * N) + i]);
                return weights[i] * Math.Log(1 + Math.Exp(isMember[i] ? -score : score)) / total;
            }) + (penalty / 2 * Enumerable.Range(0, D).Sum(j => Math.Pow(point[j] * Deviation(j), 2)));

        var best = Objective(solution);
        for (var trial = 0; trial < 50; trial++)
            Assert.True(Objective([.. solution.Select(x => x + (1e-3 * rng.NextNormal()))]) > best);
        for (var j = 0; j <= D; j++)
        {
            var (up, down) = (((double[])[.. solution]), ((double[])[.. solution]));
            up[j] += 1e-5;
            down[j] -= 1e-5;
            Assert.Equal(0, (Objective(up) - Objective(down)) / 2e-5, 1e-8);
        }
    }

    [Theory]
    [InlineData(1e-3)]
    [InlineData(1e-9)]
    public void Separable_data_stay_finite(double penalty)
    {
        var solution = LogisticRegression.Fit([1, 2, 3, 10, 11, 12], [false, false, false, true, true, true], [1, 1, 1, 1, 1, 1], penalty);

        Assert.All(solution, value => Assert.True(double.IsFinite(value)));
        Assert.True((3 * solution[0]) + solution[1] < 0);
        Assert.True((10 * solution[0]) + solution[1] > 0);
    }

    [Fact]
    public void Constant_and_repeated_columns_stay_finite()
    {
        var solution = LogisticRegression.Fit(
            [5, 5, 5, 5, 0, 1, 2, 1, 0, 1, 2, 1], [false, false, true, true], [1, 1, 1, 1], 1e-3);

        Assert.Equal(0, solution[0]);
        Assert.Equal(solution[1], solution[2], 1e-9);
        Assert.True(solution[1] > 0 && double.IsFinite(solution[3]));
    }
}
