using RegistryUnlearn.Onnx.Models;
using RegistryUnlearn.Onnx.Proto;
using static RegistryUnlearn.Onnx.Proto.TensorProto.Types;

namespace RegistryUnlearn.Onnx.Graphs;

/// <summary>
/// Single nodes of a graph, taken out of it into a graph of their own: what comes before them is cut off where only its shape counts,
/// and copied along where its values give shapes.
/// </summary>
sealed class LooseNodes(GraphBuilder from, TypeOracle types)
{
    /// <summary>A longer computation is not what exporters write around a size.</summary>
    const int Longest = 100;

    readonly List<NodeProto> taken = [];

    /// <summary>The nodes with what they need; values keep their names.</summary>
    public GraphBuilder Graph { get; } = from.Empty();

    public IReadOnlyList<NodeProto> Taken => taken;

    /// <summary>Takes a node out; does nothing if the shapes of its outputs may depend on values that are not known.</summary>
    public void Take(NodeProto node)
    {
        if (IsClosed(node) && node.Input.All(input => input.Length == 0 || TakeShape(node, input) || TakeValue(input)))
        {
            taken.Add(node);
            if (Graph.Producer(new(node.Output.First(o => o.Length > 0))) is null)
                Graph.Add(node.Clone());
        }
    }

    /// <summary>Takes a node out for its types alone, in an order in which every node comes after those that it reads from.</summary>
    public void Place(NodeProto node)
    {
        if (Graph.Producer(new(node.Output.First(o => o.Length > 0))) is not null)
            return;
        foreach (var input in GraphBuilder.Reads(node).Where(i => i.Length > 0))
            if (!TakeShape(node, input) && !TakeValue(input) && !TakeInput(input) && from.Producer(new(input)) is { } before)
                Place(before);
        Graph.Add(node.Domain is Lowering.Adjoint.Domain ? Lowering.Adjoint.StandIn(Graph, node) : node.Clone());
    }

    /// <summary>
    /// Copies what computes a value, down to constants and to values of which only the shape counts; false if that is not all.
    /// </summary>
    public bool TakeValue(string name) => TakeValue(name, Longest);

    bool TakeValue(string name, int longest)
    {
        if (Graph.Inputs.ContainsKey(name))
            return false;
        if (name.Length == 0 || Graph.Initializers.ContainsKey(name) || Graph.Producer(new(name)) is not null)
            return true;
        if (from.Initializers.TryGetValue(name, out var tensor))
        {
            Graph.Initializer(name, tensor);
            return true;
        }
        if (from.Producer(new(name)) is not { } node || !IsClosed(node) || longest == 0)
            return false;
        if (!(node.OpType is "Shape" or "Size" ? TakeInput(node.Input[0]) : node.Input.All(input => TakeValue(input, longest - 1))))
            return false;
        Graph.Add(node.Clone());
        return true;
    }

    /// <summary>Floats give no sizes, except to Resize and Range; integers do, unless they are tables of indices.</summary>
    bool TakeShape(NodeProto node, string name) =>
        types.Knows(name) && node.OpType is not ("Resize" or "Range")
            && (ElementTypes.IsFloat(types[name].Element) || types[name].Element is DataType.Bool || types[name].Rank > 1)
            && TakeInput(name);

    bool TakeInput(string name)
    {
        if (Graph.Inputs.ContainsKey(name) || Graph.Initializers.ContainsKey(name) || Graph.Producer(new(name)) is not null)
            return true;
        if (!types.Knows(name))
            return false;
        Graph.Input(name, types[name]);
        return true;
    }

    static bool IsClosed(NodeProto node) => node.Domain is ("" or "ai.onnx" or Lowering.Adjoint.Domain)
        && !node.OpType.StartsWith("Random", StringComparison.Ordinal) && node.Attribute.All(a => a.G is null && a.Graphs.Count == 0);
}
