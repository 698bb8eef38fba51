using RegistryUnlearn.Onnx.Models;
using RegistryUnlearn.Onnx.Proto;

namespace RegistryUnlearn.Onnx.Intake;

/// <summary>Names that no value of a model has, in the main graph or in any body.</summary>
sealed class FreshNames
{
    readonly HashSet<string> taken = new(StringComparer.Ordinal);
    readonly Dictionary<string, int> counts = new(StringComparer.Ordinal);

    public FreshNames(GraphProto graph) => Collect(graph);

    /// <summary>The hint itself, or the hint with a number behind it.</summary>
    public string Next(string hint)
    {
        if (taken.Add(hint)) return hint;
        for (var n = counts.GetValueOrDefault(hint, 2); ; n++)
            if (taken.Add($"{hint}~{n}"))
            {
                counts[hint] = n + 1;
                return $"{hint}~{n}";
            }
    }

    void Collect(GraphProto graph)
    {
        taken.UnionWith(NodeNames.Defined(graph));
        taken.UnionWith(graph.Output.Select(o => o.Name));
        foreach (var node in graph.Node)
        {
            taken.UnionWith(node.Input);
            foreach (var body in LiveNodes.Bodies(node)) Collect(body);
        }
    }
}
