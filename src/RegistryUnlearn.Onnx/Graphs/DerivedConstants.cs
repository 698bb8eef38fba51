using Microsoft.ML.OnnxRuntime;
using RegistryUnlearn.Onnx.Proto;

namespace RegistryUnlearn.Onnx.Graphs;

/// <summary>
/// Small integers and floats that a graph computes from constants and from the sizes of values, as exporters write paddings and scales.
/// ONNX Runtime computes them, twice, with different sizes for the dimensions that are free: what is the same both times is constant.
/// </summary>
static class DerivedConstants
{
    /// <summary>The integers (int64 or int32) of a value; null where it depends on elements of an input or on free sizes.</summary>
    public static long[]? Integers(GraphBuilder graph, TypeOracle types, Value value) => Find(graph, types, value)?.Integers;

    /// <summary>The floats of a value; null where it depends on elements of an input or on free sizes.</summary>
    public static float[]? Floats(GraphBuilder graph, TypeOracle types, Value value) => Find(graph, types, value)?.Floats;

    static (long[]? Integers, float[]? Floats)? Find(GraphBuilder graph, TypeOracle types, Value value)
    {
        var loose = new LooseNodes(graph, types);
        if (!loose.TakeValue(value.Name))
            return null;
        using var session = TypeOracle.Load(loose.Graph.Build([value.Name]));
        var first = Run(session, loose.Graph.Inputs, value.Name, at: 2);
        var second = Run(session, loose.Graph.Inputs, value.Name, at: 5);
        return (Same(first.Integers, second.Integers), Same(first.Floats, second.Floats));
    }

    static (long[]? Integers, float[]? Floats) Run(
        InferenceSession session, IReadOnlyDictionary<string, TensorType> inputs, string name, int at)
    {
        var symbols = inputs.Values.SelectMany(t => t.Shape).Where(d => !d.IsFixed).Select(d => d.Symbol!).Distinct().ToList();
        var feeds = inputs.ToDictionary(i => i.Key, i => ExampleRuns.Zeros(i.Value, symbol => at + symbols.IndexOf(symbol)));
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

    static T[]? Same<T>(T[]? first, T[]? second) =>
        first is not null && second is not null && first.AsSpan().SequenceEqual(second) ? first : null;
}
