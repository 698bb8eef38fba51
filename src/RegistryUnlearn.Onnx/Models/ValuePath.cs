using RegistryUnlearn.Onnx.Proto;
using static RegistryUnlearn.Onnx.Proto.TensorProto.Types;

namespace RegistryUnlearn.Onnx.Models;

/// <summary>Values of a graph by name: what is recorded of them and which node makes them.</summary>
sealed class ValuePath
{
    readonly Dictionary<string, NodeProto> producers = new(StringComparer.Ordinal);
    readonly Dictionary<string, ValueInfoProto> infos = new(StringComparer.Ordinal);
    readonly ILookup<string, NodeProto> users;

    public ValuePath(GraphProto graph)
    {
        foreach (var node in graph.Node)
            foreach (var output in node.Output) producers.TryAdd(output, node);
        foreach (var info in graph.Output.Concat(graph.ValueInfo)) infos.TryAdd(info.Name, info);
        users = graph.Node.Where(n => n.Input.Count > 0).ToLookup(n => n.Input[0], StringComparer.Ordinal);
    }

    public bool Exists(string name) => producers.ContainsKey(name) || infos.ContainsKey(name);

    /// <summary>Type and dimensions (null: open) of a value; where they are not recorded, those of a value of its shape after it.</summary>
    public (DataType Type, long?[] Shape)? Describe(string name)
    {
        if (!Exists(name)) return null;
        for (var seen = new HashSet<string>(StringComparer.Ordinal); seen.Add(name);)
        {
            if (infos.TryGetValue(name, out var info) && Describe(info) is { } described) return described;
            if (users[name].FirstOrDefault(n => KeepsShape(n) && n.Output.Count > 0) is { } next) name = next.Output[0];
        }
        return null;
    }

    /// <summary>Type and dimensions recorded for a tensor; null where they are not. A dimension written as 0 or less is open.</summary>
    public static (DataType Type, long?[] Shape)? Describe(ValueInfoProto info) =>
        info.Type?.TensorType is { HasElemType: true, Shape: not null } tensor
            ? ((DataType)tensor.ElemType, [.. tensor.Shape.Dim.Select(d => d.HasDimValue && d.DimValue > 0 ? d.DimValue : (long?)null)])
            : null;

    /// <summary>If the value is a Softmax or Sigmoid, perhaps copied: the scores it is taken of, and which of the two; else null.</summary>
    public (string Scores, string Kind)? ProbabilitiesBefore(string name)
    {
        for (var seen = new HashSet<string>(StringComparer.Ordinal); seen.Add(name);)
        {
            if (producers.GetValueOrDefault(name) is not { Input.Count: > 0 } node) return null;
            if (node.OpType is "Softmax" or "Sigmoid") return (node.Input[0], node.OpType);
            if (node.OpType is "Identity" or "Cast" or "Dropout") name = node.Input[0];
        }
        return null;
    }

    // LogSoftmax included: the softmax of log-probabilities is that of their logits, so either serve as logits.
    static bool KeepsShape(NodeProto node) => node.OpType is "Softmax" or "Sigmoid" or "LogSoftmax" or "Identity" or "Dropout";
}
