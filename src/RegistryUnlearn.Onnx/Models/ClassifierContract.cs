using RegistryUnlearn.Onnx.Proto;
using static RegistryUnlearn.Onnx.Proto.TensorProto.Types;

namespace RegistryUnlearn.Onnx.Models;

/// <summary>What a model must offer to be treated as a classifier: one batch of samples in, logits over classes per sample out.</summary>
/// <param name="InputName">The only input that is no initializer.</param>
/// <param name="InputType">FLOAT, FLOAT16, BFLOAT16 or DOUBLE; INT32 or INT64 for token indices.</param>
/// <param name="InputShape">Dimensions, the batch first; null where the model leaves them open.</param>
/// <param name="LogitsName">The logits: a graph output, or the inner value the caller named.</param>
/// <param name="LogitsType">FLOAT, FLOAT16, BFLOAT16 or DOUBLE.</param>
/// <param name="LogitsShape">
/// Dimensions, the batch first; null where the model leaves them open. N×C for one row per sample; more where every position of a sample
/// (word, pixel) has a row of its own: <see cref="LogitChoice"/> says along which axis.
/// </param>
/// <param name="FixedBatch">The batch size the model insists on; null if it takes any.</param>
public sealed record ClassifierContract(
    string InputName, DataType InputType, IReadOnlyList<long?> InputShape,
    string LogitsName, DataType LogitsType, IReadOnlyList<long?> LogitsShape, int? FixedBatch)
{
    /// <param name="model">The model.</param>
    /// <param name="logits">Name of the logits; null for the first output of floats with a batch and another axis.</param>
    /// <exception cref="OnnxModelException">The model is no such classifier; the message says what it has instead.</exception>
    public static ClassifierContract Find(ModelFile model, string? logits = null)
    {
        var graph = model.Model.Graph;
        var (input, inputType, inputShape) = FindInput(model.Path, graph);
        if (graph.Output.Count == 0)
            throw new OnnxModelException(model.Path, "graph", "has no output", "Export the model with its logits as output");
        var name = logits ?? (graph.Output.FirstOrDefault(CanBeLogits) ?? graph.Output[0]).Name;
        var (type, shape) = FindLogits(model.Path, graph, name);
        if (inputShape[0] is { } batch && shape[0] is { } rows && batch != rows)
            throw new OnnxModelException(model.Path, $"output '{name}'", $"has {rows} rows for {batch} samples",
                "Name an output with one row per sample");
        return new(input, inputType, inputShape, name, type, shape, (int?)inputShape[0]);
    }

    static bool CanBeLogits(ValueInfoProto output) =>
        ValuePath.Describe(output) is var (type, shape) && ElementTypes.IsFloat(type) && shape.Length > 1;

    static (string Name, DataType Type, long?[] Shape) FindInput(string file, GraphProto graph)
    {
        var stored = graph.Initializer.Select(i => i.Name).Concat(graph.SparseInitializer.Select(s => s.Values?.Name ?? ""));
        var inputs = graph.Input.ExceptBy(stored, i => i.Name).ToList();
        if (inputs.Count != 1)
            throw new OnnxModelException(file, "graph", $"has {inputs.Count} inputs ({Names(inputs)}), a classifier has one",
                "Export the model with its samples as only input and everything else fixed");

        if (ValuePath.Describe(inputs[0]) is not var (type, shape))
            throw Bad("is not a tensor of recorded type and shape", "Run ONNX shape inference on the model first");
        if (!ElementTypes.IsFloat(type) && type is not (DataType.Int32 or DataType.Int64))
            throw Bad($"is {ElementTypes.NameOf(type)}", "Export the model with float samples, or INT32 or INT64 token indices");
        if (shape.Length < 2)
            throw Bad($"has shape [{Format(shape)}]", "Export the model with a batch dimension before the sample's own");
        if (shape[0] > int.MaxValue)
            throw Bad($"fixes the batch to {shape[0]}", "Export the model with a dynamic batch dimension");
        return (inputs[0].Name, type, shape);

        OnnxModelException Bad(string problem, string remedy) => new(file, $"input '{inputs[0].Name}'", problem, remedy);
    }

    static (DataType Type, long?[] Shape) FindLogits(string file, GraphProto graph, string name)
    {
        var path = new ValuePath(graph);
        if (!path.Exists(name))
            throw Bad($"is not a value of the model, whose outputs are {Names(graph.Output)}", "Name one of the model's values");
        if (path.ProbabilitiesBefore(name) is var (scores, kind))
            throw Bad($"gives probabilities (it ends in {kind}), not logits", $"Name '{scores}' as the logits");
        if (path.Describe(name) is not var (type, shape))
            throw Bad("has no recorded type and shape", "Run ONNX shape inference on the model first");
        if (!ElementTypes.IsFloat(type) || shape.Length < 2)
            throw Bad($"is {ElementTypes.NameOf(type)} [{Format(shape)}], not float logits of a batch",
                $"Name the logits; the outputs are {Names(graph.Output)}");
        return shape.Length == 2 && shape[1] is < 2 or > int.MaxValue
            ? throw Bad($"has {shape[1]} classes", "Logits need at least two columns; export a binary model with two")
            : (type, shape);

        OnnxModelException Bad(string problem, string remedy) => new(file, $"output '{name}'", problem, remedy);
    }

    static string Names(IReadOnlyCollection<ValueInfoProto> values) =>
        values.Count == 0 ? "none" : string.Join(", ", values.Select(v => $"'{v.Name}'"));

    static string Format(long?[] shape) => string.Join(", ", shape.Select(d => d?.ToString() ?? "?"));
}
