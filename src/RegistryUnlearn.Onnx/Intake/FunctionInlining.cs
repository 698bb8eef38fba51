using RegistryUnlearn.Onnx.Models;
using RegistryUnlearn.Onnx.Proto;

namespace RegistryUnlearn.Onnx.Intake;

/// <summary>
/// Puts the bodies of model-local functions in the place of the nodes that call them (ONNX IR specification, "Functions"): inputs and
/// outputs by position, attributes by reference with their defaults, values under names of their own.
/// </summary>
sealed class FunctionInlining
{
    /// <summary>Functions that call each other twice grow exponentially; real models stay far below.</summary>
    const int MostNodes = 100_000;

    readonly Dictionary<(string Domain, string Name, string Overload), FunctionProto> functions = [];
    readonly FreshNames names;
    readonly long opset;
    readonly Stack<FunctionProto> within = [];
    int made;

    /// <param name="opset">Operator set that the inlined nodes shall have.</param>
    /// <exception cref="OnnxModelException">Two functions of one name, or one that cannot be read.</exception>
    public FunctionInlining(ModelProto model, long opset, FreshNames names)
    {
        (this.names, this.opset) = (names, opset);
        foreach (var function in model.Functions)
        {
            if (function.Domain is "" or "ai.onnx")
                throw Bad(function, "redefines an operator of the standard domain", "Export the model with the function in another domain");
            if (!functions.TryAdd((function.Domain, function.Name, function.Overload), function))
                throw Bad(function, "appears twice", "Names must be unique; export the model again");
            if (Version(function) is { } version && (version < OpsetUpgrades.Oldest || version > opset))
                throw Bad(function, $"uses operator set {version} in a model of operator set {opset}",
                    "Export the model again with one opset_version for all of it");
        }
    }

    /// <summary>Version of the standard operator set that a function declares; null if it declares none.</summary>
    public static long? Version(FunctionProto function) =>
        function.OpsetImport.FirstOrDefault(o => o.Domain is "" or "ai.onnx")?.Version;

    /// <summary>The nodes with every call replaced, in bodies as well. The nodes given are changed.</summary>
    /// <exception cref="OnnxModelException">
    /// A function calls itself, a call does not fit its function, or the graph grows too large.
    /// </exception>
    public List<NodeProto> Apply(IEnumerable<NodeProto> nodes)
    {
        var result = new List<NodeProto>();
        foreach (var node in nodes)
        {
            if (functions.TryGetValue((node.Domain, node.OpType, node.Overload), out var function))
            {
                result.AddRange(Expanded(node, function));
                continue;
            }
            foreach (var body in LiveNodes.Bodies(node))
            {
                var inner = Apply(body.Node);
                body.Node.Clear();
                body.Node.AddRange(inner);
            }
            result.Add(node);
        }
        return result;
    }

    List<NodeProto> Expanded(NodeProto call, FunctionProto function)
    {
        if (within.Contains(function)) throw Bad(function, "calls itself", "Export the model without recursion");
        if (call.Input.Count > function.Input.Count || call.Output.Count > function.Output.Count)
            throw Bad(function, $"has {function.Input.Count} inputs and {function.Output.Count} outputs, but {NodeLabel.Of(call)} gives "
                + $"{call.Input.Count} and takes {call.Output.Count}", "Export the model again");
        if ((made += function.Node.Count) > MostNodes)
            throw Bad(function, $"makes the model larger than {MostNodes} nodes", "Export the model with fewer nested functions");

        var attributes = Attributes(call, function);
        var nodes = function.Node.Select(n => n.Clone()).ToList();
        foreach (var node in nodes) Resolve(node, attributes);
        var from = Version(function) ?? opset;
        nodes = OpsetUpgrades.Apply(nodes, from, opset, new KnownValues(new GraphProto { Node = { nodes } }), names);

        var prefix = NodeLabel.NameOf(call) + "/";
        var renamed = new Dictionary<string, string>(StringComparer.Ordinal);
        for (var i = 0; i < function.Input.Count; i++) renamed[function.Input[i]] = call.Input.ElementAtOrDefault(i) ?? "";
        var passed = new List<NodeProto>();
        for (var i = 0; i < function.Output.Count; i++)
            if (call.Output.ElementAtOrDefault(i) is { Length: > 0 } output && !renamed.TryAdd(function.Output[i], output))
                passed.Add(new NodeProto
                {
                    OpType = "Identity",
                    Name = output,
                    Input = { renamed[function.Output[i]] },
                    Output = { output },
                });
        foreach (var name in nodes.SelectMany(n => n.Output.Concat(NodeNames.Reads(n))).Where(n => n.Length > 0))
            if (!renamed.ContainsKey(name)) renamed[name] = names.Next(prefix + name);
        foreach (var node in nodes)
        {
            node.Name = prefix + NodeLabel.NameOf(node);
            NodeNames.RenameReads(node, renamed);
            for (var i = 0; i < node.Output.Count; i++)
                if (node.Output[i].Length > 0) node.Output[i] = renamed[node.Output[i]];
        }
        within.Push(function);
        var expanded = Apply(nodes);
        within.Pop();
        return [.. expanded, .. passed];
    }

    static Dictionary<string, AttributeProto> Attributes(NodeProto call, FunctionProto function)
    {
        var attributes = new Dictionary<string, AttributeProto>(StringComparer.Ordinal);
        foreach (var value in function.AttributeProto.Concat(call.Attribute)) attributes[value.Name] = value;
        return attributes;
    }

    /// <summary>Replaces references to the function's attributes by their values; without value the attribute is absent.</summary>
    static void Resolve(NodeProto node, Dictionary<string, AttributeProto> attributes)
    {
        for (var i = node.Attribute.Count - 1; i >= 0; i--)
        {
            if (node.Attribute[i] is not { RefAttrName.Length: > 0 } reference) continue;
            node.Attribute.RemoveAt(i);
            if (!attributes.TryGetValue(reference.RefAttrName, out var value)) continue;
            var resolved = value.Clone();
            resolved.Name = reference.Name;
            node.Attribute.Insert(i, resolved);
        }
        foreach (var inner in LiveNodes.Bodies(node).SelectMany(b => b.Node)) Resolve(inner, attributes);
    }

    static OnnxModelException Bad(FunctionProto function, string problem, string remedy) =>
        new($"function '{function.Domain}.{function.Name}': {problem}. {remedy}");
}
