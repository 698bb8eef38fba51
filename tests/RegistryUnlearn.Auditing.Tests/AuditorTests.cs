using System.Text;
using System.Text.Json;

namespace RegistryUnlearn.Auditing.Tests;

public class AuditorTests
{
    static readonly AuditOptions Quick = new(Resamples: 20);

    // 100 samples per set; accuracies in percent, so that every figure below can be checked by hand.
    static ModelSummary Model(int retained, int forget, int test, double auc, double[] losses, bool asHoldout = false)
    {
        var attack = new AttackSummary(auc, 0, 0);
        return asHoldout
            ? new(2, Set(retained), Set(forget, losses), Holdout: Set(test), VersusHoldout: attack)
            : new(2, Set(retained), Set(forget, losses), Set(test), VersusTest: attack);

        static SetSummary Set(int percent, double[]? losses = null) =>
            new(100, percent / 100.0, losses?.Average() ?? 1, losses ?? [1],
                percent == 100 ? [0, 0, 100] : [0, 0, percent, 0, 1, 100 - percent]);
    }

    static AuditResult Audit(ModelSummary after, params ModelSummary[] oracles) => Auditor.Audit(
        new("before", Before),
        new("after", after),
        [],
        [.. oracles.Select((oracle, i) => new OracleRecord($"oracle-{i}", oracle))],
        [],
        Quick);

    static readonly ModelSummary Before = Model(100, 100, 60, .9, [0, 0, 0, 0]);
    static readonly ModelSummary OracleA = Model(100, 58, 60, .48, [1, 2, 3, 4]);
    static readonly ModelSummary OracleB = Model(100, 62, 62, .52, [1, 2, 3, 4]);

    [Fact]
    public void H_is_the_mean_of_its_five_parts()
    {
        // Oracle means: RA 1, FA .6, TA .61, AUC .5. S = .4. KS(before) = 1, KS(after, pooled) = .25.
        var result = Audit(Model(96, 70, 57, .6, [.5, 2, 3, 4]), OracleA, OracleB);
        Assert.Equal((.04 / .4 + .10 / .4 + .04 / .4 + .1 / .4 + .25) / 5, result.After[MetricCatalogue.H]!.Value, 1e-12);
        Assert.Equal((.04 / .1 + .10 / .4 + .04 / .1 + .1 / .4 + .25) / 5, result.After[MetricCatalogue.H10]!.Value, 1e-12);
        Assert.Equal((0 + 1 + .01 / .4 + 1 + 1) / 5, result.Before[MetricCatalogue.H]!.Value, 1e-12);
        Assert.Equal(.25, result.After[MetricCatalogue.Gap(MetricCatalogue.Auc("test"))]!.Value, 1e-12);
        Assert.Equal(.25, result.After[MetricCatalogue.OracleKs]);
        Assert.Equal(.03, result.After[MetricCatalogue.AccuracyDrop("test")]!.Value, 1e-12);
    }

    [Fact]
    public void Band_measures_each_oracle_against_the_others()
    {
        // A against B: S = .38, TA off by .02, FA by .04, AUC by .04 of .38. B against A: S = .42, AUC by .04 of .42.
        var result = Audit(Before, OracleA, OracleB);
        var (a, b) = ((.02 / .38 + .04 / .38 + .04 / .38) / 5, (.02 / .42 + .04 / .42 + .04 / .42) / 5);
        Assert.Equal([a, b], result.HBand!.Values.Select(h => Math.Round(h, 14)), (x, y) => Math.Abs(x - y) < 1e-12);
        Assert.Equal((a + b) / 2, result.HBand.Mean, 1e-12);
        Assert.Equal(a, result.HBand.Max, 1e-12);
        Assert.Equal(a, result.Rows.First(row => row.Kind == RowKind.Oracle)[MetricCatalogue.H]!.Value, 1e-12);
        var forget = result.Oracles.Single(s => s.Metric == MetricCatalogue.Accuracy("forget"));
        Assert.Equal(.6, forget.Mean, 1e-12);
        Assert.Equal(.04 / Math.Sqrt(2), forget.StandardDeviation!.Value, 1e-12);
    }

    [Fact]
    public void Zero_over_zero_is_zero_and_anything_over_zero_is_absent()
    {
        var retained = MetricCatalogue.Accuracy(AuditSets.Retained);
        Assert.Equal(0, Audit(Before, OracleA).After[MetricCatalogue.Gap(retained)]);
        Assert.Null(Audit(Model(99, 70, 60, .6, [1]), OracleA).After[MetricCatalogue.Gap(retained)]);
        Assert.True(Audit(Before, OracleA, OracleB).Gaps.Single(row => row.Metric == retained).BeforeInsideBand);
        Assert.False(Audit(Before, OracleA, OracleB).Gaps.Single(row => row.Metric == MetricCatalogue.OracleKs).BeforeInsideBand);
    }

    [Fact]
    public void H_is_absent_where_nothing_was_there_to_forget()
    {
        var result = Audit(Model(90, 90, 60, .9, [0]), Before);
        Assert.Null(result.After[MetricCatalogue.H]);
        Assert.Contains(result.Notes, note => note.StartsWith("H has no value", StringComparison.Ordinal));
    }

    [Fact]
    public void One_oracle_has_no_band()
    {
        var result = Audit(Before, OracleA);
        Assert.Null(result.HBand);
        Assert.NotNull(result.After[MetricCatalogue.H]);
        Assert.Null(result.Oracles[0].StandardDeviation);
    }

    [Fact]
    public void Holdout_takes_the_place_of_a_missing_test_set()
    {
        ModelSummary Of(int forget, double auc, double[] losses) => Model(100, forget, 60, auc, losses, asHoldout: true);
        var before = Of(100, .9, [0]);
        var result = Auditor.Audit(new("b", before), new("a", Of(80, .7, [1])), [], [new("o", Of(60, .5, [1]))], [], Quick);
        Assert.Equal(AuditSets.Holdout, result.Reference);
        Assert.Equal((.5 + .5) / 5, result.After[MetricCatalogue.H]!.Value, 1e-12);
        Assert.Contains(result.Notes, note => note.Contains("holdout takes its place"));
    }

    [Fact]
    public void Without_oracles_only_retrain_free_metrics_are_reported()
    {
        var result = Audit(Before);
        Assert.All(result.After.Metrics.Keys, name => Assert.False(MetricCatalogue.Find(name).NeedsOracles));
        Assert.Contains(result.Notes, note => note.Contains("retrain-free"));
        Assert.Empty(result.Gaps);
    }

    [Fact]
    public void Models_measured_on_different_sets_are_refused()
    {
        var fewer = Before with { Retained = Before.Retained with { Count = 99 } };
        Assert.Contains(
            "set 'retained' has 99 samples, 'before' has 100 samples", Assert.Throws<AuditInputException>(() => Audit(fewer)).Message);
        Assert.Contains("set 'test' has no samples", Assert.Throws<AuditInputException>(() => Audit(Before with { Test = null })).Message);
        Assert.Contains("3 classes", Assert.Throws<AuditInputException>(() => Audit(Before with { Classes = 3 })).Message);
    }

    [Theory]
    [InlineData(GateComparison.AtMost, .2, .2, true, null)]
    [InlineData(GateComparison.AtMost, .2, .5, false, .3)]
    [InlineData(GateComparison.AtLeast, .2, .2, true, null)]
    [InlineData(GateComparison.AtLeast, .2, .1, false, .1)]
    [InlineData(GateComparison.AtMost, .2, null, false, null)]
    public void Gates_pass_at_the_threshold_and_say_by_how_much_they_fail(
        GateComparison comparison, double threshold, double? value, bool passed, double? missedBy)
    {
        var outcome = new Gate(MetricCatalogue.H, comparison, threshold).Judge(value);
        Assert.Equal(passed, outcome.Passed);
        Assert.Equal(value, outcome.Value);
        Assert.Equal(missedBy ?? 0, outcome.MissedBy ?? 0, 1e-12);
        Assert.Equal(missedBy is null, outcome.MissedBy is null);
    }

    [Fact]
    public void Unknown_metrics_are_refused_with_the_known_ones()
    {
        var message = Assert.Throws<AuditInputException>(() => new Gate("H", GateComparison.AtMost, 1).Judge(1)).Message;
        Assert.StartsWith("unknown metric 'H'; known metrics: retained.accuracy, forget.accuracy,", message);
        Assert.EndsWith(", h, h10", message);
        Assert.Throws<AuditInputException>(() => new Gate("h", GateComparison.AtMost, double.NaN).Judge(1));
    }

    [Fact]
    public void Every_reported_metric_is_known_and_known_once()
    {
        var result = SampleReport.Full().Result;
        Assert.All(result.Rows.SelectMany(row => row.Metrics.Keys), name => Assert.Equal(name, MetricCatalogue.Find(name).Name));
        Assert.Equal(MetricCatalogue.Known.Count, MetricCatalogue.Known.Select(metric => metric.Name).Distinct().Count());
    }

    [Fact]
    public void Metrics_file_is_deterministic_and_round_trips_doubles()
    {
        var (first, second) = (SampleReport.Full().Result, SampleReport.Full().Result.ToJson());
        Assert.Equal(first.ToJson(), second);
        using var json = JsonDocument.Parse(second);
        var row = json.RootElement.GetProperty("rows")[1];
        Assert.Equal("after", row.GetProperty("kind").GetString(), ignoreCase: true);
        Assert.Equal(first.After[MetricCatalogue.H], row.GetProperty("metrics").GetProperty("h").GetDouble());
        Assert.False(json.RootElement.GetProperty("passed").GetBoolean());
        List<string> names = [.. row.GetProperty("metrics").EnumerateObject().Select(metric => metric.Name)];
        Assert.Equal(names.Order(StringComparer.Ordinal), names);
        Assert.DoesNotContain("\r", Encoding.UTF8.GetString(second));
    }
}
