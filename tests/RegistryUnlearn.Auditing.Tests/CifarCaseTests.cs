namespace RegistryUnlearn.Auditing.Tests;

/// <summary>
/// The two reference rows of each CIFAR-10 case against published figures that an independent implementation measured:
/// the model before unlearning and the oracles, each against the others.
/// </summary>
public class CifarCaseTests
{
    const int Classes = 10;

    [Theory]
    [InlineData("random", "original", .601, .603, .019, .024, .024, .033)]
    [InlineData("canary", "original", .605, .650, .020, .025, .041, .055)]
    public void Reference_rows_agree(
        string name, string model, double h, double h10, double bandMean, double bandMax, double band10Mean, double band10Max)
    {
        var folder = Folder(name);
        var before = new AuditedModel(model, ModelSummary.Of(Load(folder, model)));
        var oracles = Directory.GetFiles(folder, "oracle-*.npz").Order(StringComparer.Ordinal)
            .Select(path => OracleRecord.Of(Load(folder, Path.GetFileNameWithoutExtension(path)), seed: null)).ToList();

        var result = Auditor.Audit(before, before, [], oracles, [], new AuditOptions(Resamples: 10));

        Assert.Equal(h, result.Before[MetricCatalogue.H]!.Value, .006);
        Assert.Equal(h10, result.Before[MetricCatalogue.H10]!.Value, .006);
        Assert.Equal(1, result.Before[MetricCatalogue.Gap(MetricCatalogue.Auc(AuditSets.Test))]!.Value, 1e-12);
        Assert.Equal(bandMean, result.HBand!.Mean, .002);
        Assert.Equal(bandMax, result.HBand.Max, .002);
        Assert.Equal(band10Mean, result.H10Band!.Mean, .004);
        Assert.Equal(band10Max, result.H10Band.Max, .004);
    }

    /// <summary>With the other oracles, and with none: the second is how most requests are audited.</summary>
    [Theory]
    [InlineData("random")]
    [InlineData("canary")]
    public void Every_held_out_oracle_passes_the_default_gates_and_the_original_fails_them(string name)
    {
        var folder = Folder(name);
        var original = Load(folder, "original");
        var models = Directory.GetFiles(folder, "oracle-*.npz").Order(StringComparer.Ordinal)
            .Select(path => Load(folder, Path.GetFileNameWithoutExtension(path))).ToList();
        var oracles = models.ConvertAll(outputs => OracleRecord.Of(outputs, seed: null));
        foreach (var (heldOut, i) in models.Select((outputs, i) => (outputs, i)))
        {
            Assert.Empty(Failed(heldOut, [.. oracles.Where((_, other) => other != i)]));
            Assert.Empty(Failed(heldOut, []));
        }

        Assert.Equal(["forget.change", "h", "h10"], Failed(original, oracles));
        Assert.Equal(["forget.change", "forget-vs-matched.auc-low"], Failed(original, []));

        string[] Failed(ModelOutputs after, IReadOnlyList<OracleRecord> known) =>
        [
            .. Auditor.Audit(
                new("before", ModelSummary.Of(original), RetrainFreeEstimates.Of(original, original)),
                new("after", ModelSummary.Of(after), RetrainFreeEstimates.Of(after, original)),
                [], known, gates: null, new AuditOptions(Resamples: 10)).Gates.Where(g => !g.Passed).Select(g => g.Metric),
        ];
    }

    static string Folder(string name) => Repository.Shared("data/cifar10-10k/" + name);

    static ModelOutputs Load(string folder, string model)
    {
        var trainedLabels = Npz.Integers(Path.Combine(folder, "split.npz"), "labels");
        var forget = Npz.Integers(Path.Combine(folder, "split.npz"), "forget");
        var trueLabels = Npz.Integers(Path.Combine(folder, "..", "train.npz"), "y");
        var testLabels = Npz.Integers(Path.Combine(folder, "..", "test.npz"), "y");
        var train = Npz.Floats(Path.Combine(folder, $"{model}.npz"), "train");
        int[] retained = [.. Enumerable.Range(0, trainedLabels.Length).Except(forget)];
        return new(model, new Dictionary<string, SetOutputs>
        {
            [AuditSets.Retained] = Pick(AuditSets.Retained, train, retained, trainedLabels),
            [AuditSets.Forget] = Pick(AuditSets.Forget, train, forget, trainedLabels, trueLabels),
            [AuditSets.Test] = new(AuditSets.Test, Npz.Floats(Path.Combine(folder, $"{model}.npz"), "test"), Classes, testLabels),
        });
    }

    static SetOutputs Pick(string name, float[] logits, int[] rows, int[] labels, int[]? trueLabels = null) => new(
        name,
        [.. rows.SelectMany(row => logits.AsSpan(row * Classes, Classes).ToArray())],
        Classes,
        [.. rows.Select(row => labels[row])],
        trueLabels is null ? null : [.. rows.Select(row => trueLabels[row])]);
}
