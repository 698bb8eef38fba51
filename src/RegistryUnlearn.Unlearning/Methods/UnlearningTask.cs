using RegistryUnlearn.Onnx.Graphs;
using RegistryUnlearn.Onnx.Losses;
using RegistryUnlearn.Training.Buffers;
using RegistryUnlearn.Training.Devices;
using RegistryUnlearn.Training.Engines;
using RegistryUnlearn.Unlearning.Data;

namespace RegistryUnlearn.Unlearning.Methods;

/// <summary>What a method works on. It sees no sample outside these sets.</summary>
/// <param name="Original">θ₀, the parameters before the first step, in the host's memory; never changed.</param>
/// <param name="Classes">C, the number of columns of the logits.</param>
/// <param name="Forget">The samples to forget, with the labels that the model was trained on; null only for training.</param>
/// <param name="Retained">The part of the retained data that the method may use.</param>
/// <param name="Holdout">Samples that were never trained on, if the owner has any.</param>
/// <param name="TrainingCount">Samples that the original was trained on, if known.</param>
/// <param name="Seed">Decides every random choice.</param>
public sealed record UnlearningTask(
    ForwardModel Model, TensorBlock Original, int Classes, Subset? Forget, Subset Retained, Subset? Holdout, int? TrainingCount, ulong Seed)
{
    /// <value>
    /// Computes the gradients of the mean cross-entropy for methods that need no others; null for graphs of this product's own.
    /// </value>
    public GradientEngineFactory? Engine { get; init; }

    /// <value>Where parameters, gradients and the optimizer's state are and steps run; by default the device of the process.</value>
    public ExecutionDevice Device { get; init; } = ExecutionDevice.Current;

    /// <summary>Declares the labels of a batch under its prefix and puts them beside its logits.</summary>
    internal LabelledLogits Labelled(GraphBuilder g, string prefix, Value logits, string name) => new(
        g, Model.Layout, logits, Model.Layout.AddLabels(g, prefix + name, g.Inputs[prefix + "input"].Shape[0]), Classes);

    /// <summary>The batch size to use where a method asks for this one: the model's own if it insists.</summary>
    public int Batch(int asked) => (int)(Model.FixedBatch ?? asked);
}
