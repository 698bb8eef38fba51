using RegistryUnlearn.Auditing;
using RegistryUnlearn.Training.Buffers;
using RegistryUnlearn.Training.Evaluation;
using RegistryUnlearn.Unlearning.Data;

namespace RegistryUnlearn.Worker.Jobs;

/// <summary>Runs a model over the sets of an audit.</summary>
static class ModelMeasurement
{
    public static ModelSummary Of(string name, PreparedJob job, TensorBlock parameters)
    {
        using var evaluator = Evaluator.Frozen(job.Model.Forward, parameters);
        var classes = job.Model.Classes;
        return ModelSummary.Of(new ModelOutputs(name, job.AuditSets.ToDictionary(s => s.Key, s => Outputs(s.Key, s.Value))));

        SetOutputs Outputs(string set, Subset subset)
        {
            var source = SampleSource.Of(subset);
            var logits = new float[checked(source.Count * classes)];
            evaluator.Logits(source.Count, source.FillFrom, logits);
            var trained = new int[subset.Count];
            var truth = new int[subset.Count];
            for (var i = 0; i < trained.Length; i++)
                (trained[i], truth[i]) = ((int)subset.Data.Labels[subset.Rows[i]], (int)subset.Data.TrueLabels[subset.Rows[i]]);
            return new SetOutputs(set, logits, classes, trained, trained.SequenceEqual(truth) ? null : truth);
        }
    }
}
