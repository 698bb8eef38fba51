using RegistryUnlearn.Onnx.Losses;
using RegistryUnlearn.Onnx.Steps;
using RegistryUnlearn.Training.Buffers;
using RegistryUnlearn.Training.Engines;
using RegistryUnlearn.Unlearning.Data;
using RegistryUnlearn.Unlearning.Methods;

namespace RegistryUnlearn.Unlearning.Runs;

/// <summary>Changes the labels of a batch.</summary>
delegate void ChangeLabels(Span<long> labels);

/// <summary>
/// Loss and gradient of the mean cross-entropy on batches of any size, by the task's engine; over all labelled positions of the batch
/// where samples have several.
/// </summary>
sealed class CrossEntropyGradient(UnlearningTask task, TensorBlock parameters, TensorBlock gradients) : IDisposable
{
    readonly IGradientEngine engine = task.Engine?.Invoke(parameters, gradients) ?? new PortableEngine(
        StepGraph.FirstOrder(task.Model, (g, prefix, logits) =>
            ClassificationLosses.CrossEntropy(g, task.Labelled(g, prefix, logits, "labels"), task.Classes)),
        parameters, gradients);

    /// <summary>Writes the gradient at the present parameters and returns the loss.</summary>
    public float Run(DataSet data, ReadOnlySpan<int> rows)
    {
        data.Fill(rows, engine.Inputs(rows.Length), engine.Labels(rows.Length));
        return engine.Run(rows.Length);
    }

    /// <summary>As for the other; with labels of the caller's choice in the place of the samples' own.</summary>
    /// <param name="relabel">Takes the labels of the batch, [rows, P].</param>
    public float Run(DataSet data, ReadOnlySpan<int> rows, ChangeLabels relabel)
    {
        var labels = engine.Labels(rows.Length);
        data.Fill(rows, engine.Inputs(rows.Length), labels);
        relabel(labels);
        return engine.Run(rows.Length);
    }

    public void Dispose() => engine.Dispose();
}
