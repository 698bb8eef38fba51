using Microsoft.ML.OnnxRuntime;
using RegistryUnlearn.Onnx.Models;
using RegistryUnlearn.Onnx.Proto;
using RegistryUnlearn.Onnx.Runtime;

namespace RegistryUnlearn.Onnx.Graphs;

/// <summary>
/// Element types and shapes of the values of a graph, as ONNX Runtime sees them: from its shape inference at the sizes of
/// <see cref="ExampleRuns"/>, and for what that leaves open from runs of the nodes where the inference got stuck, if these are few, else of
/// the whole graph.
/// </summary>
public sealed class TypeOracle
{
    /// <summary>Nodes that are asked about at once: time for opening a session grows faster than its graph.</summary>
    const int Portion = 400;

    /// <summary>Rounds of inference, each with what was found out before; a portion that needs more is run.</summary>
    const int MostRounds = 12;

    readonly Dictionary<string, TensorType> types = [];
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
        foreach (var portion in graph.Nodes.Where(n => n.Output.Any(IsUnknown)).Chunk(Portion))
            Learn(graph, portion);
    }

    /// <exception cref="OnnxModelException">ONNX Runtime does not accept the model.</exception>
    internal static void RequireAccepted(ModelProto model) => Load(model).Dispose();

    internal static InferenceSession Load(ModelProto model) =>
        OrtRuntime.Load(model, options => options.GraphOptimizationLevel = GraphOptimizationLevel.ORT_DISABLE_ALL);

    bool IsUnknown(string output) => output.Length > 0 && !types.ContainsKey(output);

    /// <param name="portion">Nodes in order; what they read and do not make themselves has a type already, unless it is no tensor.</param>
    void Learn(GraphBuilder graph, NodeProto[] portion)
    {
        for (var round = 1; Infer(graph, portion) is { Count: > 0 } open; round++)
            if (round == MostRounds || !ObserveRoots(graph, portion, open))
                Learn(graph, examples.Observe(graph.Inputs, graph.Build(open.Keys), open));
    }

    /// <summary>
    /// Takes over what was inferred and returns what stays open, with its element type. Sequences are no tensors and have no type here.
    /// </summary>
    Dictionary<string, TensorProto.Types.DataType> Infer(GraphBuilder graph, NodeProto[] portion)
    {
        var open = new Dictionary<string, TensorProto.Types.DataType>();
        NodeProto[] nodes = [.. portion.Where(n => n.Output.Any(IsUnknown))];
        if (nodes.Length == 0)
            return open;
        var loose = new LooseNodes(graph, this);
        foreach (var node in nodes)
            loose.Place(node);
        string[] asked = [.. nodes.SelectMany(n => n.Output).Where(IsUnknown)];
        var inferred = examples.Infer(loose.Graph.Inputs, loose.Graph.Build(asked), asked);
        foreach (var node in nodes)
            foreach (var name in node.Output.Where(inferred.ContainsKey))
            {
                var (element, shape) = inferred[name];
                if (shape is null || (shape.Count == 0 && !HasInferredRank(node)))
                    open.Add(name, element);
                else
                    Learn(graph, [(name, new(element, shape))]);
            }
        return open;
    }

    /// <summary>
    /// Whether the rank of the outputs follows from the ranks of the inputs: an unknown rank is reported like rank 0.
    /// </summary>
    bool HasInferredRank(NodeProto node) => node.Domain is ("" or "ai.onnx")
        && node.Input.All(i => i.Length == 0 || Knows(i)) && node.OpType switch
        {
            "ReduceSum" or "ReduceMean" or "ReduceProd" => node.Input.Count == 1,
            "Constant" or "Identity" or "Cast" or "Gather" or "Add" or "Sub" or "Mul" or "Div" or "Pow" or "Neg" or "Reciprocal" or "Sqrt"
                or "Exp" or "Log" or "Where" or "Equal" or "Greater" or "Less" => true,
            _ => false,
        };

    /// <summary>
    /// Runs the nodes that have open outputs and no open inputs, all of them at once and without what comes before them; false if there
    /// is none that this is possible for.
    /// </summary>
    bool ObserveRoots(GraphBuilder graph, NodeProto[] portion, Dictionary<string, TensorProto.Types.DataType> open)
    {
        var roots = new LooseNodes(graph, this);
        foreach (var node in portion)
            if (node.Output.Any(open.ContainsKey) && !GraphBuilder.Reads(node).Any(open.ContainsKey))
                roots.Take(node);
        var found = roots.Taken.SelectMany(n => n.Output).Where(open.ContainsKey).ToDictionary(o => o, o => open[o]);
        if (found.Count == 0)
            return false;
        Learn(graph, examples.Observe(roots.Graph.Inputs, roots.Graph.Build(found.Keys), found));
        return true;
    }

    void Learn(GraphBuilder graph, IEnumerable<(string Name, TensorType Type)> found)
    {
        foreach (var (name, type) in found)
        {
            types[name] = type;
            graph.Declare(name, type);
        }
    }
}
