using RegistryUnlearn.Onnx.Gradients;
using RegistryUnlearn.Onnx.Graphs;
using RegistryUnlearn.Onnx.Losses;
using RegistryUnlearn.Onnx.Models;
using RegistryUnlearn.Onnx.Proto;
using RegistryUnlearn.Onnx.TrainingArtifacts;
using RegistryUnlearn.Worker.Models;

namespace RegistryUnlearn.Worker.Artifacts;

/// <summary>
/// The graphs of a model's training artifacts, of standard ONNX operators and the accumulation of gradients: parameters are inputs under
/// their own names; everything else is named by <see cref="OrtTrainingContract"/>.
/// </summary>
static class ArtifactGraphs
{
    public const string Labels = "labels";
    public const string Loss = "loss";
    public const string BatchSymbol = "batch";

    /// <summary>Mean cross-entropy, its gradients and their accumulation.</summary>
    public static ModelProto Training(ClassifierModel model)
    {
        var (g, parameters, _, loss) = Forward(model);
        var differentiator = new Differentiator(g);
        var gradients = differentiator.Gradients(loss, parameters);
        differentiator.Refresh();
        g.Output(Loss, loss, TensorType.Float());
        OrtTrainingContract.AddAccumulation(g, model.Forward.Parameters, gradients);
        return OrtTrainingContract.Finish(g);
    }

    /// <summary>Mean cross-entropy and the logits under the model's own name.</summary>
    public static ModelProto Evaluation(ClassifierModel model)
    {
        var (g, parameters, logits, loss) = Forward(model);
        var differentiator = new Differentiator(g);
        if (g.Opset > OrtTrainingContract.NewestOpset) differentiator.Decompose(loss, parameters);
        differentiator.Refresh();
        g.Output(Loss, loss, TensorType.Float());
        g.Output(model.Contract.LogitsName, logits, differentiator.Types[logits.Name]);
        return OrtTrainingContract.Finish(g);
    }

    /// <summary>Refuses names that the artifacts' own contract gives another meaning.</summary>
    /// <exception cref="OnnxModelException">A name is taken twice, or reads as that of a gradient.</exception>
    public static void RequireUsableNames(ClassifierModel model)
    {
        const string remedy = "Rename it in the model, or exclude the parameter";
        string[] parameters = [.. model.Forward.Parameters.Select(p => p.Name)];
        var derived = parameters.SelectMany(p => (string[])
        [
            p + OrtTrainingContract.GradientSuffix, p + OrtTrainingContract.BufferSuffix, p + OrtTrainingContract.AccumulatedSuffix,
            OrtTrainingContract.GradientOutput + p,
        ]);
        string[] all = [model.Contract.InputName, Labels, Loss, OrtTrainingContract.ResetFlag, model.Contract.LogitsName,
            .. parameters, .. derived];
        if (all.GroupBy(n => n).FirstOrDefault(n => n.Count() > 1) is { } twice)
            throw new OnnxModelException(model.File.Path, $"value '{twice.Key}'",
                "has a name that the training artifacts use for something else", remedy);
        var user = new[] { model.Contract.InputName, model.Contract.LogitsName }.Concat(parameters);
        if (user.FirstOrDefault(OrtTrainingContract.IsGradientName) is { } misread)
            throw new OnnxModelException(model.File.Path, $"value '{misread}'", "reads as a gradient to ONNX Runtime Training", remedy);
    }

    static (GraphBuilder Graph, Value[] Parameters, Value Logits, Value Loss) Forward(ClassifierModel model)
    {
        var g = model.Forward.NewGraph();
        var samples = model.Forward.AddInput(g, model.Contract.InputName, BatchSymbol);
        var labels = model.AddLabels(g, Labels, BatchSymbol);
        var parameters = model.Forward.AddParameterInputs(g);
        var logits = model.Forward.Append(g, "model/", samples, parameters);
        return (g, parameters, logits, ClassificationLosses.CrossEntropy(g, logits, labels, model.Contract.Classes));
    }
}
