using Microsoft.ML.OnnxRuntime;
using RegistryUnlearn.Onnx.Proto;

namespace RegistryUnlearn.Onnx.Graphs;

/// <summary>
/// Small integers and floats that a graph computes from constants and from the sizes of values, as exporters write paddings and scales.
/// ONNX Runtime computes them, twice, with different sizes for the dimensions that are free: what is the same both times is constant.
/// </summary>
static class DerivedConstants
{
    /// <summary>A longer computation is not what exporters write around a constant.</summary>
    const int MostNodes = 500;

    /// <summary>The integers (int64 or int32) of a value; null where it depends on elements of an input or on free sizes.</summary>
    public static long[]? Integers(GraphBuilder graph, TypeOracle types, Value value) => Find(graph, types, value)?.Integers;

    /// <summary>The floats of a value; null where it depends on elements of an input or on free sizes.</summary>
    public static float[]? Floats(GraphBuilder graph, TypeOracle types, Value value) => Find(graph, types, value)?.Floats;

    static (long[]? Integers, float[]? Floats)? Find(GraphBuilder graph, TypeOracle types, Value value)
    {
        var alone = new GraphBuilder(graph.Opset);
        if (!Take(graph, types, alone, value.Name))
            return null;
        using var options = TypeOracle.Options();
        using var session = TypeOracle.Load(alone.Build([value.Name]), options);
        var first = Run(session, alone, value.Name, at: 2);
        var second = Run(session, alone, value.Name, at: 5);
        return (Same(first.Integers, second.Integers), Same(first.Floats, second.Floats));
    }

    /// <summary>Copies what computes a value, down to constants and to values of which only the shape counts.</summary>
    static bool Take(GraphBuilder graph, TypeOracle types, GraphBuilder alone, string name)
    {
        if (name.Length == 0 || alone.Initializers.ContainsKey(name) || alone.Producer(new(name)) is not null)
            return true;
        if (graph.Initializers.TryGetValue(name, out var tensor))
        {
            alone.Initializer(name, tensor);
            return true;
        }
        if (graph.Producer(new(name)) is not { Domain: "" or "ai.onnx" } node || alone.Nodes.Count == MostNodes
            || node.OpType.StartsWith("Random", StringComparison.Ordinal) || node.Attribute.Any(a => a.G is not null))
            return false;
        if (node.OpType is "Shape" or "Size")
        {
            if (!types.Knows(node.Input[0]))
                return false;
            if (!alone.Inputs.ContainsKey(node.Input[0]))
                alone.Input(node.Input[0], types[node.Input[0]]);
        }
        else if (!node.Input.All(input => Take(graph, types, alone, input)))
            return false;
        alone.Add(node.Clone());
        return true;
    }

    static (long[]? Integers, float[]? Floats) Run(InferenceSession session, GraphBuilder alone, string name, int at)
    {
        var symbols = alone.Inputs.Values.SelectMany(t => t.Shape).Where(d => !d.IsFixed).Select(d => d.Symbol!).Distinct().ToList();
        var feeds = alone.Inputs.ToDictionary(i => i.Key, i => TypeOracle.Feed(i.Value, d => d.IsFixed ? d.Size : at + symbols.IndexOf(d.Symbol!)));
        try
        {
            using var run = new RunOptions();
            using var results = session.Run(run, feeds, [name]);
            return (TensorProto.Types.DataType)(int)results[0].GetTensorTypeAndShape().ElementDataType switch
            {
                TensorProto.Types.DataType.Int64 => (results[0].GetTensorDataAsSpan<long>().ToArray(), null),
                TensorProto.Types.DataType.Int32 => ([.. results[0].GetTensorDataAsSpan<int>()], null),
                TensorProto.Types.DataType.Float => (null, results[0].GetTensorDataAsSpan<float>().ToArray()),
                _ => (null, null),
            };
        }
        finally
        {
            foreach (var feed in feeds.Values)
                feed.Dispose();
        }
    }

    static T[]? Same<T>(T[]? first, T[]? second) => first is not null && second is not null && first.AsSpan().SequenceEqual(second) ? first : null;
}
