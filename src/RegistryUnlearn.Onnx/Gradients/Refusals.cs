using RegistryUnlearn.Onnx.Models;
using RegistryUnlearn.Onnx.Proto;

namespace RegistryUnlearn.Onnx.Gradients;

/// <summary>What cannot be differentiated in one graph, gathered so that one error says all of it.</summary>
sealed class Refusals
{
    const int NodesShown = 5;
    const int KindsShown = 20;

    readonly List<(NodeProto Node, string Message)> all = [];

    public bool Contains(NodeProto node) => all.Any(r => ReferenceEquals(r.Node, node));

    /// <param name="message">Says what is wrong with the node and what to do; names the node as <c>(node '...')</c>.</param>
    public void Add(NodeProto node, string message) => all.Add((node, message));

    /// <param name="order">The nodes of the graph.</param>
    /// <exception cref="OnnxModelException">The message of the only refusal, or a list with one line per kind of refusal.</exception>
    public void ThrowIfAny(IReadOnlyList<NodeProto> order)
    {
        if (all.Count == 0) return;
        var index = new Dictionary<NodeProto, int>(ReferenceEqualityComparer.Instance);
        foreach (var node in order) index.Add(node, index.Count);
        // What differs in the node's name only is one kind.
        var kinds = all.OrderBy(r => index.GetValueOrDefault(r.Node)).GroupBy(r => r.Message.Replace(Mark(r.Node), "(node)"))
            .Select(kind => (kind.Key, Nodes: kind.Select(r => r.Node).ToList())).ToList();
        var lines = kinds.Take(KindsShown).Select(k => k.Key.Replace("(node)", Names(k.Nodes))).ToList();
        all.Clear();
        if (lines.Count == 1) throw new OnnxModelException(lines[0]);
        if (kinds.Count > lines.Count) lines.Add($"and {kinds.Count - lines.Count} more kinds");
        throw new OnnxModelException(
            $"{kinds.Count} obstacles between the trained parameters and the loss\n  {string.Join("\n  ", lines)}");
    }

    static string Names(List<NodeProto> nodes)
    {
        if (nodes.Count == 1) return Mark(nodes[0]);
        var shown = string.Join(", ", nodes.Take(NodesShown).Select(n => $"'{n.Name}'"));
        return $"(nodes {shown}{(nodes.Count > NodesShown ? $" and {nodes.Count - NodesShown} more" : "")})";
    }

    static string Mark(NodeProto node) => $"(node '{node.Name}')";
}
