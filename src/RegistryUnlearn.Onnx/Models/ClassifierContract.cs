using RegistryUnlearn.Onnx.Proto;
using static RegistryUnlearn.Onnx.Proto.TensorProto.Types;

namespace RegistryUnlearn.Onnx.Models;

/// <summary>What a model must offer to be treated as a classifier: one batch of samples in, one row of N x C logits per sample out.</summary>
/// <param name="InputName">The only input that is no initializer.</param>
/// <param name="InputType">FLOAT, FLOAT16, BFLOAT16 or DOUBLE; INT32 or INT64 for token indices.</param>
/// <param name="InputShape">Dimensions, the batch first; null where the model leaves them open.</param>
/// <param name="LogitsName">The logits: a graph output, or the inner value the caller named.</param>
/// <param name="LogitsType">FLOAT, FLOAT16, BFLOAT16 or DOUBLE.</param>
/// <param name="Classes">C, at least 2.</param>
/// <param name="FixedBatch">The batch size the model insists on; null if it takes any.</param>
public sealed record ClassifierContract(
    string InputName, DataType InputType, IReadOnlyList<long?> InputShape, string LogitsName, DataType LogitsType, int Classes, int? FixedBatch)
{
    /// <param name="model">The model.</param>
    /// <param name="logits">Name of the logits; null for the first graph output.</param>
    /// <exception cref="OnnxModelException">The model is no such classifier; the message says what it has instead.</exception>
    public static ClassifierContract Find(ModelFile model, string? logits = null)
    {
        var graph = model.Model.Graph;
        var (input, inputShape) = FindInput(model, graph);
        if (graph.Output.Count == 0) throw new OnnxModelException(model.Path, "graph", "has no output", "Export the model with its logits as output");
        var name = logits ?? graph.Output[0].Name;
        var path = new ValuePath(graph);
        if (path.ProbabilitiesBefore(name) is var (scores, kind))
            throw new OnnxModelException(model.Path, $"output '{name}'", $"gives probabilities (it ends in {kind}), not logits", $"Name '{scores}' as the logits");

        var (type, shape) = path.Describe(name) ?? throw new OnnxModelException(model.Path, $"output '{name}'",
            path.Exists(name) ? "has no recorded type and shape" : $"is not a value of the model, whose outputs are {string.Join(", ", graph.Output.Select(o => $"'{o.Name}'"))}",
            path.Exists(name) ? "Run ONNX shape inference on the model first" : "Name one of the model's values");
        if (!ElementTypes.IsFloat(type) || shape.Length != 2)
            throw new OnnxModelException(model.Path, $"output '{name}'",
                $"is {ElementTypes.NameOf(type)} [{Format(shape)}], not float N x C logits", $"Name the logits; the outputs are {string.Join(", ", graph.Output.Select(o => $"'{o.Name}'"))}");
        if (shape[1] is not { } classes)
            throw new OnnxModelException(model.Path, $"output '{name}'", "leaves the number of classes open", "Export the model with only the batch dimension dynamic");
        if (classes is < 2 or > int.MaxValue)
            throw new OnnxModelException(model.Path, $"output '{name}'", $"has {classes} classes", "Logits need at least two columns; export a binary model with two");
        if (inputShape[0] is { } batch && shape[0] is { } rows && batch != rows)
            throw new OnnxModelException(model.Path, $"output '{name}'", $"has {rows} rows for {batch} samples", "Name an output with one row per sample");
        return new(input.Name, (DataType)input.Type.TensorType.ElemType, inputShape, name, type, (int)classes, (int?)inputShape[0]);
    }

    static (ValueInfoProto Input, long?[] Shape) FindInput(ModelFile model, GraphProto graph)
    {
        var initializers = graph.Initializer.Select(i => i.Name).Concat(graph.SparseInitializer.Select(s => s.Values?.Name ?? "")).ToHashSet(StringComparer.Ordinal);
        var inputs = graph.Input.Where(i => !initializers.Contains(i.Name)).ToList();
        if (inputs.Count != 1)
            throw new OnnxModelException(model.Path, "graph", $"has {inputs.Count} inputs{(inputs.Count > 0 ? " (" + string.Join(", ", inputs.Select(i => $"'{i.Name}'")) + ")" : "")}, a classifier has one",
                "Export the model with its samples as only input and everything else fixed");
        var element = $"input '{inputs[0].Name}'";
        if (ValuePath.Describe(inputs[0]) is not var (type, shape))
            throw new OnnxModelException(model.Path, element, "is not a tensor of recorded type and shape", "Run ONNX shape inference on the model first");
        if (!ElementTypes.IsFloat(type) && type is not (DataType.Int32 or DataType.Int64))
            throw new OnnxModelException(model.Path, element, $"is {ElementTypes.NameOf(type)}", "Export the model with float samples, or INT32 or INT64 token indices");
        if (shape.Length < 2)
            throw new OnnxModelException(model.Path, element, $"has shape [{Format(shape)}]", "Export the model with a batch dimension before the sample's own");
        if (shape[0] > int.MaxValue)
            throw new OnnxModelException(model.Path, element, $"fixes the batch to {shape[0]}", "Export the model with a dynamic batch dimension");
        return (inputs[0], shape);
    }

    static string Format(long?[] shape) => string.Join(", ", shape.Select(d => d?.ToString() ?? "?"));
}
