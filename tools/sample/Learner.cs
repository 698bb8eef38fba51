using RegistryUnlearn.Auditing;
using RegistryUnlearn.Training.Buffers;
using RegistryUnlearn.Training.Evaluation;
using RegistryUnlearn.Unlearning.Data;
using RegistryUnlearn.Unlearning.Methods;
using RegistryUnlearn.Unlearning.Methods.Train;

namespace RegistryUnlearn.SampleMaker;

/// <summary>Trains models on the sample's data and measures them.</summary>
sealed class Learner(DataSet train, DataSet holdout, DataSet test)
{
    public Subset All { get; } = train.All("training");

    public Subset Forget(IReadOnlyList<string> ids) => train.Select(ids, AuditSets.Forget);

    /// <summary>Trains from scratch by <see cref="Choices.Recipe"/>; the seed decides initialisation and batches.</summary>
    public static TensorBlock Train(Subset samples, ulong seed)
    {
        using var initial = DigitsModel.Initial(seed);
        var task = new UnlearningTask(
            DigitsModel.Forward(initial), initial, Digit.Classes, Forget: null, samples, Holdout: null, samples.Count, seed);
        using var run = new TrainMethod().Start(task, Choices.Recipe);
        while (!run.IsDone)
            run.Advance();
        return run.Result.Clone();
    }

    /// <summary>What a model answers on the sets of an audit.</summary>
    public ModelOutputs Measure(string name, TensorBlock weights, Subset forget)
    {
        using var evaluator = Evaluator.Frozen(DigitsModel.Forward(weights), weights);
        return new(name, new Dictionary<string, SetOutputs>
        {
            [AuditSets.Retained] = Answers(evaluator, AuditSets.Retained, All.Except(forget, AuditSets.Retained)),
            [AuditSets.Forget] = Answers(evaluator, AuditSets.Forget, forget),
            [AuditSets.Test] = Answers(evaluator, AuditSets.Test, test.All(AuditSets.Test)),
            [AuditSets.Holdout] = Answers(evaluator, AuditSets.Holdout, holdout.All(AuditSets.Holdout)),
        });
    }

    static SetOutputs Answers(Evaluator evaluator, string name, Subset samples)
    {
        var source = SampleSource.Of(samples);
        var logits = new float[source.Count * Digit.Classes];
        evaluator.Logits(source.Count, source.FillFrom, logits);
        int[] truth = [.. samples.Rows.ToArray().Select(row => (int)samples.Data.TrueLabels[row])];
        return new(name, logits, Digit.Classes, [.. source.Labels.Select(label => (int)label)], truth);
    }
}
