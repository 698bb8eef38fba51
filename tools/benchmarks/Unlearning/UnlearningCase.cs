using RegistryUnlearn.Auditing;
using RegistryUnlearn.Training.Buffers;
using RegistryUnlearn.Training.Evaluation;
using RegistryUnlearn.Unlearning.Data;
using RegistryUnlearn.Unlearning.Methods;
using RegistryUnlearn.Worker.Models;

namespace RegistryUnlearn.Benchmarks.Unlearning;

/// <summary>
/// A network trained on all images, the images that it is to forget, and networks retrained without them: <c>original.onnx</c>,
/// <c>split.npz</c> and <c>oracle-*.npz</c> in one folder, <c>train.npz</c> and <c>test.npz</c> in the folder above.
/// </summary>
sealed class UnlearningCase : IDisposable
{
    /// <summary>Share of the test images that plays the holdout: 1,000 of 10,000.</summary>
    const double HoldoutShare = 0.1;

    /// <summary>What the networks expect of CIFAR-10's pixels.</summary>
    static readonly Normalization Pixels = new(255, [0.4914f, 0.4822f, 0.4465f], [0.247f, 0.2435f, 0.2616f]);

    readonly DataSet test;
    readonly List<(string Name, float[] Train, float[] Test)> oracles;

    UnlearningCase(string name, ClassifierModel model, DataSet train, DataSet test, Subset forget, List<(string, float[], float[])> oracles)
    {
        (Name, Model, Train, this.test, Forget, this.oracles) = (name, model, train, test, forget, oracles);
        Retained = train.All("training").Except(forget, "retained");
    }

    public string Name { get; }

    public ClassifierModel Model { get; }

    public DataSet Train { get; }

    public Subset Forget { get; }

    /// <summary>All that the oracles were trained on.</summary>
    public Subset Retained { get; }

    public static UnlearningCase Load(string folder)
    {
        var parent = Path.GetDirectoryName(Path.GetFullPath(folder))!;
        using var images = NpzReader.Open(Path.Combine(parent, "train.npz"));
        using var split = NpzReader.Open(Path.Combine(folder, "split.npz"));
        var train = DataSet.From(
            images.Read("x"), split.Read("labels"), trueLabels: images.Read("y"), normalization: Pixels);
        var test = DataSet.Load(Path.Combine(parent, "test.npz"), new() { Normalization = Pixels });
        var oracles = new List<(string, float[], float[])>();
        foreach (var file in Directory.GetFiles(folder, "oracle-*.npz").Order(StringComparer.Ordinal))
        {
            using var logits = NpzReader.Open(file);
            oracles.Add((Path.GetFileNameWithoutExtension(file), logits.Read("train").ToSingles(), logits.Read("test").ToSingles()));
        }
        return new(
            Path.GetFileName(Path.GetFullPath(folder)), ClassifierModel.Load(Path.Combine(folder, "original.onnx"), null, null, train),
            train, test, train.Select(split.Read("forget").ToInt64s(), "forget"), oracles);
    }

    /// <summary>What a run with this seed may see, and what it is measured on.</summary>
    /// <param name="fraction">Share of the retained images that the method may use.</param>
    public UnlearningTrial Draw(double fraction, ulong seed)
    {
        var all = test.All("test");
        var holdout = all.Sample(HoldoutShare, seed, "holdout");
        var rest = all.Except(holdout, "test");
        var task = new UnlearningTask(
            Model.Forward, Model.Initial, Model.Classes, Forget, Retained.Sample(fraction, seed, "retained"), holdout, Train.Count, seed);
        var sets = new Dictionary<string, Subset>
        {
            [AuditSets.Retained] = Retained,
            [AuditSets.Forget] = Forget,
            [AuditSets.Test] = rest,
        };
        return new(task, sets, [.. oracles.Select(o => new OracleRecord(o.Name, OracleSummary(o, sets)))]);
    }

    ModelSummary OracleSummary((string Name, float[] Train, float[] Test) oracle, Dictionary<string, Subset> sets) =>
        ModelSummary.Of(new ModelOutputs(oracle.Name, sets.ToDictionary(s => s.Key, s => Outputs(s.Key, s.Value, take =>
        {
            var logits = s.Value.Data == Train ? oracle.Train : oracle.Test;
            foreach (var row in s.Value.Rows)
                take(logits.AsSpan(row * Model.Classes, Model.Classes));
        }))));

    /// <summary>What a model of this architecture answers on the sets of a trial.</summary>
    public ModelSummary Measure(string name, TensorBlock parameters, UnlearningTrial trial)
    {
        using var evaluator = Evaluator.Frozen(Model.Forward, parameters);
        return ModelSummary.Of(new ModelOutputs(name, trial.Sets.ToDictionary(s => s.Key, s =>
        {
            var source = SampleSource.Of(s.Value);
            return Outputs(s.Key, s.Value, take => evaluator.Logits(source.Count, source.FillFrom, (_, logits) => take(logits)));
        })));
    }

    SetOutputs Outputs(string name, Subset subset, Action<TakeSamples> measure)
    {
        var (trained, truth) = (new int[subset.Count], new int[subset.Count]);
        for (var i = 0; i < trained.Length; i++)
        {
            trained[i] = (int)subset.Data.Labels[subset.Rows[i]];
            truth[i] = (int)subset.Data.TrueLabels[subset.Rows[i]];
        }
        return new(name, Model.Classes, trained, trained.SequenceEqual(truth) ? null : truth, 1, measure);
    }

    public void Dispose() => Model.Dispose();
}

/// <summary>One draw of the retained share and the holdout of a case.</summary>
sealed record UnlearningTrial(UnlearningTask Task, IReadOnlyDictionary<string, Subset> Sets, IReadOnlyList<OracleRecord> Oracles);
