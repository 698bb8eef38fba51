namespace RegistryUnlearn.Auditing.Tests;

public class DefaultGateTests
{
    static readonly ModelOutputs Original = SampleAudit.Outputs("before", leak: 1, seed: 1);

    [Fact]
    public void A_retrain_passes_and_the_original_fails_without_oracles()
    {
        Assert.Empty(Failed(SampleAudit.Outputs("retrain", leak: 0, seed: 7)));
        Assert.Equal(["forget.change", "forget-vs-matched.auc-low"], Failed(Original));
    }

    [Theory]
    [InlineData(.5, 0, "forget-vs-matched.auc-low")]
    [InlineData(-1.5, 0, "forget-vs-matched.auc-high")]
    [InlineData(0, 40, "retained.accuracy-drop")]
    public void What_is_wrong_is_the_gate_that_fails(double leak, double damage, string gate) =>
        Assert.Contains(gate, Failed(SampleAudit.Outputs("after", leak, seed: 7, damage)));

    [Fact]
    public void Relearning_counts_where_there_are_samples_enough()
    {
        var retrain = SampleAudit.Outputs("retrain", leak: 0, seed: 7);
        Assert.Equal(["relearn.ratio"], Failed(retrain, new RelearnTime(1, 4, DefaultGates.LeastRelearned)));
        Assert.Empty(Failed(retrain, new RelearnTime(3, 4, DefaultGates.LeastRelearned)));
        Assert.Empty(Failed(retrain, new RelearnTime(1, 4, DefaultGates.LeastRelearned - 1)));
    }

    [Fact]
    public void Oracles_replace_estimates()
    {
        var oracles = SampleAudit.Oracles(5);
        Assert.Empty(Failed(SampleAudit.Outputs("retrain", leak: 0, seed: 7), oracles: oracles));
        Assert.Equal(["forget.change", "h", "h10"], Failed(Original, oracles: oracles));
    }

    [Fact]
    public void Oracles_that_differ_much_widen_the_gate_to_their_band()
    {
        // Accuracies on the forget set that lie far apart: each oracle against the others has a large H.
        var oracles = SampleAudit.Oracles(3).Select((oracle, i) => oracle with
        {
            Summary = oracle.Summary with { Forget = oracle.Summary.Forget with { Accuracy = .3 + (.3 * i) } },
        }).ToList();
        var result = Audit(SampleAudit.Outputs("retrain", leak: 0, seed: 7), oracles: oracles);
        var gate = result.Gates.Single(g => g.Metric == MetricCatalogue.H);
        Assert.True(gate.Threshold > DefaultGates.Distance);
        Assert.Equal(result.HBand!.Max, gate.Threshold);
    }

    [Fact]
    public void Gates_that_are_asked_for_stand_alone_and_none_is_none()
    {
        var original = new AuditedModel("b", ModelSummary.Of(Original), RetrainFreeEstimates.Of(Original, Original));
        var asked = Auditor.Audit(
            original, original, [], [], [new(MetricCatalogue.Change, GateComparison.AtMost, 1)], new(Resamples: 5));
        Assert.Equal((true, false), (asked.Passed, asked.HasDefaultGates));
        Assert.Single(asked.Gates);
        Assert.Empty(Auditor.Audit(original, original, [], [], [], new(Resamples: 5)).Gates);
    }

    static string[] Failed(ModelOutputs after, RelearnTime? relearn = null, IReadOnlyList<OracleRecord>? oracles = null) =>
        [.. Audit(after, relearn, oracles).Gates.Where(g => !g.Passed).Select(g => g.Metric)];

    static AuditResult Audit(ModelOutputs after, RelearnTime? relearn = null, IReadOnlyList<OracleRecord>? oracles = null) => Auditor.Audit(
        new("before", ModelSummary.Of(Original), RetrainFreeEstimates.Of(Original, Original)),
        new("after", ModelSummary.Of(after), RetrainFreeEstimates.Of(after, Original, relearn)),
        [], oracles ?? [], gates: null, new(Resamples: 5));
}
