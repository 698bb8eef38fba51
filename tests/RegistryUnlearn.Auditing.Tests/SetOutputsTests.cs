namespace RegistryUnlearn.Auditing.Tests;

public class SetOutputsTests
{
    [Theory]
    [InlineData(new[] { 0f, 0 }, 0, 0, 0.6931471805599453, 0.0)]
    [InlineData(new[] { 0f, 0, 0, 0 }, 3, 0, 1.3862943611198906, -1.0986122886681098)]
    [InlineData(new[] { 1f, 2, 3 }, 2, 2, 0.4076059644443803, 0.6867383124817231)]
    [InlineData(new[] { 1000f, 0 }, 1, 0, 1000.0, -1000.0)]
    [InlineData(new[] { 0f, 40 }, 1, 1, 4.248354255291589e-18, 40.0)]
    [InlineData(new[] { -3e38f, 3e38f }, 0, 1, 6e38, -6e38)]
    public void Derived_quantities_are_exact(float[] logits, int label, int prediction, double loss, double confidence)
    {
        var set = new SetOutputs("forget", logits, logits.Length, [label]);
        Assert.Equal(prediction, set.Predictions[0]);
        Assert.Equal(loss, set.Losses[0], Math.Abs(loss) * 1e-7);
        Assert.Equal(confidence, set.Confidences[0], Math.Max(1e-12, Math.Abs(confidence) * 1e-7));
    }

    [Fact]
    public void Small_losses_keep_their_digits() =>
        Assert.Equal(4.248354255291589e-18, new SetOutputs("s", [0, 40], 2, [1]).Losses[0], 1e-30);

    [Theory]
    [InlineData(float.NaN)]
    [InlineData(float.PositiveInfinity)]
    [InlineData(float.NegativeInfinity)]
    public void Non_finite_logits_name_set_and_row(float bad)
    {
        var error = Assert.Throws<AuditInputException>(() => new SetOutputs("holdout", [0, 1, bad, 0], 2, [0, 1]));
        Assert.Equal("set 'holdout', row 1: logit of class 0 is not finite; the model diverged or its input is damaged", error.Message);
    }

    [Theory]
    [InlineData(new float[0], 2, new int[0], null, "set 's' is empty")]
    [InlineData(new[] { 1f, 2, 3 }, 2, new[] { 0, 1 }, null, "3 logits for 2 labels and 2 classes; expected 4")]
    [InlineData(new[] { 1f }, 1, new[] { 0 }, null, "at least 2")]
    [InlineData(new[] { 1f, 2 }, 2, new[] { 2 }, null, "row 0: label 2 is outside 0..1")]
    [InlineData(new[] { 1f, 2 }, 2, new[] { -1 }, null, "row 0: label -1 is outside 0..1")]
    [InlineData(new[] { 1f, 2 }, 2, new[] { 1 }, new[] { 7 }, "true label 7 is outside 0..1")]
    [InlineData(new[] { 1f, 2 }, 2, new[] { 1 }, new[] { 1, 0 }, "2 true labels for 1 labels")]
    public void Inconsistent_sets_are_refused(float[] logits, int classes, int[] labels, int[]? trueLabels, string reason) =>
        Assert.Contains(reason, Assert.Throws<AuditInputException>(() => new SetOutputs("s", logits, classes, labels, trueLabels)).Message);

    [Fact]
    public void Models_need_forget_and_retained_and_no_unknown_set()
    {
        var set = new SetOutputs("s", [0, 1], 2, [0]);
        var three = new SetOutputs("s", [0, 1, 2], 3, [0]);
        Assert.Contains("'retained' is missing", Refusal(new() { ["forget"] = set }));
        Assert.Contains("unknown set 'Test'", Refusal(new() { ["forget"] = set, ["retained"] = set, ["Test"] = set }));
        Assert.Contains("number of classes", Refusal(new() { ["forget"] = set, ["retained"] = three }));

        static string Refusal(Dictionary<string, SetOutputs> sets) =>
            Assert.Throws<AuditInputException>(() => new ModelOutputs("m", sets)).Message;
    }

    [Fact]
    public void Summary_counts_what_can_be_counted_by_hand()
    {
        // Predictions 0, 1, 1, 0 against trained labels 0, 0, 1, 1 and true labels 0, 1, 1, 0.
        var forget = new SetOutputs("forget", [1, 0, 0, 1, 0, 1, 1, 0], 2, [0, 0, 1, 1], [0, 1, 1, 0]);
        var summary = ModelSummary.Of(new("m", new Dictionary<string, SetOutputs>
        {
            ["forget"] = forget,
            ["retained"] = forget,
            ["holdout"] = forget,
        }));
        Assert.Equal(.5, summary.Forget.Accuracy);
        Assert.Equal(0.8132616875182228, summary.Forget.MeanLoss, 1e-14);
        int[] confusion = [0, 0, 1, 0, 1, 1, 1, 0, 1, 1, 1, 1];
        Assert.Equal(confusion, summary.Forget.Confusion);
        Assert.Equal(new CanarySummary(TrainedLabel: 0, TrueLabel: 1, Count: 2), summary.Canary);
        Assert.Equal(new AttackSummary(.5, 0, 0), summary.VersusHoldout);
        Assert.Null(summary.VersusTest);
    }

    [Fact]
    public void Summary_does_not_depend_on_the_order_of_samples()
    {
        var sample = SampleAudit.Outputs("m", leak: .5, seed: 3);
        var reversed = SampleAudit.Outputs("m", leak: .5, seed: 3, reversed: true);
        Assert.NotEqual(sample.Sets["forget"].Labels, reversed.Sets["forget"].Labels);
        Assert.Equivalent(ModelSummary.Of(sample), ModelSummary.Of(reversed), strict: true);
    }

    /// <summary>Three samples with two positions each and two classes; the second position of the second sample has no label.</summary>
    [Fact]
    public void A_sample_with_positions_counts_once_by_the_mean_of_its_labelled_positions()
    {
        float[] logits = [2, 0, 0, 1, 0, 3, 9, 9, 1, 0, 1, 0];
        var set = new SetOutputs("forget", 2, [0, 0, 1, -100, 1, 0], [0, 1, 1, -100, 1, 0], 2, take =>
        {
            take(logits.AsSpan(0, 4));
            take(logits.AsSpan(4));
        });
        double[] rows = [.. new[] { -2.0, 1, -3, 1, -1 }.Select(d => Math.Log(1 + Math.Exp(d)))];
        double[] losses = [(rows[0] + rows[1]) / 2, rows[2], (rows[3] + rows[4]) / 2];
        for (var i = 0; i < 3; i++)
            Assert.Equal(losses[i], set.Losses[i], 1e-14);
        Assert.Equal([0.5, 3, 0], set.Confidences);
        Assert.Equal([0.5, 1, 0.5], set.Right);
        var summary = ModelSummary.Of(new("m", new Dictionary<string, SetOutputs> { ["forget"] = set, ["retained"] = set }));
        Assert.Equal((3, 2 / 3.0, 5), (summary.Forget.Count, summary.Forget.Accuracy, summary.Forget.Labelled));
        int[] confusion = [0, 0, 2, 0, 1, 1, 1, 0, 1, 1, 1, 1];
        Assert.Equal(confusion, summary.Forget.Confusion);
        Assert.Equal(new CanarySummary(TrainedLabel: 0, TrueLabel: 1, Count: 1), summary.Canary);
    }

    [Theory]
    [InlineData(new[] { 0, -100, -100, -100 }, null, "sample 1 has no label")]
    [InlineData(new[] { 0, -100, 1 }, null, "3 labels are no multiple of 2 per sample")]
    [InlineData(new[] { 0, -100, 1, 2 }, null, "row 3: label 2 is outside 0..1")]
    [InlineData(new[] { 0, -100, 1, 1 }, new[] { 0, 1, 1, 1 }, "row 1: true label 1 is outside 0..1")]
    public void Positions_that_do_not_fit_are_refused(int[] labels, int[]? trueLabels, string reason) => Assert.Contains(reason,
        Assert.Throws<AuditInputException>(() => new SetOutputs("s", 2, labels, trueLabels, 2, take => take(new float[8]))).Message);
}
