using RegistryUnlearn.Training.Evaluation;
using RegistryUnlearn.Unlearning.Data;
using RegistryUnlearn.Unlearning.StopRules;
using RegistryUnlearn.Unlearning.Tests.Methods;

namespace RegistryUnlearn.Unlearning.Tests.StopRules;

/// <summary>Two classes, logits = (x·w, 0): the confidence of label 0 is x·w and that of label 1 is −x·w.</summary>
public class OracleFreeScoreTests
{
    /// <summary>
    /// Rows: retained 0..3, forget 4..7, reference 8..11, each group with a weight of its own, and 12, which every model gets right.
    /// </summary>
    static readonly float[] Inputs = [1, 0, 0, 2, 0, 0, 3, 0, 0, 4, 0, 0, 0, 5, 0, 0, 6, 0, 0, 7, 0, 0, 8, 0, 0, 0, 1, 0, 0, 2, 0, 0, -3, 0,
        0, 9, 0, 0, 0];

    /// <summary>
    /// Targets (2, −1, 3, −4) for a start at (5, 6, 7, 8): the share of positives is to fall from 1 to ½, AUC against (1, 2, −3, 9) from
    /// 12/16 to 6.5/16, the mean distance to them from 6.5. By hand, in the order retained accuracy, share, reference accuracy, AUC, distance.
    /// </summary>
    [Theory]
    [InlineData(1, 1, 1, 0.6)]
    [InlineData(1, -1, 1, (0 + 1 + 0 + 6.5 / 5.5 + 1) / 5)]
    [InlineData(-1, 1, 1, (2 + 1 + 0 + 1 + 1) / 5.0)]
    [InlineData(1, 1, -1, (0 + 1 + 1 + 1 + 1) / 5.0)]
    [InlineData(2, 1, 3, 0.6)]
    public void Charges_five_distances(float retained, float forget, float reference, double score)
    {
        using var start = Model(1, 1, 1);
        using var model = Model(retained, forget, reference);
        using Evaluator original = Evaluator.Frozen(start.Forward, start.Parameters),
            live = Evaluator.Live(model.Forward, model.Parameters);
        var rule = Rule(original, [2, -1, 3, -4]);

        Assert.Equal(score, rule.Of(live), 1e-6);
    }

    /// <summary>Of forty samples, half of which are to stand below zero, KS is ½ at the start and ¼ when half of those do.</summary>
    [Theory]
    [InlineData(0, 1)]
    [InlineData(10, 0.5)]
    [InlineData(20, 0)]
    public void Compares_distributions_of_many_samples(int moved, double share)
    {
        float[] inputs = [.. Enumerable.Range(0, 40).SelectMany(i => new[] { i + 1f, i < moved ? -2 * (i + 1f) : 0 })];
        var data = Tiny.Data(inputs, [2], new long[40]);
        using var start = Tiny.Linear([2], 2, [1, 0, 0, 0], [0, 0]);
        using var end = Tiny.Linear([2], 2, [1, 0, 1, 0], [0, 0]);
        using Evaluator original = Evaluator.Frozen(start.Forward, start.Parameters), live = Evaluator.Live(end.Forward, end.Parameters);
        SampleSource all = SampleSource.Of(data.All("all")), one = SampleSource.Of(data.Rows(39, 40, "one"));
        float[] targets = [.. Enumerable.Range(0, 40).Select(i => i < 20 ? -i - 1f : i + 1f)];
        var rule = new OracleFreeScore(original, one, all, one, one, targets, 2);

        // The share of positives falls from 1 to ½ as KS does; AUC against the largest sample is 0 before and after.
        Assert.Equal((share + share) / 5, rule.Of(live), 1e-6);
    }

    [Fact]
    public void Is_infinite_where_too_many_unseen_samples_are_lost()
    {
        using var start = Model(1, 1, 1);
        using var model = Model(1, -0.5f, -1);
        using Evaluator original = Evaluator.Frozen(start.Forward, start.Parameters),
            live = Evaluator.Live(model.Forward, model.Parameters);

        Assert.Equal(double.PositiveInfinity, Rule(original, [-2.5f, -3, -3.5f, -4], guarded: 8).Of(live));
    }

    [Fact]
    public void Is_zero_where_the_targets_are_hit()
    {
        using var start = Model(1, 1, 1);
        using var model = Model(1, -0.5f, 1);
        using Evaluator original = Evaluator.Frozen(start.Forward, start.Parameters),
            live = Evaluator.Live(model.Forward, model.Parameters);

        Assert.Equal(0, Rule(original, [-2.5f, -3, -3.5f, -4]).Of(live), 1e-12);
    }

    [Fact]
    public void Is_infinite_for_a_model_that_diverged()
    {
        using var start = Model(1, 1, 1);
        using var model = Model(1, float.NaN, 1);
        using Evaluator original = Evaluator.Frozen(start.Forward, start.Parameters),
            live = Evaluator.Live(model.Forward, model.Parameters);

        Assert.Equal(double.PositiveInfinity, Rule(original, [2, -1, 3, -4]).Of(live));
    }

    /// <summary>Targets that the original meets already leave distances of nothing, not a division by zero.</summary>
    [Fact]
    public void Is_finite_where_there_is_nothing_to_do()
    {
        using var start = Model(1, 1, 1);
        using var original = Evaluator.Frozen(start.Forward, start.Parameters);

        Assert.Equal(0, Rule(original, [5, 6, 7, 8]).Of(original));
    }

    static TinyModel Model(float retained, float forget, float reference) =>
        Tiny.Linear([3], 2, [retained, 0, forget, 0, reference, 0], [0, 0]);

    /// <param name="guarded">The first of the samples whose loss rules a model out.</param>
    static OracleFreeScore Rule(Evaluator original, float[] targets, int guarded = 12)
    {
        var data = Tiny.Data(Inputs, [3], new long[13]);
        return new(original, SampleSource.Of(data.Rows(0, 4, "retained")), SampleSource.Of(data.Rows(4, 8, "forget")),
            SampleSource.Of(data.Rows(8, 12, "holdout")), SampleSource.Of(data.Rows(guarded, 13, "guard")), targets, 2);
    }
}
