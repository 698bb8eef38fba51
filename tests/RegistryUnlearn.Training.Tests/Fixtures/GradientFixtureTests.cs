using RegistryUnlearn.Onnx.Graphs;
using RegistryUnlearn.Onnx.Losses;
using RegistryUnlearn.Onnx.Steps;
using RegistryUnlearn.Training.Buffers;
using RegistryUnlearn.Training.Runtime;
using RegistryUnlearn.Unlearning.Data;

namespace RegistryUnlearn.Training.Tests.Fixtures;

/// <summary>Loss, gradients and Hessian-vector products of whole networks against PyTorch.</summary>
public sealed class GradientFixtureTests
{
    // ReLU networks: one pre-activation of opposite sign within rounding moves the whole gradient, in PyTorch itself as well.
    [Theory]
    [InlineData("mlp", 1e-4)]
    [InlineData("cnn", 1e-3)]
    [InlineData("cnn_fused", 1e-3)]
    [InlineData("resnet", 1e-3)]
    [InlineData("vit", 1e-4)]
    [InlineData("textcnn", 1e-3)]
    public void Agrees_with_PyTorch(string name, double tolerance)
    {
        var folder = Fixture.Folder($"gradients/{name}");
        var reference = NpzReader.ReadAll(Path.Combine(folder, "reference.npz"));
        var path = Path.Combine(folder, "model.onnx");
        var model = Fixture.Model(path, reference.Keys.Where(k => k.StartsWith("grad/", StringComparison.Ordinal)).Select(k => k[5..]));
        var labels = reference["labels"].ToInt64s();
        var classes = reference["logits"].Shape[1];
        var graph = StepGraph.HessianVector(model, (g, prefix, logits) =>
            ClassificationLosses.CrossEntropy(g, logits, g.Input(prefix + "labels", TensorType.Int64("batch")), classes));

        using var session = new GraphSession(graph);
        using TensorBlock parameters = new(model.Parameters), gradients = new(model.Parameters);
        for (var i = 0; i < parameters.TensorCount; i++)
            Fixture.Values(path, model.Parameters[i].Name).CopyTo(parameters[i]);
        using var step = new BoundStep(session, _ => labels.Length, parameters, gradients);
        if (model.InputElement is Onnx.Proto.TensorProto.Types.DataType.Float)
            reference["input"].ToSingles().CopyTo(step["input"].Floats);
        else
            reference["input"].ToInt64s().CopyTo(step["input"].Longs);
        labels.CopyTo(step["labels"].Longs);
        foreach (var p in model.Parameters)
            reference.GetValueOrDefault("v/" + p.Name)?.ToSingles().CopyTo(step[StepGraph.Direction + p.Name].Floats);
        step.Run();

        Assert.Equal(reference["loss"].ToSingles()[0], step.Scalar(StepGraph.Loss), 1e-4);
        Assert.InRange(Fixture.RelativeError(step[StepGraph.Logits].Floats, reference["logits"].ToSingles()), 0, 1e-4);
        for (var i = 0; i < model.Parameters.Count; i++)
        {
            var parameter = model.Parameters[i].Name;
            Assert.InRange(Fixture.RelativeError(gradients[i], reference["grad/" + parameter].ToSingles()), 0, tolerance);
            if (reference.TryGetValue("hv/" + parameter, out var product))
                Assert.InRange(Fixture.RelativeError(step[StepGraph.Product + parameter].Floats, product.ToSingles()), 0, 1e-3);
        }
    }
}
