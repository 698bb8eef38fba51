using RegistryUnlearn.Auditing;
using RegistryUnlearn.Training.Buffers;
using RegistryUnlearn.Training.Evaluation;
using RegistryUnlearn.Unlearning.Data;

namespace RegistryUnlearn.Worker.Jobs;

/// <summary>Runs a model over the sets of an audit.</summary>
static class ModelMeasurement
{
    /// <summary>Logits above this many floats (128 MiB) are not kept.</summary>
    const long MostLogits = 1L << 25;

    /// <param name="keepLogits">Whether logits of the forget set and of unseen samples are kept, where they are few enough.</param>
    public static ModelOutputs Of(string name, PreparedJob job, TensorBlock parameters, bool keepLogits = true)
    {
        using var evaluator = Evaluator.Frozen(job.Model.Forward, parameters);
        var classes = job.Model.Classes;
        return new ModelOutputs(name, job.AuditSets.ToDictionary(s => s.Key, s => Outputs(s.Key, s.Value)));

        SetOutputs Outputs(string set, Subset subset)
        {
            var source = SampleSource.Of(subset);
            var size = source.LabelSize;
            var trained = Array.ConvertAll(source.Labels, label => (int)label);
            var truth = new int[trained.Length];
            for (var i = 0; i < truth.Length; i++)
                truth[i] = (int)subset.Data.TrueLabels[subset.Rows[i / size] * size + i % size];
            var keeps = keepLogits && set is not AuditSets.Retained && size == 1 && (long)trained.Length * classes <= MostLogits;
            return new SetOutputs(set, classes, trained, trained.SequenceEqual(truth) ? null : truth, size,
                take => evaluator.Logits(source.Count, source.FillFrom, (_, logits) => take(logits)), keeps);
        }
    }
}
