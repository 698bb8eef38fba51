using RegistryUnlearn.Onnx.Graphs;
using RegistryUnlearn.Onnx.Proto;
using static RegistryUnlearn.Onnx.Proto.TensorProto.Types;

namespace RegistryUnlearn.Onnx.Intake;

/// <summary>
/// Integers and booleans that are the same whatever the samples are: stored ones, fixed sizes, and what follows from these by the operators
/// that exporters write between a size and a condition. A boolean is 0 or 1; an element that is not known is null.
/// </summary>
sealed class KnownIntegers
{
    /// <summary>Larger values are data, not sizes.</summary>
    const int MostElements = 64;

    readonly Dictionary<string, long?[]> values = new(StringComparer.Ordinal);
    readonly Dictionary<string, long?[]> shapes = new(StringComparer.Ordinal);

    public KnownIntegers(GraphProto graph)
    {
        foreach (var tensor in graph.Initializer) Add(tensor);
        foreach (var info in graph.Input.Concat(graph.ValueInfo))
            if (info.Type?.TensorType?.Shape is { } shape)
                shapes[info.Name] = [.. shape.Dim.Select(d => d.HasDimValue && d.DimValue >= 0 ? d.DimValue : (long?)null)];
        foreach (var tensor in graph.Initializer) shapes[tensor.Name] = [.. tensor.Dims.Select(d => (long?)d)];
    }

    /// <summary>The elements in order; null if none is known.</summary>
    public long?[]? Find(string name) => values.GetValueOrDefault(name);

    public void Add(TensorProto tensor)
    {
        if (Read(tensor) is { Length: <= MostElements } read) values[tensor.Name] = read;
    }

    /// <summary>A node whose inputs have been added.</summary>
    public void Add(NodeProto node)
    {
        if (node.Domain is "" or "ai.onnx" && node.Output.Count == 1 && Result(node) is { Length: <= MostElements } result)
            values[node.Output[0]] = result;
    }

    long?[]? Result(NodeProto node) => node.OpType switch
    {
        "Constant" => node.Attribute.FirstOrDefault() switch
        {
            { Name: "value", T: { } tensor } => Read(tensor),
            { Name: "value_int" } a => [a.I],
            { Name: "value_ints" } a => [.. a.Ints.Select(i => (long?)i)],
            _ => null,
        },
        "Shape" when node.Attribute.Count == 0 => shapes.GetValueOrDefault(node.Input[0]),
        "Identity" => In(node, 0),
        "Squeeze" or "Unsqueeze" => In(node, 0) is [var one] ? [one] : null,
        "Cast" => (DataType)node.Int("to", 0) switch
        {
            DataType.Int64 or DataType.Int32 => In(node, 0),
            DataType.Bool => In(node, 0) is { } x ? [.. x.Select(e => e is { } v ? Of(v != 0) : null)] : null,
            _ => null,
        },
        "Gather" when node.Int("axis", 0) == 0 && In(node, 0) is { } data && In(node, 1) is [{ } at]
            && at >= -data.Length && at < data.Length =>
            [data[at < 0 ? at + data.Length : at]],
        "Not" => In(node, 0) is [{ } negated] ? [1 - negated] : null,
        "Mod" => Single(node, (a, b) => a >= 0 && b > 0 ? a % b : null),
        "Equal" => Single(node, (a, b) => Of(a == b)),
        "Greater" => Single(node, (a, b) => Of(a > b)),
        "GreaterOrEqual" => Single(node, (a, b) => Of(a >= b)),
        "Less" => Single(node, (a, b) => Of(a < b)),
        "LessOrEqual" => Single(node, (a, b) => Of(a <= b)),
        "And" => Single(node, (a, b) => Of(a != 0 && b != 0)),
        "Or" => Single(node, (a, b) => Of(a != 0 || b != 0)),
        _ => null,
    };

    long?[]? In(NodeProto node, int slot) => node.Input.ElementAtOrDefault(slot) is { } name ? Find(name) : null;

    long?[]? Single(NodeProto node, Func<long, long, long?> result) =>
        In(node, 0) is [{ } a] && In(node, 1) is [{ } b] ? [result(a, b)] : null;

    static long? Of(bool value) => value ? 1 : 0;

    /// <summary>Elements of integers or one boolean along at most one axis.</summary>
    static long?[]? Read(TensorProto tensor) => tensor.Dims.Count > 1 ? null
        : Tensors.SingleBool(tensor) is { } flag ? [Of(flag)]
        : Tensors.Integers(tensor) is { Length: <= MostElements } integers ? [.. integers.Select(i => (long?)i)] : null;
}
