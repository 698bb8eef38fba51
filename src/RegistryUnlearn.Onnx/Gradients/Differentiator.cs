using RegistryUnlearn.Onnx.Graphs;
using RegistryUnlearn.Onnx.Models;
using RegistryUnlearn.Onnx.Proto;

namespace RegistryUnlearn.Onnx.Gradients;

/// <summary>
/// Reverse-mode differentiation (Griewank and Walther, Evaluating Derivatives, ch. 3): adds to a graph the nodes that compute
/// ∂scalar/∂value. Every operator that a rule emits has a rule itself, so the result can be differentiated again.
/// </summary>
public sealed class Differentiator(GraphBuilder graph)
{
    readonly TypeOracle types = new();
    readonly List<(Value Cotangent, string Of, NodeProto Node)> emitted = [];
    readonly Refusals refusals = new();

    /// <summary>Where the rules come from: the table, unless a test has another.</summary>
    internal Func<NodeProto, GraphBuilder, Rule?> Rules { get; init; } = RuleTable.Find;

    /// <summary>Element types and shapes of the graph's values, current as of the last call of a method of this class.</summary>
    public TypeOracle Types => types;

    /// <summary>Adds the gradient of a scalar with respect to each of the given float values; zeros where there is none.</summary>
    /// <param name="scalar">A float of rank 0 or with one element.</param>
    /// <exception cref="OnnxModelException">
    /// An operator on the way has no rule or is not differentiable here, or a rule's result has the wrong shape.
    /// </exception>
    public Value[] Gradients(Value scalar, IReadOnlyList<Value> with)
    {
        var path = Decomposed(scalar, with);
        var cotangents = new Dictionary<string, Value> { [scalar.Name] = One(scalar) };
        foreach (var node in Enumerable.Reverse(path.Nodes))
            if (node.Output.Any(cotangents.ContainsKey))
                PullOrRefuse(node, cotangents, path.Useful);
        refusals.ThrowIfAny(graph.Nodes);
        return [.. with.Select(v => cotangents.TryGetValue(v.Name, out var gradient) ? gradient : graph.Zeros(ShapeOf(v)))];
    }

    /// <summary>Learns the types of all values and checks that every cotangent so far has the shape of the value it belongs to.</summary>
    /// <exception cref="OnnxModelException">The shapes differ: the message names the node whose rule is wrong.</exception>
    public void Refresh()
    {
        types.Update(graph);
        foreach (var (cotangent, of, node) in emitted)
            if (!types[cotangent.Name].SameShape(types[of]))
                throw new OnnxModelException($"the gradient rule of {Describe(node)} gave {types[cotangent.Name]} for '{of}', which is "
                    + $"{types[of]}; this is a defect, please report it with the model");
        emitted.Clear();
    }

    /// <summary>Replaces every operator between the values and the scalar that stands for simpler ones by these.</summary>
    /// <exception cref="OnnxModelException">One of them has a form that cannot be written in simpler ones.</exception>
    public void Decompose(Value scalar, IReadOnlyList<Value> with)
    {
        Decomposed(scalar, with);
        refusals.ThrowIfAny(graph.Nodes);
    }

    /// <summary>The path from the values to the scalar after every operator on it that stands for simpler ones gave way to them.</summary>
    (List<NodeProto> Nodes, HashSet<string> Useful) Decomposed(Value scalar, IReadOnlyList<Value> with)
    {
        while (true)
        {
            Refresh();
            var path = NodesBetween(scalar, with);
            var fused = path.Nodes.Where(n => Rules(n, graph)?.Decompose is not null && !refusals.Contains(n))
                .ToHashSet<NodeProto>(ReferenceEqualityComparer.Instance);
            if (fused.Count == 0)
                return path;
            graph.Rewrite(node => fused.Contains(node) ? Parts(node) : null);
        }

        Value?[]? Parts(NodeProto node)
        {
            try
            {
                RequireFloat(node, node.Output.Where(o => o.Length > 0).Take(1));
                return Rules(node, graph)!.Decompose!(new RuleContext(graph, types, node, new Dictionary<string, Value>()));
            }
            catch (OnnxModelException e)
            {
                refusals.Add(node, e.Message);
                return null;
            }
        }
    }

    void RequireFloat(NodeProto node, IEnumerable<string> outputs)
    {
        if (node.OpType is not ("Cast" or "CastLike") && outputs.FirstOrDefault(o => types.Knows(o) && !types[o].IsFloat) is { } other)
            throw new OnnxModelException(
                $"{Describe(node)} computes '{other}' as {types[other]}; gradients are computed in float32 only, export the model with "
                    + "float32 activations");
    }

    Value One(Value scalar)
    {
        var type = types[scalar.Name];
        if (!type.IsFloat || !type.IsFixed || type.Count != 1)
            throw new OnnxModelException($"only a float scalar can be differentiated, '{scalar}' is {type}");
        return graph.Constant(Tensors.Of([1f], type.Sizes));
    }

    Value ShapeOf(Value value) => types[value.Name].IsFixed ? graph.Ints(types[value.Name].Sizes) : graph.Shape(value);

    /// <summary>Nodes that lie between the wanted values and the scalar, in order, and the values that carry gradients.</summary>
    (List<NodeProto> Nodes, HashSet<string> Useful) NodesBetween(Value scalar, IReadOnlyList<Value> with)
    {
        var useful = with.Select(v => v.Name).ToHashSet();
        var forward = new List<NodeProto>();
        foreach (var node in graph.Nodes)
        {
            var rule = Rules(node, graph);
            if (rule is { StopsGradient: true } || !GraphBuilder.Reads(node).Any(useful.Contains))
                continue;
            // Even integers of a refused operator: behind them a gradient would be missing in silence.
            var smooth = node.Output.Where(o => rule?.Refusal is null ? CarriesGradient(o) : o.Length > 0).ToList();
            useful.UnionWith(smooth);
            if (smooth.Count > 0)
                forward.Add(node);
        }
        var included = new HashSet<string> { scalar.Name };
        var between = new List<NodeProto>();
        foreach (var node in Enumerable.Reverse(forward).Where(n => n.Output.Any(included.Contains)))
        {
            included.UnionWith(GraphBuilder.Reads(node).Where(useful.Contains));
            between.Add(node);
        }
        between.Reverse();
        return (between, useful);

        // Sequences are no tensors and have no type here; what makes them is differentiated or refused by its rule.
        bool CarriesGradient(string output) => output.Length > 0 && (!types.Knows(output)
            || ElementTypes.IsFloat(types[output].Element));
    }

    /// <summary>Behind a refused node the way goes on by zeros, so that one error names every obstacle.</summary>
    void PullOrRefuse(NodeProto node, Dictionary<string, Value> cotangents, HashSet<string> useful)
    {
        try
        {
            if (!refusals.Contains(node))
            {
                Pull(node, cotangents, useful);
                return;
            }
        }
        catch (OnnxModelException e)
        {
            refusals.Add(node, e.Message);
        }
        foreach (var input in GraphBuilder.Reads(node))
            if (useful.Contains(input) && types.Knows(input) && types[input].IsFloat)
                cotangents.TryAdd(input, graph.Zeros(ShapeOf(new(input))));
    }

    void Pull(NodeProto node, Dictionary<string, Value> cotangents, HashSet<string> useful)
    {
        var rule = Rules(node, graph) ?? throw new OnnxModelException(
            $"{Describe(node)} has no gradient rule for operator set {graph.Opset}; exclude the parameters before it from training, or "
                + "export the model with operators listed in docs/operators.md");
        if (rule.Refusal is { } reason)
            throw new OnnxModelException($"{Describe(node)} cannot be differentiated: {reason}");
        RequireFloat(node, node.Output.Where(cotangents.ContainsKey));
        var context = new RuleContext(graph, types, node, cotangents);
        var gradients = rule.Pull(context);
        for (var i = 0; i < node.Input.Count && i < gradients.Length; i++)
        {
            if (gradients[i] is not { } gradient || !useful.Contains(node.Input[i]))
                continue;
            emitted.Add((gradient, node.Input[i], node));
            cotangents[node.Input[i]] = cotangents.TryGetValue(node.Input[i], out var sum) ? graph.Add(sum, gradient) : gradient;
        }
    }

    static string Describe(NodeProto node) =>
        $"operator {(node.Domain.Length > 0 ? node.Domain + "." : "")}{node.OpType} (node '{node.Name}')";
}
