using System.Runtime.InteropServices;
using RegistryUnlearn.Onnx.Losses;
using RegistryUnlearn.Onnx.Models;
using RegistryUnlearn.Onnx.Steps;
using RegistryUnlearn.Onnx.TrainingArtifacts;
using RegistryUnlearn.Training.Buffers;
using RegistryUnlearn.Training.Runtime;
using RegistryUnlearn.Worker.Artifacts;
using RegistryUnlearn.Worker.Models;

namespace RegistryUnlearn.Worker.Tests.Artifacts;

public sealed class ArtifactImporterTests : IDisposable
{
    const int Batch = 4;

    readonly DirectoryInfo folder = Directory.CreateTempSubdirectory("registry-unlearn-import-");

    string this[string name] => Path.Combine(folder.FullName, name);

    [Fact]
    public void The_lowered_graph_gives_the_gradients_of_the_model_behind_it()
    {
        var report = Import();
        Assert.Equal(["conv.weight", "conv.bias", "fc.weight"], report.Trainable);
        Assert.Equal(["fc.bias"], report.Frozen);
        Assert.Equal(["ConvGrad", "MaxPoolGrad", "ReluGrad", "SoftmaxCrossEntropyLossGrad"], report.Lowered.Keys);

        var graph = ModelFile.Load(this["out/training_model.onnx"]).Model;
        Assert.All(graph.Graph.Node, n => Assert.Equal(n.OpType == "InPlaceAccumulatorV2" ? "com.microsoft" : "", n.Domain));
        using var model = ClassifierModel.Load(this["out/model.onnx"], null, new([], ["fc.bias"]));
        Assert.Equal(report.Trainable, model.Forward.Parameters.Select(p => p.Name));
        using TensorBlock ours = new(model.Forward.Parameters), theirs = new(model.Forward.Parameters);
        using var session = new GraphSession(StepGraph.FirstOrder(model.Forward, (g, prefix, logits) =>
            ClassificationLosses.CrossEntropy(g, logits, model.AddLabels(g, prefix + "labels", prefix + "batch"), model.Classes)));
        using var step = new BoundStep(session, _ => Batch, model.Initial, ours);
        using var imported = new GraphSession(graph);
        using var lowered = new BoundStep(imported, _ => Batch, [model.Initial.As(""), theirs.As(OrtTrainingContract.GradientOutput)]);
        Samples().CopyTo(step["input"].Floats);
        Labels.CopyTo(step["labels"].Longs);
        Samples().CopyTo(lowered["x"].Floats);
        Labels.CopyTo(lowered["target"].Longs);
        Checkpoint.Read(this["out/checkpoint"]).Frozen[0].Data.Span.CopyTo(MemoryMarshal.AsBytes(lowered["fc.bias"].Floats));
        step.Run();
        lowered.Run();
        Assert.Equal(step.Scalar(StepGraph.Loss), lowered.Scalar("loss"), 1e-6);
        for (var i = 0; i < ours.TensorCount; i++)
            Assert.Equal(ours[i].ToArray(), theirs[i].ToArray(), (a, b) => Math.Abs(a - b) <= 1e-6);
        Assert.Contains(ours[0].ToArray(), g => Math.Abs(g) > 1e-3);
    }

    [Fact]
    public async Task The_official_engine_trains_on_the_lowered_graph_as_on_the_generated_one()
    {
        TrainingEngine.Require();
        Import();
        foreach (var file in (string[])["eval_model.onnx", "optimizer_model.onnx"]) File.Copy(this["in/" + file], this["out/" + file]);
        Dictionary<string, EngineTensor> feeds = new()
        {
            ["x"] = EngineTensor.Of([Batch, 2, 4, 4], Samples()),
            ["target"] = EngineTensor.Of([Batch], Labels),
        };
        var results = await TrainingEngine.RunAsync(folder.FullName,
            [new(Train: this["in"], Steps: [feeds, feeds, feeds]), new(Train: this["out"], Steps: [feeds, feeds, feeds])]);
        Assert.All(results, r => Assert.Null(r.Error));
        for (var i = 0; i < results[0].Outputs!.Count; i++)
            Assert.Equal(
                Assert.Single(results[0].Outputs![i]["loss"].Floats()), Assert.Single(results[1].Outputs![i]["loss"].Floats()), 1e-6);
        Assert.Equal(results[0].Parameters!.Floats(), results[1].Parameters!.Floats(), (a, b) => Math.Abs(a - b) <= 1e-5);
    }

    [Fact]
    public void Takes_over_artifacts_of_its_own()
    {
        ModelFile.Write(SmallNetworks.Of("cnn").Model, this["model.onnx"]);
        ArtifactBuilder.Build(this["model.onnx"], this["in"], new());
        var report = ArtifactImporter.Import(this["in"], this["out"]);
        Assert.Empty(report.Lowered);
        using ClassifierModel before = ClassifierModel.Load(this["model.onnx"]), after = ClassifierModel.Load(this["out/model.onnx"]);
        Assert.Equal(before.Forward.Parameters.Select(p => p.Name), report.Trainable);
        Assert.Equal(before.Classes, after.Classes);
    }

    [Fact]
    public void Lists_every_operator_without_a_standard_form()
    {
        GeneratedArtifacts.Write(this["in"]);
        var model = ModelFile.Load(this["in/training_model.onnx"]).Model;
        foreach (var node in model.Graph.Node.Where(n => n.OpType is "ReluGrad" or "ConvGrad")) node.OpType = "LSTM" + node.OpType;
        ModelFile.Write(model, this["in/training_model.onnx"]);
        var error = Assert.Throws<OnnxModelException>(() => ArtifactImporter.Import(this["in"], this["out"])).Message;
        Assert.Contains("no standard form is known of operator com.microsoft.LSTMReluGrad (node 'convolved_grad_node'), "
            + "operator com.microsoft.LSTMConvGrad (node 'conv.bias_grad_node');", error);
        Assert.False(Directory.Exists(this["out"]));
    }

    ImportReport Import()
    {
        GeneratedArtifacts.Write(this["in"]);
        return ArtifactImporter.Import(this["in"], this["out"]);
    }

    static long[] Labels => [0, 2, 1, 2];

    static float[] Samples()
    {
        var random = new Random(11);
        return [.. Enumerable.Range(0, Batch * 32).Select(_ => random.NextSingle() * 2 - 1)];
    }

    public void Dispose() => folder.Delete(recursive: true);
}
