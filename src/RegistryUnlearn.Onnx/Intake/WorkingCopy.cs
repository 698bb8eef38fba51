using System.Collections.Frozen;
using RegistryUnlearn.Onnx.Graphs;
using RegistryUnlearn.Onnx.Models;
using RegistryUnlearn.Onnx.Proto;

namespace RegistryUnlearn.Onnx.Intake;

/// <summary>
/// A model in the form that training graphs are made of: model-local functions inlined, branches that are always taken too, operators in
/// the forms of operator set 17 or the model's own if that is newer, in inference mode, computing in float32, in an order that can run.
/// Values and stored tensors keep their names; the model itself stays as it is.
/// </summary>
public sealed class WorkingCopy
{
    const int MostShown = 5;

    /// <summary>Domains besides the standard one whose operators ONNX Runtime brings along.</summary>
    static readonly FrozenSet<string> RuntimeDomains = new[]
    {
        "ai.onnx.ml", "ai.onnx.training", "ai.onnx.preview.training", "com.microsoft", "com.microsoft.experimental", "com.microsoft.nchwc",
        "com.ms.internal.nhwc", "org.pytorch.aten",
    }.ToFrozenSet();

    readonly Float32Form floats;

    WorkingCopy(GraphProto graph, int opset, IReadOnlyList<OperatorSetIdProto> domains, Float32Form floats) =>
        (Graph, Opset, Domains, this.floats) = (graph, opset, domains, floats);

    /// <summary>Constant nodes have become initializers; these are still in the type and place of the model.</summary>
    internal GraphProto Graph { get; }

    /// <summary>Version of the standard operator set, at least 17.</summary>
    public int Opset { get; }

    /// <summary>The other operator sets that the nodes use.</summary>
    internal IReadOnlyList<OperatorSetIdProto> Domains { get; }

    /// <summary>A stored tensor, brought into memory, as the copy computes with it.</summary>
    internal TensorProto Stored(TensorProto resident) => floats.Of(resident);

    /// <exception cref="OnnxModelException">The model cannot be trained as it is; the message names the node and the remedy.</exception>
    public static WorkingCopy Of(ModelProto model)
    {
        var declared = DeclaredOpset(model);
        var opset = Math.Max(declared, GraphBuilder.OldestOpset);
        RequireDense(model.Graph);
        RequireInline(model.Graph.Node, isMain: true);
        foreach (var function in model.Functions) RequireInline(function.Node, isMain: false);
        var graph = new GraphProto { Name = model.Graph.Name };
        graph.Input.AddRange(model.Graph.Input.Select(i => i.Clone()));
        graph.Output.AddRange(model.Graph.Output.Select(o => o.Clone()));
        graph.ValueInfo.AddRange(model.Graph.ValueInfo.Select(v => v.Clone()));
        graph.Initializer.AddRange(model.Graph.Initializer);

        var names = new FreshNames(model.Graph);
        var nodes = OpsetUpgrades.Apply(model.Graph.Node.Select(Named), declared, opset, new KnownValues(model.Graph), names);
        graph.Node.AddRange(new FunctionInlining(model, opset, names).Apply(nodes));
        var domains = UsedDomains(model, graph);
        GraphOrder.Establish(graph);
        DecidedBranches.Apply(graph, names);
        InferenceForm.Apply(graph, names);
        PooledActivations.Apply(graph, names);
        var floats = Float32Form.For(graph);
        floats.Apply(graph);
        return new(graph, (int)opset, domains, floats);
    }

    static long DeclaredOpset(ModelProto model)
    {
        var declared = model.OpsetImport.FirstOrDefault(o => o.Domain is "" or "ai.onnx")?.Version
            ?? model.Functions.Max(FunctionInlining.Version)
            ?? throw new OnnxModelException("opset_import: names no version of the standard operator set. Export the model again");
        return declared is >= OpsetUpgrades.Oldest and <= int.MaxValue ? declared : throw new OnnxModelException(
            $"opset_import: the model uses operator set {declared}, the oldest that can be read is {OpsetUpgrades.Oldest}. Export it again "
            + "with opset_version 13 or newer, or convert it with onnx.version_converter");
    }

    static void RequireDense(GraphProto graph)
    {
        if (graph.SparseInitializer.Count > 0)
            throw new OnnxModelException($"sparse initializer '{graph.SparseInitializer[0].Values?.Name}': sparse tensors are not trained. "
                + "Export the model with dense ones");
    }

    /// <summary>Only the main graph's stored tensors are fetched from other files; what lies deeper must be in the model.</summary>
    static void RequireInline(IEnumerable<NodeProto> nodes, bool isMain)
    {
        foreach (var node in nodes)
        {
            var bodies = LiveNodes.Bodies(node).ToList();
            var tensors = node.Attribute.Select(a => a.T).OfType<TensorProto>().Concat(bodies.SelectMany(b => b.Initializer));
            if (!(isMain && node.OpType == "Constant") && tensors.Any(t => t.DataLocation == TensorProto.Types.DataLocation.External))
                throw new OnnxModelException(
                    $"{NodeLabel.Of(node)}: keeps a tensor of a function, a branch or a loop body in another file. Save the model "
                    + "with these tensors in the model file");
            foreach (var body in bodies) RequireInline(body.Node, isMain: false);
        }
    }

    /// <summary>A copy of the node that has a name, for messages and for the nodes that come from it.</summary>
    static NodeProto Named(NodeProto node)
    {
        var copy = node.Clone();
        copy.Name = NodeLabel.NameOf(node);
        return copy;
    }

    static List<OperatorSetIdProto> UsedDomains(ModelProto model, GraphProto graph)
    {
        var imports = model.OpsetImport.Concat(model.Functions.SelectMany(f => f.OpsetImport)).GroupBy(o => o.Domain)
            .ToDictionary(g => g.Key, g => g.First());
        var used = AllNodes(graph).Where(n => n.Domain is not ("" or "ai.onnx")).ToLookup(n => n.Domain);
        var unknown = used.Where(u => !RuntimeDomains.Contains(u.Key)).SelectMany(u => u).ToList();
        if (unknown.Count > 0)
            throw new OnnxModelException($"{string.Join(", ", unknown.Take(MostShown).Select(NodeLabel.Of))}"
                + $"{(unknown.Count > MostShown ? $" and {unknown.Count - MostShown} more" : "")}: ONNX Runtime has no operators of "
                + $"{string.Join(", ", unknown.Select(n => $"'{n.Domain}'").Distinct())} and the model no functions of these names. Export "
                + "the model with standard operators, or with its own ones as model-local functions");
        return [.. used.Select(u => imports.GetValueOrDefault(u.Key) ?? throw new OnnxModelException(
            $"{NodeLabel.Of(u.First())}: opset_import does not name operator domain '{u.Key}'. Export the model again"))
            .OrderBy(o => o.Domain, StringComparer.Ordinal)];
    }

    static IEnumerable<NodeProto> AllNodes(GraphProto graph) =>
        graph.Node.SelectMany(n => LiveNodes.Bodies(n).SelectMany(AllNodes).Prepend(n));
}
