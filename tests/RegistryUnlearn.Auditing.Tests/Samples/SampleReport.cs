using RegistryUnlearn.Auditing.Report;

namespace RegistryUnlearn.Auditing.Tests;

static class SampleReport
{
    public static ReportInput Full()
    {
        var original = SampleAudit.Outputs("before", leak: 1, seed: 1);
        var unlearned = SampleAudit.Outputs("ltu", leak: .03, seed: 2, damage: 1.2);
        var (before, after) = (ModelSummary.Of(original), ModelSummary.Of(unlearned));
        var oracles = SampleAudit.Oracles(5);
        AuditedModel[] comparisons =
        [
            new("finetune", ModelSummary.Of(SampleAudit.Outputs("finetune", leak: .85, seed: 3, damage: 1.2))),
            new("neggrad+", ModelSummary.Of(SampleAudit.Outputs("neggrad+", leak: .45, seed: 4, damage: 3))),
            new("lur", ModelSummary.Of(SampleAudit.Outputs("lur", leak: .6, seed: 5, damage: 1.8))),
        ];
        Gate[] gates =
        [
            new(MetricCatalogue.H, GateComparison.AtMost, .2),
            new(MetricCatalogue.AccuracyDrop(AuditSets.Test), GateComparison.AtMost, .01),
            new(MetricCatalogue.Auc(AuditSets.Holdout), GateComparison.AtMost, .55),
        ];
        var options = new AuditOptions(Resamples: 400);
        var result = Auditor.Audit(
            new("cifar10-resnet8@7", before, RetrainFreeEstimates.Of(original, original, new RelearnTime(0, 18, 128))),
            new("ltu", after, RetrainFreeEstimates.Of(unlearned, original, new RelearnTime(14, 17, 128))),
            comparisons, oracles, gates, options, PoolAudit.Of(original, unlearned, Pool(), options));
        return new(result, before, after, oracles, SampleAudit.Steps(80), Record());

        static List<PooledOutputs> Pool() =>
        [
            .. Enumerable.Range(0, 5).Select(i => new PooledOutputs(
                PoolKind.Oracle, i, (ulong)i, SampleAudit.Outputs($"oracle-{i}", 0, (ulong)(100 + i)))),
            .. Enumerable.Range(0, 4).Select(i => new PooledOutputs(
                PoolKind.Unlearned, i, (ulong)i, SampleAudit.Outputs($"unlearned-{i}", .03, (ulong)(200 + i)))),
        ];
    }

    public static ReportInput WithoutOraclesOrUnseenData()
    {
        var (before, after) = (Bare(leak: 1, seed: 1), Bare(leak: .2, seed: 2));
        var result = Auditor.Audit(new("before", before), new("after", after), [], [], [], new AuditOptions());
        return new(result, before, after, [], [], Record());

        static ModelSummary Bare(double leak, ulong seed) =>
            ModelSummary.Of(SampleAudit.Outputs("m", leak, seed))
                with
            { Test = null, Holdout = null, VersusTest = null, VersusHoldout = null };
    }

    public static ErasureRecord Record(string model = "cifar10-resnet8@8") => new(
        model,
        "cifar10-resnet8@7",
        "Quarantined: moved out of the consumers' reach, its aliases moved on to the new version; kept for 30 days, then deleted.",
        "b5d41f0c9be2",
        "ltu",
        [
            new("Digests",
            [
                new("parent", "sha256:0f3a9d2b7c51e84466a0b1d9c2f37e58aa914c06d2be7f1038e5c4b9a7d6f201"),
                new("new version", "sha256:c7be12904a6f3d58e1029b7a4c6d8e0f1325476980abcdef0123456789fedcba"),
                new("request", "sha256:5a1c3e7092b4d6f81a2c4e60728496b8dafc1e3052749618badcfe1032547698"),
            ]),
            new("Options",
            [
                new("preset", "target = views, preconditioner = kfac, preservation = pool"), new("order", "first"),
                new("steps", "80"), new("learning rate", "0.01"), new("seed", "20261123"),
            ]),
            new("Data",
            [
                new("forget", "400 samples, keyed commitment hmac-sha256:91ab…77"),
                new("retained", "sha256:88d0c1a2b3e4f5061728394a5b6c7d8e9fa0b1c2d3e4f5061728394a5b6c7d8e"),
                new("holdout", "sha256:1f2e3d4c5b6a79880716253443526170f0e1d2c3b4a5968778695a4b3c2d1e0f"),
            ]),
            new("Versions", [new("RegistryUnlearn", "0.1.0"), new("ONNX Runtime", "1.31.1"), new("device", "CPU, 2 threads")]),
        ],
        "23 November 2026, 09:14 UTC");
}
