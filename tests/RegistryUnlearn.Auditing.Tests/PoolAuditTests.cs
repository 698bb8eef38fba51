using RegistryUnlearn.Auditing.Statistics;

namespace RegistryUnlearn.Auditing.Tests;

public class PoolAuditTests
{
    static readonly AuditOptions Options = new(Resamples: 50);
    static readonly ModelOutputs Before = SampleAudit.Outputs("before", leak: 1, seed: 1);
    static readonly ModelOutputs Half = SampleAudit.Outputs("after", leak: .3, seed: 2);

    [Fact]
    public void Attacks_by_sample_see_more_than_the_loss_and_oracles_are_at_chance()
    {
        var pool = PoolAudit.Of(Before, Half, Oracles(8), Options);
        Assert.True(Auc(pool, "lira", RowKind.After) > Auc(pool, "loss", RowKind.After) + .05);
        Assert.True(Auc(pool, "rmia", RowKind.After) > Auc(pool, "loss", RowKind.After));
        Assert.Equal(Auc(pool, "loss", RowKind.After), Auc(pool, "confidence", RowKind.After), 1e-9);
        Assert.All(pool.Attacks.Where(a => a.Kind is RowKind.Oracle && a.Attack is "lira"), a => Assert.InRange(a.Auc, .45, .55));
        Assert.Equal(8, pool.Attacks.Count(a => a.Attack == "lira" && a.Kind is RowKind.Oracle));
    }

    [Fact]
    public void Low_rates_have_exact_intervals_and_say_when_they_are_not_resolved()
    {
        var finding = PoolAudit.Of(Before, Half, Oracles(4), Options).Attacks.First(a => a is { Attack: "lira", Kind: RowKind.After });
        Assert.Equal(AttackCurve.LowFalsePositiveRates, finding.Rates.Select(r => r.FalsePositiveRate));
        // 1500 unseen samples allow one false alarm at 0.1 %.
        Assert.All(finding.Rates, rate => Assert.True(rate.IsResolved));
        foreach (var rate in finding.Rates)
        {
            var exact = ClopperPearson.Of((int)Math.Round(rate.TruePositiveRate * 400), 400);
            Assert.Equal((exact.Low, exact.High), (rate.Low, rate.High));
        }
    }

    [Fact]
    public void Reference_models_are_taken_in_pairs_and_each_sample_by_the_one_that_does_not_know_it()
    {
        // A model that knows a sample gives it the margin of a member: taken by mistake it would hide the leak.
        var references = References(pairs: 8);
        var pool = PoolAudit.Of(Before, Half, references, Options);
        Assert.Equal((0, 16, 0), (pool.Oracles, pool.References, pool.Unlearned));
        Assert.True(Auc(pool, "lira", RowKind.After) > Auc(pool, "loss", RowKind.After) + .05);
        var never = PoolAudit.Of(Before, SampleAudit.Outputs("retrain", leak: 0, seed: 77), references, Options);
        Assert.InRange(Auc(never, "lira", RowKind.After), .46, .54);
        Assert.InRange(Auc(never, "rmia", RowKind.After), .46, .54);

        var broken = PoolAudit.Of(Before, Half, [.. references.Where(m => m.Index is not (0 or 2 or 4 or 6 or 8 or 10 or 12))], Options);
        Assert.DoesNotContain(broken.Attacks, a => a.Attack is "lira" or "rmia");
    }

    [Fact]
    public void Pools_are_compared_where_there_are_models_enough()
    {
        var pool = PoolAudit.Of(Before, Half, [.. Oracles(8), .. Unlearned(8, leak: 0)], Options);
        Assert.InRange(pool.ULira!.BalancedAccuracy!.Value, .45, .55);
        // One oracle in four has the mean divergence of chance; four models fill few bins, so it is not near 0.
        Assert.InRange(pool.Klom!.Mean, 0, pool.Klom.ControlMean!.Value * 1.1);
        var leaking = PoolAudit.Of(Before, Half, [.. Oracles(8), .. Unlearned(8, leak: .8)], Options);
        Assert.True(leaking.ULira!.BalancedAccuracy > .8);
        Assert.True(leaking.Klom!.Mean > pool.Klom.Mean);
        var few = PoolAudit.Of(Before, Half, [.. Oracles(3), .. Unlearned(3, leak: 0)], Options);
        Assert.Equal((null, null), (few.ULira, few.Klom!.ControlMean));
        Assert.Null(PoolAudit.Of(Before, Half, Oracles(3), Options).Klom);
    }

    [Fact]
    public void Ruined_models_get_no_praise()
    {
        var ruined = Enumerable.Range(0, 4).Select(i => new PooledOutputs(
            PoolKind.Unlearned, i, (ulong)i, SampleAudit.Outputs($"ruined-{i}", 0, (ulong)(300 + i), damage: 20)));
        var guard = PoolAudit.Of(Before, Half, [.. Oracles(4), .. ruined], Options).ULira!;
        Assert.Null(guard.BalancedAccuracy);
        Assert.True(guard.LostPoints > PoolFindings.AllowedPoints);
    }

    [Fact]
    public void Models_of_other_sets_are_refused()
    {
        var other = new PooledOutputs(PoolKind.Oracle, 0, 1, SampleAudit.Outputs("other", 0, 5, forget: 40));
        Assert.Contains("model 'other' was not measured on the 400 samples of set 'forget'",
            Assert.Throws<AuditInputException>(() => PoolAudit.Of(Before, Half, [other], Options)).Message);
    }

    static double Auc(PoolFindings pool, string attack, RowKind kind) =>
        pool.Attacks.Single(a => a.Attack == attack && a.Kind == kind).Auc;

    static List<PooledOutputs> Oracles(int count) =>
        [.. Enumerable.Range(0, count).Select(i => new PooledOutputs(
            PoolKind.Oracle, i, (ulong)i, SampleAudit.Outputs($"oracle-{i}", 0, (ulong)(100 + i))))];

    static List<PooledOutputs> Unlearned(int count, double leak) =>
        [.. Enumerable.Range(0, count).Select(i => new PooledOutputs(
            PoolKind.Unlearned, i, (ulong)i, SampleAudit.Outputs($"unlearned-{i}", leak, (ulong)(200 + i))))];

    static List<PooledOutputs> References(int pairs)
    {
        var random = new SplitMix64(5);
        var models = new List<PooledOutputs>();
        for (var pair = 0; pair < pairs; pair++)
        {
            bool[] knows = [.. Enumerable.Range(0, 400).Select(_ => random.Next(2) == 0)];
            models.Add(Reference(2 * pair, knows));
            models.Add(Reference((2 * pair) + 1, [.. knows.Select(k => !k)]));
        }

        return models;
    }

    static PooledOutputs Reference(int index, bool[] knows)
    {
        var (member, other) = (SampleAudit.Outputs("in", 1, (ulong)(500 + index)), SampleAudit.Outputs("out", 0, (ulong)(600 + index)));
        var (ins, outs) = (member.Sets[AuditSets.Forget], other.Sets[AuditSets.Forget]);
        float[] logits =
        [
            .. Enumerable.Range(0, 400).SelectMany(i => (knows[i] ? ins : outs).Logits.AsSpan(i * SampleAudit.Classes, SampleAudit.Classes)
                .ToArray()),
        ];
        var forget = new SetOutputs(AuditSets.Forget, logits, SampleAudit.Classes, ins.Labels);
        return new(PoolKind.Reference, index, (ulong)index, new ModelOutputs($"reference-{index}",
            new Dictionary<string, SetOutputs>(other.Sets) { [AuditSets.Forget] = forget }), knows);
    }
}
