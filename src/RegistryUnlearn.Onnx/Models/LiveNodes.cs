using RegistryUnlearn.Onnx.Proto;

namespace RegistryUnlearn.Onnx.Models;

/// <summary>The nodes a value is computed by, those of nested graphs included, inputs before users.</summary>
static class LiveNodes
{
    /// <summary>Nodes that lead to one of the outputs, in order; a nested graph's nodes stand before the node that owns it.</summary>
    public static List<NodeProto> Of(GraphProto graph, IEnumerable<string> outputs)
    {
        var all = new List<(NodeProto Node, NodeProto? Owner)>();
        Flatten(graph, null, all);
        var needed = outputs.ToHashSet(StringComparer.Ordinal);
        var live = new HashSet<NodeProto>(ReferenceEqualityComparer.Instance);
        foreach (var (node, owner) in Enumerable.Reverse(all))
            if ((owner is not null && live.Contains(owner)) || node.Output.Any(o => o.Length > 0 && needed.Contains(o)))
            {
                live.Add(node);
                needed.UnionWith(node.Input);
            }
        return [.. all.Select(n => n.Node).Where(live.Contains)];
    }

    /// <summary>Graphs in the node's attributes: branches and loop bodies.</summary>
    public static IEnumerable<GraphProto> Bodies(NodeProto node) =>
        node.Attribute.SelectMany(a => a.G is null ? a.Graphs : a.Graphs.Prepend(a.G));

    static void Flatten(GraphProto graph, NodeProto? owner, List<(NodeProto, NodeProto?)> all)
    {
        foreach (var node in graph.Node)
        {
            foreach (var body in Bodies(node)) Flatten(body, node, all);
            all.Add((node, owner));
        }
    }
}
