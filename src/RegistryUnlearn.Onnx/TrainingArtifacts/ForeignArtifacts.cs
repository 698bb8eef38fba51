using RegistryUnlearn.Onnx.Models;
using RegistryUnlearn.Onnx.Proto;

namespace RegistryUnlearn.Onnx.TrainingArtifacts;

/// <summary>Training artifacts that another tool made, such as ONNX Runtime's own generator, in standard operators.</summary>
/// <param name="Training">
/// As this product's own training graph: the loss, and gradients as outputs <c>gradof::{parameter}</c>. Runs on stock ONNX Runtime.
/// </param>
/// <param name="Classifier">The model behind the loss, with the checkpoint's values as initializers: samples in, logits out.</param>
/// <param name="Lowered">Training-only operators that were replaced, and how many of each.</param>
public sealed record ForeignArtifacts(
    ModelProto Training, ModelProto Classifier, Checkpoint Checkpoint, IReadOnlyDictionary<string, int> Lowered)
{
    /// <param name="folder">Holds training_model.onnx and checkpoint, and perhaps eval_model.onnx.</param>
    /// <exception cref="OnnxModelException">
    /// A file is damaged, or an operator has no standard form; the message lists all of these.
    /// </exception>
    public static ForeignArtifacts Read(string folder)
    {
        var checkpoint = Checkpoint.Read(Path.Combine(folder, "checkpoint"));
        if (checkpoint.Trainable.FirstOrDefault(t => t.Type is not TensorProto.Types.DataType.Float) is { } other)
            throw new OnnxModelException(Path.Combine(folder, "checkpoint"), $"tensor '{other.Name}'",
                $"is trainable and {other.Type}", "Generate the artifacts in float32");
        var training = ModelFile.Load(Path.Combine(folder, "training_model.onnx"));
        var evaluation = Path.Combine(folder, "eval_model.onnx") is var path && File.Exists(path) ? ModelFile.Load(path) : training;
        var lowered = new SortedDictionary<string, int>(StringComparer.Ordinal);
        return new(
            OnnxModelException.In(training.Path, () => ForeignGraph.Training(training, checkpoint, lowered)),
            OnnxModelException.In(evaluation.Path, () => ForeignGraph.Classifier(evaluation, checkpoint)), checkpoint, lowered);
    }
}
