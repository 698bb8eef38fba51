using RegistryUnlearn.Onnx.Graphs;
using RegistryUnlearn.Onnx.Losses;
using RegistryUnlearn.Onnx.Models;
using RegistryUnlearn.Onnx.Steps;
using RegistryUnlearn.Training.Buffers;
using RegistryUnlearn.Training.Runtime;
using RegistryUnlearn.Unlearning.Data;
using RegistryUnlearn.Worker.Files;
using RegistryUnlearn.Worker.Models;

namespace RegistryUnlearn.Worker.Inspection;

/// <summary>What <see cref="GradientInspection"/> found.</summary>
/// <param name="Loss">Mean cross-entropy of the batch, over all labelled positions where samples have several.</param>
/// <param name="Samples">N.</param>
/// <param name="SecondOrder">Whether Hessian-vector products were computed.</param>
/// <param name="Parameters">What is trained, with the norm of its gradient.</param>
/// <param name="Frozen">Stored float tensors that are not trained, and why.</param>
/// <param name="Notes">What a reader should know, in sentences.</param>
public sealed record GradientReport(
    float Loss, int Samples, bool SecondOrder, IReadOnlyList<InspectedParameter> Parameters,
    IReadOnlyList<InspectedFrozen> Frozen, IReadOnlyList<string> Notes, string Out);

/// <param name="Why">Where the parameter was recognised, such as "input 1 of Conv '/conv1'".</param>
/// <param name="GradientNorm">‖∂loss/∂p‖.</param>
public sealed record InspectedParameter(string Name, IReadOnlyList<long> Shape, string Why, double GradientNorm);

public sealed record InspectedFrozen(string Name, IReadOnlyList<long> Shape, string Why);

/// <summary>Loss, logits, gradients and, for given directions, Hessian-vector products of a model on one batch.</summary>
public static class GradientInspection
{
    const string Directions = "v/";

    /// <param name="batchPath">Arrays <c>input</c>, <c>labels</c> and, where wanted, <c>v/{parameter}</c>; others are ignored.</param>
    /// <param name="outPath">Receives <c>loss</c>, <c>logits</c>, <c>grad/{parameter}</c>, <c>hv/{parameter}</c>.</param>
    /// <exception cref="InputException">Something in the batch does not fit the model.</exception>
    /// <exception cref="OnnxModelException">The model cannot be trained here.</exception>
    /// <exception cref="DataException">The batch cannot be read.</exception>
    public static GradientReport Run(string modelPath, string batchPath, string outPath, LogitChoice logits, ParameterPatterns? patterns)
    {
        Staging.RequireOtherThan(outPath, [modelPath, batchPath]);
        using var file = NpzReader.Open(batchPath);
        using var model = ClassifierModel.Load(modelPath, logits, patterns, SampleShape("input"), SampleShape("labels"));
        var notes = new List<string>();
        var errors = new List<string>();
        var reader = new BatchReader(file, errors);
        var batch = reader.Batch("", model);
        var directions = ReadDirections(file, reader, model, errors, notes);
        if (batch is null || errors.Count > 0) throw new InputException(batchPath, errors);

        using var session = OnnxModelException.In(modelPath, () => new GraphSession(Graph(model, directions.Count > 0)));
        using var gradients = new TensorBlock(model.Forward.Parameters);
        using var step = new BoundStep(session, _ => batch.Count, model.Initial, gradients);
        batch.CopyTo(step, "");
        foreach (var (name, direction) in directions)
            direction.Values<float>().CopyTo(step[StepGraph.Direction + name].Floats);
        Batch.Run(step, batchPath);

        Staging.WriteFile(outPath, [modelPath, batchPath], stream => Write(stream, step, model.Forward, gradients, directions.Count > 0));
        var loss = step.Scalar(StepGraph.Loss);
        if (!float.IsFinite(loss)) notes.Add("The loss is not finite: the model overflows on this batch.");
        return new(loss, batch.Count, directions.Count > 0,
            [.. model.Selection.Trainable.Select((p, i) => new InspectedParameter(p.Name, p.Shape, p.Why, Norm(gradients[i])))],
            [.. model.Selection.Frozen.Select(f => new InspectedFrozen(f.Name, f.Tensor.Shape, f.Why))], notes, outPath);

        long[]? SampleShape(string name) => file.Find(name)?.Shape.Skip(1).ToArray();
    }

    static Onnx.Proto.ModelProto Graph(ClassifierModel model, bool secondOrder)
    {
        BatchLoss loss = (g, prefix, logits) => ClassificationLosses.CrossEntropy(
            g, model.Labelled(g, logits, model.AddLabels(g, prefix + "labels", prefix + "batch")), model.Classes);
        return secondOrder ? StepGraph.HessianVector(model.Forward, loss) : StepGraph.FirstOrder(model.Forward, loss);
    }

    static Dictionary<string, NpyArray> ReadDirections(
        NpzReader file, BatchReader reader, ClassifierModel model, List<string> errors, List<string> notes)
    {
        var directions = new Dictionary<string, NpyArray>(StringComparer.Ordinal);
        var given = file.Names.Where(n => n.StartsWith(Directions, StringComparison.Ordinal))
            .Select(n => n[Directions.Length..]).ToHashSet();
        foreach (var parameter in model.Forward.Parameters.Where(p => given.Contains(p.Name)))
            if (reader.Floats(Directions + parameter.Name, parameter.Shape) is { } direction) directions[parameter.Name] = direction;
        var missing = model.Forward.Parameters.Where(p => !given.Contains(p.Name)).Select(p => $"'{p.Name}'").ToList();
        if (given.Count > 0 && missing.Count > 0 && missing.Count < model.Forward.Parameters.Count)
            notes.Add($"No direction is given for {string.Join(", ", missing)}: zeros are used.");
        var names = model.Forward.Parameters.Select(p => p.Name).ToList();
        foreach (var name in given.Except(names).Order(StringComparer.Ordinal))
        {
            if (model.Selection.Frozen.Any(f => f.Name == name))
                notes.Add($"The direction for '{name}' is ignored: it is not trained.");
            else
                errors.Add($"array '{Directions}{name}' names no parameter of the model; "
                    + $"name one of {string.Join(", ", names.Select(n => $"'{n}'"))}");
        }
        return directions;
    }

    static void Write(Stream stream, BoundStep step, ForwardModel model, TensorBlock gradients, bool secondOrder)
    {
        using var npz = new NpzWriter(stream, leaveOpen: true);
        npz.Add<float>("loss", [], step[StepGraph.Loss].Floats);
        npz.Add<float>("logits", step[StepGraph.Logits].Shape, step[StepGraph.Logits].Floats);
        for (var i = 0; i < model.Parameters.Count; i++)
            npz.Add<float>("grad/" + model.Parameters[i].Name, [.. model.Parameters[i].Shape], gradients[i]);
        foreach (var parameter in secondOrder ? model.Parameters : [])
            npz.Add<float>("hv/" + parameter.Name, [.. parameter.Shape], step[StepGraph.Product + parameter.Name].Floats);
    }

    static double Norm(ReadOnlySpan<float> values)
    {
        var sum = 0.0;
        foreach (var value in values) sum += (double)value * value;
        return Math.Sqrt(sum);
    }
}
