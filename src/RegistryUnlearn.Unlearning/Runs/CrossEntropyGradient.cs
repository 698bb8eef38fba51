using RegistryUnlearn.Onnx.Losses;
using RegistryUnlearn.Onnx.Steps;
using RegistryUnlearn.Training.Buffers;
using RegistryUnlearn.Training.Runtime;
using RegistryUnlearn.Unlearning.Data;
using RegistryUnlearn.Unlearning.Methods;

namespace RegistryUnlearn.Unlearning.Runs;

/// <summary>
/// Loss and gradient of the mean cross-entropy on batches of any size, from one graph; over all labelled positions of the batch where
/// samples have several.
/// </summary>
sealed class CrossEntropyGradient : IDisposable
{
    readonly GraphSession session;
    readonly TensorBlock parameters;
    readonly TensorBlock gradients;
    readonly Dictionary<int, BoundStep> steps = [];

    public CrossEntropyGradient(UnlearningTask task, TensorBlock parameters, TensorBlock gradients)
    {
        (this.parameters, this.gradients) = (parameters, gradients);
        session = new GraphSession(StepGraph.FirstOrder(task.Model, (g, prefix, logits) =>
            ClassificationLosses.CrossEntropy(g, task.Labelled(g, prefix, logits, "labels"), task.Classes)));
    }

    /// <summary>Writes the gradient at the present parameters and returns the loss.</summary>
    public float Run(DataSet data, ReadOnlySpan<int> rows)
    {
        var count = rows.Length;
        if (!steps.TryGetValue(count, out var step))
            steps[count] = step = new BoundStep(session, _ => count, parameters, gradients);
        data.Fill(rows, step["input"].Inputs, step["labels"].Longs);
        step.Run();
        return step.Scalar(StepGraph.Loss);
    }

    public void Dispose()
    {
        foreach (var step in steps.Values)
            step.Dispose();
        session.Dispose();
    }
}
