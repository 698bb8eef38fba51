using RegistryUnlearn.Onnx.Graphs;
using RegistryUnlearn.Onnx.Proto;

namespace RegistryUnlearn.Onnx.Intake;

/// <summary>
/// Max pooling of ReLU written as ReLU of max pooling, which has a fraction of the elements to work on in every pass. Both have the same
/// values, and the same derivatives: a maximum above zero is at the same place, and behind any other one ReLU has no slope.
/// </summary>
static class PooledActivations
{
    public static void Apply(GraphProto graph, FreshNames names)
    {
        var readers = graph.Node.SelectMany(n => GraphBuilder.Reads(n).Distinct()).CountBy(name => name).ToDictionary();
        var activations = graph.Node.Where(n => IsStandard(n, "Relu") && n.Input.Count == 1 && n.Output.Count == 1)
            .ToDictionary(n => n.Output[0]);
        for (var i = 0; i < graph.Node.Count; i++)
        {
            var pool = graph.Node[i];
            if (!IsStandard(pool, "MaxPool") || pool.Output.Count != 1 || pool.Input.Count != 1
                || !activations.TryGetValue(pool.Input[0], out var activation) || readers[pool.Input[0]] > 1)
                continue;
            // The activation before the pooling stays for who asks for its value; else nothing reads it any more.
            var (output, pooled) = (pool.Output[0], names.Next($"{pool.Output[0]}/{pool.OpType}"));
            graph.Node[i] = Renamed(pool, activation.Input[0], pooled);
            graph.Node.Insert(++i, new()
            {
                OpType = "Relu",
                Name = $"{pool.Name}/Relu",
                Input = { pooled },
                Output = { output },
            });
        }
    }

    static NodeProto Renamed(NodeProto node, string input, string output)
    {
        var copy = node.Clone();
        (copy.Input[0], copy.Output[0]) = (input, output);
        return copy;
    }

    static bool IsStandard(NodeProto node, string op) => node.OpType == op && node.Domain is ("" or "ai.onnx");
}
