using RegistryUnlearn.Onnx.Graphs;
using RegistryUnlearn.Onnx.Proto;

namespace RegistryUnlearn.Onnx.Intake;

/// <summary>What a graph says of its values without being run: constants, and the ranks that are recorded.</summary>
sealed class KnownValues
{
    readonly Dictionary<string, TensorProto> constants = new(StringComparer.Ordinal);
    readonly Dictionary<string, int> ranks = new(StringComparer.Ordinal);
    readonly KnownValues? outer;

    /// <param name="outer">What is known around a branch or loop body; null for the main graph.</param>
    public KnownValues(GraphProto graph, KnownValues? outer = null)
    {
        this.outer = outer;
        foreach (var tensor in graph.Initializer) constants[tensor.Name] = tensor;
        foreach (var node in graph.Node)
            if (node is { OpType: "Constant", Output.Count: 1 } && node.Find("value")?.T is { } value) constants[node.Output[0]] = value;
        foreach (var info in graph.Input.Concat(graph.Output).Concat(graph.ValueInfo))
            if (info.Type?.TensorType?.Shape is { } shape) ranks[info.Name] = shape.Dim.Count;
    }

    public TensorProto? Constant(string name) => constants.GetValueOrDefault(name) ?? outer?.Constant(name);

    public int? Rank(string name) => ranks.TryGetValue(name, out var rank) ? rank : outer?.Rank(name);
}
