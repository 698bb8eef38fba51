using RegistryUnlearn.Onnx.Models;
using RegistryUnlearn.Onnx.Proto;
using RegistryUnlearn.Onnx.TrainingArtifacts;
using RegistryUnlearn.Training.Engines;
using RegistryUnlearn.Worker.Models;

namespace RegistryUnlearn.Worker.Artifacts;

/// <summary>A loaded model's training artifacts in a folder that goes away with this object.</summary>
sealed class TemporaryArtifacts : IDisposable
{
    readonly DirectoryInfo folder;

    /// <exception cref="OnnxModelException">The model has no training artifacts.</exception>
    public TemporaryArtifacts(ClassifierModel model)
    {
        ArtifactGraphs.RequireUsableNames(model);
        folder = Directory.CreateTempSubdirectory("registry-unlearn-artifacts-");
        try
        {
            Files = new(
                this[ArtifactBuilder.CheckpointFile], Write(ArtifactBuilder.TrainingFile, ArtifactGraphs.Training(model)),
                Write(ArtifactBuilder.EvaluationFile, ArtifactGraphs.Evaluation(model)),
                Write(ArtifactBuilder.OptimizerFile, OptimizerGraph.Build(OrtOptimizer.Sgd)),
                model.Contract.InputName, ArtifactGraphs.Labels, ArtifactGraphs.Loss);
            ArtifactBuilder.Parameters(model).Write(Files.Checkpoint);
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    public OrtTrainingFiles Files { get; }

    string this[string name] => Path.Combine(folder.FullName, name);

    string Write(string name, ModelProto graph)
    {
        ModelFile.Write(graph, this[name]);
        return this[name];
    }

    public void Dispose()
    {
        if (Directory.Exists(folder.FullName)) folder.Delete(recursive: true);
    }
}
