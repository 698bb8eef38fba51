using RegistryUnlearn.Training.Evaluation;
using RegistryUnlearn.Unlearning.Data;
using RegistryUnlearn.Unlearning.StopRules;
using RegistryUnlearn.Unlearning.Tests.Methods;

namespace RegistryUnlearn.Unlearning.Tests.StopRules;

/// <summary>Two classes, logits = (x·w, 0): the confidence of label 0 is x·w and that of label 1 is −x·w.</summary>
public class OracleFreeScoreTests
{
    /// <summary>Columns: retained 0..3, forget 4..7, reference 8..11; each group answers to a weight of its own.</summary>
    static readonly float[] Inputs = [1, 0, 0, 2, 0, 0, 3, 0, 0, 4, 0, 0, 0, 5, 0, 0, 6, 0, 0, 7, 0, 0, 8, 0, 0, 0, 1, 0, 0, 2, 0, 0, -3, 0,
        0, 9];

    /// <summary>
    /// Targets (2, −1, 3, −4) for a start at (5, 6, 7, 8): the share of positives is to fall from 1 to ½, AUC against (1, 2, −3, 9) from
    /// 12/16 to 6.5/16, KS from 1. By hand, in the order retained accuracy, share, reference accuracy, AUC, KS.
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

    static OracleFreeScore Rule(Evaluator original, float[] targets)
    {
        var data = Tiny.Data(Inputs, [3], new long[12]);
        return new(original, SampleSource.Of(data.Rows(0, 4, "retained")), SampleSource.Of(data.Rows(4, 8, "forget")),
            SampleSource.Of(data.Rows(8, 12, "holdout")), targets, 2);
    }
}
