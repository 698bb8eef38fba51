using RegistryUnlearn.Onnx.Models;
using RegistryUnlearn.Onnx.Proto;

namespace RegistryUnlearn.Onnx.Intake;

/// <summary>Names of values at a node, with the scopes of branches and loop bodies: what a body defines is its own.</summary>
static class NodeNames
{
    /// <summary>Names of the values that the node reads, those that its bodies take from outside included.</summary>
    public static IEnumerable<string> Reads(NodeProto node) =>
        node.Input.Where(i => i.Length > 0).Concat(LiveNodes.Bodies(node).SelectMany(Captured));

    /// <summary>Replaces the names that the node and its bodies read from outside; names without entry stay.</summary>
    public static void RenameReads(NodeProto node, IReadOnlyDictionary<string, string> names)
    {
        for (var i = 0; i < node.Input.Count; i++)
            node.Input[i] = names.GetValueOrDefault(node.Input[i], node.Input[i]);
        foreach (var body in LiveNodes.Bodies(node))
        {
            var own = Defined(body);
            KeepApart(body, own, names);
            var outer = own.Overlaps(names.Keys) ? names.Where(n => !own.Contains(n.Key)).ToDictionary() : names;
            foreach (var inner in body.Node)
                RenameReads(inner, outer);
            foreach (var output in body.Output)
                output.Name = outer.GetValueOrDefault(output.Name, output.Name);
        }
    }

    /// <summary>Gives other names to the body's own values that would hide the new name of a value around it.</summary>
    static void KeepApart(GraphProto body, HashSet<string> own, IReadOnlyDictionary<string, string> names)
    {
        var hiding = names.Values.Where(own.Contains).ToHashSet(StringComparer.Ordinal);
        if (hiding.Count == 0) return;
        var taken = own.Concat(names.Values).Concat(body.Node.SelectMany(Reads)).ToHashSet(StringComparer.Ordinal);
        var apart = hiding.ToDictionary(n => n, n =>
        {
            var other = n + "~own";
            while (!taken.Add(other)) other += "~";
            return other;
        });
        string Apart(string name) => apart.GetValueOrDefault(name, name);
        foreach (var value in body.Input.Concat(body.Output)) value.Name = Apart(value.Name);
        foreach (var tensor in body.Initializer) tensor.Name = Apart(tensor.Name);
        foreach (var inner in body.Node)
        {
            RenameReads(inner, apart);
            for (var i = 0; i < inner.Output.Count; i++) inner.Output[i] = Apart(inner.Output[i]);
        }
        own.ExceptWith(hiding);
        own.UnionWith(apart.Values);
    }

    /// <summary>Names that a body gives to values: its inputs, its stored tensors and what its nodes make.</summary>
    public static HashSet<string> Defined(GraphProto body) =>
    [
        .. body.Input.Select(i => i.Name), .. body.Initializer.Select(i => i.Name),
        .. body.Node.SelectMany(n => n.Output).Where(o => o.Length > 0),
    ];

    static IEnumerable<string> Captured(GraphProto body) =>
        body.Node.SelectMany(Reads).Concat(body.Output.Select(o => o.Name)).Except(Defined(body));
}
