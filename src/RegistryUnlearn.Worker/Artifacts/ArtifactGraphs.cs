using RegistryUnlearn.Onnx.Gradients;
using RegistryUnlearn.Onnx.Graphs;
using RegistryUnlearn.Onnx.Losses;
using RegistryUnlearn.Onnx.Models;
using RegistryUnlearn.Onnx.Proto;
using RegistryUnlearn.Worker.Models;

namespace RegistryUnlearn.Worker.Artifacts;

/// <summary>
/// The graphs of a model's training artifacts, of standard ONNX operators only, named as ONNX Runtime Training names them: parameters are
/// inputs under their own names, the gradient of parameter p is <c>{p}_grad</c>.
/// </summary>
static class ArtifactGraphs
{
    public const string Labels = "labels";
    public const string Loss = "loss";
    public const string GradientSuffix = "_grad";
    public const string BatchSymbol = "batch";

    // ONNX Runtime Training takes every input and output that ends so for a gradient.
    static readonly string[] GradientSuffixes = [GradientSuffix, "_grad.accumulation.buffer", "_grad.accumulation.out"];

    /// <summary>Mean cross-entropy and its gradients.</summary>
    public static ModelProto Training(ClassifierModel model)
    {
        var (g, parameters, _, loss) = Forward(model);
        var differentiator = new Differentiator(g);
        var gradients = differentiator.Gradients(loss, parameters);
        differentiator.Refresh();
        g.Output(Loss, loss);
        for (var i = 0; i < gradients.Length; i++)
            g.Output(model.Forward.Parameters[i].Name + GradientSuffix, gradients[i], model.Forward.Parameters[i].Type);
        return g.Build();
    }

    /// <summary>Mean cross-entropy and the logits under the model's own name.</summary>
    public static ModelProto Evaluation(ClassifierModel model)
    {
        var (g, _, logits, loss) = Forward(model);
        var types = new TypeOracle();
        types.Update(g);
        g.Output(Loss, loss);
        g.Output(model.Contract.LogitsName, logits, types[logits.Name]);
        return g.Build();
    }

    /// <summary>Refuses names that the artifacts' own contract gives another meaning.</summary>
    /// <exception cref="OnnxModelException">A name is taken twice, or reads as that of a gradient.</exception>
    public static void RequireUsableNames(ClassifierModel model)
    {
        const string remedy = "Rename it in the model, or exclude the parameter";
        string[] parameters = [.. model.Forward.Parameters.Select(p => p.Name)];
        string[] gradients = [.. parameters.Select(p => p + GradientSuffix)];
        string[] all = [model.Contract.InputName, Labels, Loss, model.Contract.LogitsName, .. parameters, .. gradients];
        if (all.GroupBy(n => n).FirstOrDefault(n => n.Count() > 1) is { } twice)
            throw new OnnxModelException(model.File.Path, $"value '{twice.Key}'",
                "has a name that the training artifacts use for something else", remedy);
        var user = new[] { model.Contract.InputName, model.Contract.LogitsName }.Concat(parameters);
        if (user.FirstOrDefault(n => GradientSuffixes.Any(s => n.EndsWith(s, StringComparison.Ordinal))) is { } misread)
            throw new OnnxModelException(model.File.Path, $"value '{misread}'", "reads as a gradient to ONNX Runtime Training", remedy);
    }

    static (GraphBuilder Graph, Value[] Parameters, Value Logits, Value Loss) Forward(ClassifierModel model)
    {
        var g = model.Forward.NewGraph();
        var samples = model.Forward.AddInput(g, model.Contract.InputName, BatchSymbol);
        var labels = model.AddLabels(g, Labels, BatchSymbol);
        var parameters = model.Forward.AddParameterInputs(g);
        var logits = model.Forward.Append(g, "model/", samples, parameters);
        var batch = model.Labelled(g, model.Forward.Layout.Arrange(g, logits), labels);
        return (g, parameters, logits, ClassificationLosses.CrossEntropy(g, batch, model.Classes));
    }
}
