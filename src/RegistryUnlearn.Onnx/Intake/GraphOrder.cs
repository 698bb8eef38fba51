using RegistryUnlearn.Onnx.Models;
using RegistryUnlearn.Onnx.Proto;

namespace RegistryUnlearn.Onnx.Intake;

/// <summary>Every value is made once and before it is read; bodies may read what is around them.</summary>
static class GraphOrder
{
    const string Remedy = "The file is damaged or was put together wrongly; export the model again";
    const int LongestCycleShown = 8;

    /// <summary>Puts the nodes of a graph and of its bodies into an order in which they can run; keeps the order where it is one.</summary>
    /// <exception cref="OnnxModelException">A value is made twice or not at all, or nodes read each other in a circle.</exception>
    public static void Establish(GraphProto graph) => Establish(graph, _ => false);

    static void Establish(GraphProto graph, Func<string, bool> isOuter)
    {
        var makers = Makers(graph);
        foreach (var node in graph.Node)
            foreach (var input in node.Input)
                if (input.Length > 0 && !makers.ContainsKey(input) && !isOuter(input))
                    throw new OnnxModelException(
                        $"{NodeLabel.Of(node)}: reads '{input}', which no node, input or initializer of the model gives. {Remedy}");
        foreach (var output in graph.Output)
            if (!makers.ContainsKey(output.Name) && !isOuter(output.Name))
                throw new OnnxModelException($"output '{output.Name}': no node, input or initializer of the model gives it. {Remedy}");
        Sort(graph, makers);
        foreach (var body in graph.Node.SelectMany(LiveNodes.Bodies))
            Establish(body, name => makers.ContainsKey(name) || isOuter(name));
    }

    /// <summary>What makes each value; null for inputs and stored tensors.</summary>
    static Dictionary<string, NodeProto?> Makers(GraphProto graph)
    {
        var makers = new Dictionary<string, NodeProto?>(StringComparer.Ordinal);
        foreach (var input in graph.Input)
            if (!makers.TryAdd(input.Name, null)) throw new OnnxModelException($"input '{input.Name}': appears twice. {Remedy}");
        foreach (var tensor in graph.Initializer) makers.TryAdd(tensor.Name, null);
        foreach (var node in graph.Node)
            foreach (var output in node.Output)
                if (output.Length > 0 && !makers.TryAdd(output, node))
                    throw Twice(node, output, makers[output]);
        return makers;
    }

    static OnnxModelException Twice(NodeProto node, string output, NodeProto? other) => new(
        $"{NodeLabel.Of(node)}: makes '{output}', which "
        + $"{(other is null ? "is an input or initializer" : $"{NodeLabel.Of(other)} makes as well")}. {Remedy}");

    static void Sort(GraphProto graph, Dictionary<string, NodeProto?> makers)
    {
        var index = new Dictionary<NodeProto, int>(ReferenceEqualityComparer.Instance);
        foreach (var node in graph.Node) index.Add(node, index.Count);
        var needs = graph.Node.Select(n => NodeNames.Reads(n).Select(r => makers.GetValueOrDefault(r)).OfType<NodeProto>()
            .Select(m => index[m]).Distinct().ToArray()).ToArray();
        if (needs.Select((n, i) => n.All(m => m < i)).All(before => before)) return;

        var users = needs.SelectMany((n, i) => n.Select(m => (Maker: m, User: i))).ToLookup(p => p.Maker, p => p.User);
        var open = needs.Select(n => n.Length).ToArray();
        var ready = new PriorityQueue<int, int>(Enumerable.Range(0, open.Length).Where(i => open[i] == 0).Select(i => (i, i)));
        var sorted = new List<NodeProto>(open.Length);
        while (ready.TryDequeue(out var next, out _))
        {
            sorted.Add(graph.Node[next]);
            foreach (var user in users[next])
                if (--open[user] == 0) ready.Enqueue(user, user);
        }
        if (sorted.Count < open.Length) throw Cycle(graph, needs, open);
        graph.Node.Clear();
        graph.Node.AddRange(sorted);
    }

    static OnnxModelException Cycle(GraphProto graph, int[][] needs, int[] open)
    {
        // What is left waits for something that is left: going back from any of it ends in a circle.
        var path = new List<int> { Array.FindIndex(open, o => o > 0) };
        int start;
        while ((start = path.IndexOf(needs[path[^1]].First(n => open[n] > 0))) < 0)
            path.Add(needs[path[^1]].First(n => open[n] > 0));
        int[] circle = [.. Enumerable.Reverse(path.Skip(start))];
        var first = Array.IndexOf(circle, circle.Min());
        var cycle = circle[first..].Concat(circle[..first]).Select(i => NodeLabel.Of(graph.Node[i])).ToList();
        var shown = string.Join(" → ", cycle.Take(LongestCycleShown));
        if (cycle.Count > LongestCycleShown) shown += $" → {cycle.Count - LongestCycleShown} more";
        return new($"graph: nodes read each other's results in a circle: {shown} → {cycle[0]}. {Remedy}");
    }
}
