using System.Runtime.InteropServices;
using RegistryUnlearn.Onnx.Models;
using RegistryUnlearn.Onnx.Proto;
using RegistryUnlearn.Onnx.TrainingArtifacts;
using RegistryUnlearn.Worker.Artifacts;
using RegistryUnlearn.Worker.Models;

namespace RegistryUnlearn.Worker.Tests.Artifacts;

public sealed class TemporaryArtifactsTests : IDisposable
{
    readonly DirectoryInfo folder = Directory.CreateTempSubdirectory("registry-unlearn-model-");

    [Fact]
    public void Hold_what_a_training_session_reads_and_go_away()
    {
        var path = Path.Combine(folder.FullName, "model.onnx");
        ModelFile.Write(SmallNetworks.Of("mlp").Model, path);
        using var model = ClassifierModel.Load(path);
        using var artifacts = new TemporaryArtifacts(model);
        var files = artifacts.Files;
        var training = ModelProto.Parser.ParseFrom(File.ReadAllBytes(files.Training)).Graph;
        Assert.Contains(files.Samples, training.Input.Select(i => i.Name));
        Assert.Contains(files.Labels, training.Input.Select(i => i.Name));
        Assert.Equal(
            [files.Loss, .. model.Forward.Parameters.Select(p => OrtTrainingContract.GradientOutput + p.Name)],
            training.Output.Select(o => o.Name).Where(o => !OrtTrainingContract.IsGradientName(o)));
        Assert.NotEmpty(ModelProto.Parser.ParseFrom(File.ReadAllBytes(files.Evaluation)).Graph.Node);
        Assert.Equal("SGDOptimizerV2", Assert.Single(ModelProto.Parser.ParseFrom(File.ReadAllBytes(files.Optimizer)).Graph.Node).OpType);
        var stored = Checkpoint.Read(files.Checkpoint).Trainable;
        Assert.Equal(model.Forward.Parameters.Select(p => p.Name), stored.Select(t => t.Name));
        for (var i = 0; i < stored.Count; i++)
            Assert.Equal(model.Initial[i].ToArray(), MemoryMarshal.Cast<byte, float>(stored[i].Data.Span).ToArray());

        artifacts.Dispose();
        Assert.False(Directory.Exists(Path.GetDirectoryName(files.Checkpoint)));
    }

    public void Dispose() => folder.Delete(recursive: true);
}
