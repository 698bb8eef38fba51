using Microsoft.ML.OnnxRuntime;
using RegistryUnlearn.Onnx.Models;
using RegistryUnlearn.Onnx.Proto;
using RegistryUnlearn.Onnx.Runtime;

namespace RegistryUnlearn.Onnx.Graphs;

/// <summary>
/// Element types and shapes of the values of a graph, as ONNX Runtime sees them: from its shape inference, and for what that leaves open
/// from <see cref="ExampleRuns"/>: of the nodes where the inference got stuck, if these are few, else of the whole graph.
/// </summary>
public sealed class TypeOracle
{
    /// <summary>Rounds of inference, each with what was found out before; a graph that needs more is run as a whole.</summary>
    const int MostRounds = 8;

    readonly Dictionary<string, TensorType> types = [];
    readonly HashSet<string> observed = [];
    readonly ExampleRuns examples = new();

    public TensorType this[string name] => types.TryGetValue(name, out var type)
        ? type : throw new InvalidOperationException($"the type of '{name}' has not been asked for");

    public bool Knows(string name) => types.ContainsKey(name);

    /// <summary>Asks for every value of the graph that is not known yet.</summary>
    /// <exception cref="OnnxModelException">ONNX Runtime does not accept the graph.</exception>
    public void Update(GraphBuilder graph)
    {
        foreach (var (name, type) in graph.Inputs)
            types[name] = type;
        foreach (var (name, tensor) in graph.Initializers)
            types.TryAdd(name, new((TensorProto.Types.DataType)tensor.DataType, [.. tensor.Dims.Select(d => (Dim)d)]));
        examples.Declare(graph.Inputs.Values);
        var unknown = graph.Nodes.SelectMany(n => n.Output).Where(o => o.Length > 0 && !types.ContainsKey(o)).ToHashSet();
        string[] asked = [.. unknown];
        for (var round = 1; unknown.Count > 0; round++)
        {
            var before = observed.Count;
            var open = Infer(graph, unknown);
            var learned = observed.Count > before;
            if (open.Count > 0 && (IsLong(graph, open) || round == MostRounds || (!learned && !ObserveRoots(graph, open))))
                Learn(examples.Observe(graph.Inputs, Annotated(graph.Build(open.Keys)), open));
            unknown = [.. open.Keys.Where(o => !types.ContainsKey(o))];
        }
        foreach (var name in asked.Where(types.ContainsKey))
            graph.Declare(name, types[name]);
    }

    /// <exception cref="OnnxModelException">ONNX Runtime does not accept the model.</exception>
    internal static void RequireAccepted(ModelProto model) => Load(model).Dispose();

    internal static InferenceSession Load(ModelProto model) =>
        OrtRuntime.Load(model, options => options.GraphOptimizationLevel = GraphOptimizationLevel.ORT_DISABLE_ALL);

    /// <summary>Tells ONNX Runtime's inference what it could not find out by itself.</summary>
    ModelProto Annotated(ModelProto model)
    {
        var declared = model.Graph.Output.Concat(model.Graph.ValueInfo).Select(v => v.Name).ToHashSet();
        foreach (var name in model.Graph.Node.SelectMany(n => n.Output).Where(o => observed.Contains(o) && !declared.Contains(o)))
            model.Graph.ValueInfo.Add(types[name].ToValueInfo(name));
        return model;
    }

    /// <summary>
    /// Takes over what was inferred and returns what stays open, with its element type. Sequences are no tensors and have no type here.
    /// </summary>
    Dictionary<string, TensorProto.Types.DataType> Infer(GraphBuilder graph, HashSet<string> unknown)
    {
        using var session = Load(Annotated(graph.Build(unknown)));
        var open = new Dictionary<string, TensorProto.Types.DataType>();
        var outputs = session.OutputMetadata;
        foreach (var node in graph.Nodes)
            foreach (var name in node.Output.Where(unknown.Contains))
            {
                var meta = outputs[name];
                if (meta.OnnxValueType is not OnnxValueType.ONNX_TYPE_TENSOR)
                    continue;
                var element = (TensorProto.Types.DataType)(int)meta.ElementDataType;
                if (!IsOpen(meta))
                    types[name] = new(element, [.. meta.Dimensions.Select((d, i) => d >= 0 ? (Dim)d : meta.SymbolicDimensions[i])]);
                else if (meta.Dimensions.Length == 0 && HasInferredRank(node))
                    types[name] = new(element, []);
                else if (ShapeOfAnother(graph, node) is { } shape)
                    Learn([(name, new(element, shape))]);
                else
                    open.Add(name, element);
            }
        return open;
    }

    /// <summary>Whether the rank of the outputs follows from the ranks of the inputs, so that what looks like rank 0 is rank 0.</summary>
    bool HasInferredRank(NodeProto node) => node.Domain is ("" or "ai.onnx")
        && node.Input.All(i => i.Length == 0 || Knows(i)) && node.OpType switch
        {
            "ReduceSum" or "ReduceMean" or "ReduceProd" => node.Input.Count == 1,
            "Constant" or "Identity" or "Cast" or "Gather" or "Add" or "Sub" or "Mul" or "Div" or "Pow" or "Neg" or "Reciprocal" or "Sqrt"
                or "Exp" or "Log" or "Where" or "Equal" or "Greater" or "Less" => true,
            _ => false,
        };

    /// <summary>The shape of x, where the node gives its result the shape that Shape says x has; null otherwise.</summary>
    IReadOnlyList<Dim>? ShapeOfAnother(GraphBuilder graph, NodeProto node)
    {
        if (node.Domain is not ("" or "ai.onnx") || node.OpType is not ("Expand" or "Reshape" or "ConstantOfShape")
            || graph.Producer(new(node.Input[^1])) is not { OpType: "Shape", Attribute.Count: 0 } sizes || !Knows(sizes.Input[0]))
            return null;
        var shape = types[sizes.Input[0]].Shape;
        if (node.OpType is not "Expand")
            return shape.Any(d => d.IsFixed && d.Size == 0) ? null : shape;
        if (!Knows(node.Input[0]) || types[node.Input[0]].Shape is not { } from || from.Count > shape.Count)
            return null;
        return from.Select((d, i) => d == 1 || d == shape[i + shape.Count - from.Count]).All(fits => fits) ? shape : null;
    }

    /// <summary>Open: an unnamed size, or an unknown rank, which ONNX Runtime reports like rank 0.</summary>
    bool IsOpen(NodeMetadata meta) =>
        meta.Dimensions.Length == 0 || meta.Dimensions.Where((d, i) => d < 0 && !examples.Knows(meta.SymbolicDimensions[i])).Any();

    /// <summary>Whether inference would get stuck at one node after another.</summary>
    static bool IsLong(GraphBuilder graph, Dictionary<string, TensorProto.Types.DataType> open) =>
        graph.Nodes.Count(n => n.Output.Any(open.ContainsKey)
            && n.OpType is "Reshape" or "Expand" or "ConstantOfShape" or "Slice" or "Tile" or "Pad" or "Resize" or "Range") > MostRounds;

    /// <summary>
    /// Runs the nodes that have open outputs and no open inputs, all of them at once and without what comes before them; false if there
    /// is none that this is possible for.
    /// </summary>
    bool ObserveRoots(GraphBuilder graph, Dictionary<string, TensorProto.Types.DataType> open)
    {
        var roots = new LooseNodes(graph, this);
        foreach (var node in graph.Nodes)
            if (node.Output.Any(open.ContainsKey) && !GraphBuilder.Reads(node).Any(open.ContainsKey))
                roots.Take(node);
        var found = roots.Taken.SelectMany(n => n.Output).Where(open.ContainsKey).ToDictionary(o => o, o => open[o]);
        if (found.Count == 0)
            return false;
        Learn(examples.Observe(roots.Graph.Inputs, roots.Graph.Build(found.Keys), found));
        return true;
    }

    void Learn(IEnumerable<(string Name, TensorType Type)> seen)
    {
        foreach (var (name, type) in seen)
        {
            types[name] = type;
            observed.Add(name);
        }
    }
}
