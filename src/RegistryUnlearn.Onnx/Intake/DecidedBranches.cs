using RegistryUnlearn.Onnx.Proto;

namespace RegistryUnlearn.Onnx.Intake;

/// <summary>
/// Puts the branch of an If whose condition is known in the place of the node: exporters write such conditions for sizes and flags that
/// are fixed. What the branch stores becomes stored in the main graph; values get names of their own.
/// </summary>
sealed class DecidedBranches
{
    readonly GraphProto graph;
    readonly FreshNames names;
    readonly KnownIntegers known;
    readonly List<NodeProto> nodes = [];

    DecidedBranches(GraphProto graph, FreshNames names) => (this.graph, this.names, known) = (graph, names, new(graph));

    /// <param name="graph">Its nodes are in an order that can run.</param>
    public static void Apply(GraphProto graph, FreshNames names)
    {
        if (!graph.Node.Any(IsIf)) return;
        var branches = new DecidedBranches(graph, names);
        foreach (var node in graph.Node) branches.Put(node);
        graph.Node.Clear();
        graph.Node.AddRange(branches.nodes);
    }

    static bool IsIf(NodeProto node) => node is { OpType: "If", Domain: "" or "ai.onnx", Input.Count: 1 };

    void Put(NodeProto node)
    {
        if (IsIf(node) && known.Find(node.Input[0]) is [{ } condition] && Branch(node, condition is not 0) is { } body)
        {
            foreach (var inner in Inlined(node, body)) Put(inner);
            return;
        }
        known.Add(node);
        nodes.Add(node);
    }

    static GraphProto? Branch(NodeProto node, bool condition) =>
        node.Attribute.FirstOrDefault(a => a.Name == (condition ? "then_branch" : "else_branch"))?.G is { Input.Count: 0 } body
        && body.Output.Count == node.Output.Count ? body : null;

    List<NodeProto> Inlined(NodeProto node, GraphProto body)
    {
        var prefix = NodeLabel.NameOf(node) + "/";
        var made = body.Node.SelectMany(n => n.Output).ToHashSet(StringComparer.Ordinal);
        var renamed = new Dictionary<string, string>(StringComparer.Ordinal);
        var passed = new List<NodeProto>();
        for (var i = 0; i < node.Output.Count; i++)
            if (node.Output[i].Length > 0 && !(made.Contains(body.Output[i].Name) && renamed.TryAdd(body.Output[i].Name, node.Output[i])))
                passed.Add(new()
                {
                    OpType = "Identity",
                    Name = node.Output[i],
                    Input = { body.Output[i].Name },
                    Output = { node.Output[i] },
                });
        foreach (var name in NodeNames.Defined(body))
            if (!renamed.ContainsKey(name)) renamed[name] = names.Next(prefix + name);
        foreach (var tensor in body.Initializer)
        {
            var stored = tensor.Clone();
            stored.Name = renamed[tensor.Name];
            graph.Initializer.Add(stored);
            known.Add(stored);
        }
        var inlined = body.Node.Select(n => n.Clone()).ToList();
        foreach (var inner in inlined)
        {
            inner.Name = prefix + NodeLabel.NameOf(inner);
            for (var i = 0; i < inner.Output.Count; i++)
                if (inner.Output[i].Length > 0) inner.Output[i] = renamed[inner.Output[i]];
        }
        inlined.AddRange(passed);
        foreach (var inner in inlined) NodeNames.RenameReads(inner, renamed);
        return inlined;
    }
}
