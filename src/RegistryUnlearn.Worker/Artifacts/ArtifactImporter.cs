using RegistryUnlearn.Onnx.Models;
using RegistryUnlearn.Onnx.TrainingArtifacts;
using RegistryUnlearn.Worker.Files;

namespace RegistryUnlearn.Worker.Artifacts;

/// <summary>What <see cref="ArtifactImporter"/> wrote.</summary>
/// <param name="Trainable">Parameters that the checkpoint trains.</param>
/// <param name="Frozen">Parameters that it does not; exclude them when the model is trained further.</param>
/// <param name="Lowered">Training-only operators that were replaced, and how many of each.</param>
public sealed record ImportReport(
    string Model, string Training, IReadOnlyList<string> Trainable, IReadOnlyList<string> Frozen, IReadOnlyDictionary<string, int> Lowered);

/// <summary>
/// Turns training artifacts of ONNX Runtime's own generator into a model of this product and a training graph of standard operators.
/// </summary>
public static class ArtifactImporter
{
    const string ModelFileName = "model.onnx";

    /// <param name="folder">Holds training_model.onnx and checkpoint, and perhaps eval_model.onnx.</param>
    /// <param name="outFolder">Absent or empty.</param>
    /// <exception cref="InputException">The folder holds something already.</exception>
    /// <exception cref="OnnxModelException">The artifacts are damaged, or use operators without a standard form.</exception>
    public static ImportReport Import(string folder, string outFolder)
    {
        if (File.Exists(outFolder) || (Directory.Exists(outFolder) && Directory.EnumerateFileSystemEntries(outFolder).Any()))
            throw new InputException(outFolder, "is not an empty folder; name a new one");
        var artifacts = ForeignArtifacts.Read(folder);
        var partial = Staging.PartialOf(Path.TrimEndingDirectorySeparator(outFolder));
        try
        {
            Staging.Writing(outFolder, () => Directory.CreateDirectory(partial));
            ModelFile.Write(artifacts.Training, Path.Combine(partial, ArtifactBuilder.TrainingFile));
            ModelFile.Write(artifacts.Classifier, Path.Combine(partial, ModelFileName));
            Staging.Writing(outFolder, () =>
            {
                artifacts.Checkpoint.Write(Path.Combine(partial, ArtifactBuilder.CheckpointFile));
                if (Directory.Exists(outFolder)) Directory.Delete(outFolder);
                Directory.Move(partial, Path.GetFullPath(outFolder));
            });
        }
        finally
        {
            if (Directory.Exists(partial)) Directory.Delete(partial, recursive: true);
        }
        return new(
            Path.Combine(outFolder, ModelFileName), Path.Combine(outFolder, ArtifactBuilder.TrainingFile),
            [.. artifacts.Checkpoint.Trainable.Select(t => t.Name)], [.. artifacts.Checkpoint.Frozen.Select(t => t.Name)],
            artifacts.Lowered);
    }
}
