using Google.Protobuf;
using Microsoft.ML.OnnxRuntime;
using Microsoft.ML.OnnxRuntime.Tensors;
using RegistryUnlearn.Onnx.Models;
using RegistryUnlearn.Onnx.Proto;
using RegistryUnlearn.Onnx.Runtime;

namespace RegistryUnlearn.Onnx.Graphs;

/// <summary>
/// Element types and shapes of the values of a graph, as ONNX Runtime sees them: first from its shape inference, and for sizes that it
/// leaves open from two runs with different sizes for every free dimension of the inputs. A size that is the same in both runs is taken
/// as fixed; two sizes that agree in both runs get the same symbol.
/// </summary>
public sealed class TypeOracle
{
    readonly Dictionary<string, TensorType> types = [];

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
        var unknown = graph.Nodes.SelectMany(n => n.Output).Where(o => o.Length > 0 && !types.ContainsKey(o)).ToList();
        if (unknown.Count == 0)
            return;
        using var options = Options();
        using var session = Load(graph.Build(unknown), options);
        var open = new List<string>();
        foreach (var name in unknown)
        {
            var meta = session.OutputMetadata[name];
            if (meta.OnnxValueType is OnnxValueType.ONNX_TYPE_TENSOR && !IsOpen(meta, graph))
                types[name] = new(Element(meta.ElementDataType),
                    [.. meta.Dimensions.Select((d, i) => d >= 0 ? (Dim)d : meta.SymbolicDimensions[i])]);
            else if (meta.OnnxValueType is OnnxValueType.ONNX_TYPE_TENSOR)
                open.Add(name);
        }
        if (open.Count > 0)
            Observe(graph, session, open);
    }

    /// <exception cref="OnnxModelException">ONNX Runtime does not accept the model.</exception>
    internal static void RequireAccepted(ModelProto model)
    {
        using var options = Options();
        Load(model, options).Dispose();
    }

    /// <summary>Open: an unnamed size, or an unknown rank, which ONNX Runtime reports like rank 0.</summary>
    static bool IsOpen(NodeMetadata meta, GraphBuilder graph)
    {
        if (meta.Dimensions.Length == 0)
            return true;
        for (var i = 0; i < meta.Dimensions.Length; i++)
            if (meta.Dimensions[i] < 0 && !graph.Inputs.Values.Any(t => t.Shape.Any(d => d.Symbol == meta.SymbolicDimensions[i])))
                return true;
        return false;
    }

    void Observe(GraphBuilder graph, InferenceSession session, List<string> open)
    {
        var inner = graph.Inputs.Values.SelectMany(t => t.Shape.Skip(1)).Where(d => !d.IsFixed).Select(d => d.Symbol!).ToHashSet();
        var sizes = graph.Inputs.Values.SelectMany(t => t.Shape).Where(d => !d.IsFixed).Select(d => d.Symbol!).Distinct()
            .Select((symbol, i) => (symbol, Sizes: Sizes(i, isBatch: !inner.Contains(symbol)))).ToDictionary(s => s.symbol, s => s.Sizes);
        var first = Run(session, graph, symbol => sizes[symbol].First, open, out var elements);
        var second = Run(session, graph, symbol => sizes[symbol].Second, open, out _);
        // Inputs' own sizes come first, so that an observed size that follows one input dimension takes that dimension's name.
        var seen = sizes.ToDictionary(s => s.Value, s => s.Key);
        for (var k = 0; k < open.Count; k++)
        {
            var dims = new Dim[first[k].Length];
            for (var i = 0; i < dims.Length; i++)
            {
                var key = (first[k][i], second[k][i]);
                dims[i] = key.Item1 == key.Item2 ? key.Item1 : seen.TryGetValue(key, out var symbol) ? symbol
                    : seen[key] = $"size{key.Item1}_{key.Item2}";
            }
            types[open[k]] = new(elements[k], dims);
        }
    }

    /// <summary>
    /// The sizes of a symbol in the two runs: small for an axis that only batches samples; for others wide apart, so that they still
    /// differ behind strides of up to 16. No symbol's pair is another's shifted or multiplied, as padding or repetition would give it.
    /// </summary>
    static (long First, long Second) Sizes(int symbol, bool isBatch) =>
        isBatch ? (2 + 3 * symbol, 3 + 4 * symbol) : (17 + 4 * symbol, 49 + 8 * symbol);

    static long[][] Run(InferenceSession session, GraphBuilder graph, Func<string, long> sizes, List<string> wanted,
        out TensorProto.Types.DataType[] elements)
    {
        var feeds = graph.Inputs.ToDictionary(i => i.Key, i => Feed(i.Value, d => d.IsFixed ? d.Size : sizes(d.Symbol!)));
        try
        {
            using var run = new RunOptions();
            using var results = session.Run(run, feeds, wanted);
            elements = [.. results.Select(r => Element(r.GetTensorTypeAndShape().ElementDataType))];
            return [.. results.Select(r => r.GetTensorTypeAndShape().Shape)];
        }
        catch (OnnxRuntimeException e)
        {
            throw new OnnxModelException($"the graph does not run on an example batch: {e.Message}", e);
        }
        finally
        {
            foreach (var feed in feeds.Values)
                feed.Dispose();
        }
    }

    internal static OrtValue Feed(TensorType type, Func<Dim, long> size)
    {
        var value = OrtValue.CreateAllocatedTensorValue(OrtAllocator.DefaultInstance, (TensorElementType)(int)type.Element,
            [.. type.Shape.Select(size)]);
        value.GetTensorMutableRawData().Clear();
        return value;
    }

    static TensorProto.Types.DataType Element(TensorElementType type) => (TensorProto.Types.DataType)(int)type;

    internal static SessionOptions Options()
    {
        var options = OrtRuntime.NewOptions();
        options.GraphOptimizationLevel = GraphOptimizationLevel.ORT_DISABLE_ALL;
        return options;
    }

    internal static InferenceSession Load(ModelProto model, SessionOptions options)
    {
        try
        {
            return new InferenceSession(model.ToByteArray(), options);
        }
        catch (OnnxRuntimeException e)
        {
            throw new OnnxModelException($"ONNX Runtime does not accept the graph: {e.Message}", e);
        }
    }
}
