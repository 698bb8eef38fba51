using Microsoft.ML.OnnxRuntime;
using Microsoft.ML.OnnxRuntime.Tensors;
using RegistryUnlearn.Onnx.Models;
using RegistryUnlearn.Onnx.Proto;

namespace RegistryUnlearn.Onnx.Graphs;

/// <summary>
/// Shapes of values as ONNX Runtime infers or runs them twice, with different sizes for every free dimension of the inputs. A size that is
/// the same both times is taken as fixed; two sizes that agree both times get the same symbol.
/// </summary>
sealed class ExampleRuns
{
    readonly Dictionary<string, (long First, long Second)> sizes = [];
    readonly Dictionary<(long First, long Second), string> symbols = [];
    int inputSymbols;

    /// <summary>Gives sizes to the inputs' symbols; an observed size that follows one input dimension takes its name.</summary>
    public void Declare(IEnumerable<TensorType> inputs)
    {
        var inner = inputs.SelectMany(t => t.Shape.Skip(1)).Where(d => !d.IsFixed).Select(d => d.Symbol!).ToHashSet();
        foreach (var symbol in inputs.SelectMany(t => t.Shape).Where(d => !d.IsFixed).Select(d => d.Symbol!).Distinct())
            if (!sizes.ContainsKey(symbol))
            {
                var pair = Sizes(inputSymbols++, isBatch: !inner.Contains(symbol));
                sizes[symbol] = pair;
                symbols[pair] = symbol;
            }
    }

    /// <summary>
    /// The sizes of a symbol in the two runs: small for an axis that only batches samples; for others wide apart, so that they still
    /// differ behind strides of up to 16. No symbol's pair is another's shifted or multiplied, as padding or repetition would give it.
    /// </summary>
    static (long First, long Second) Sizes(int symbol, bool isBatch) =>
        isBatch ? (2 + 3 * symbol, 3 + 4 * symbol) : (17 + 4 * symbol, 49 + 8 * symbol);

    /// <summary>What shape inference says of values; the shape is null where it leaves open a size.</summary>
    /// <param name="inputs">The graph's inputs, with symbols that are declared or were found here.</param>
    /// <param name="wanted">Outputs of the graph. Those that are no tensors are left out.</param>
    /// <exception cref="OnnxModelException">ONNX Runtime does not accept the graph at these sizes.</exception>
    public Dictionary<string, (TensorProto.Types.DataType Element, IReadOnlyList<Dim>? Shape)> Infer(
        IReadOnlyDictionary<string, TensorType> inputs, ModelProto model, IReadOnlyList<string> wanted)
    {
        var first = Inferred(model, inputs, symbol => sizes[symbol].First);
        var second = inputs.Values.All(t => t.IsFixed) ? first : Inferred(model, inputs, symbol => sizes[symbol].Second);
        return wanted.Where(first.ContainsKey).ToDictionary(name => name, name =>
        {
            var (element, shape) = first[name];
            return (element, Both(shape, second[name].Shape));
        });
    }

    IReadOnlyList<Dim>? Both(int[] first, int[] second) =>
        first.Length != second.Length || first.Contains(-1) || second.Contains(-1) ? null
            : [.. first.Zip(second, (a, b) => DimOf(a, b))];

    static Dictionary<string, (TensorProto.Types.DataType Element, int[] Shape)> Inferred(
        ModelProto model, IReadOnlyDictionary<string, TensorType> inputs, Func<string, long> sizes)
    {
        model.Graph.Input.Clear();
        foreach (var (name, type) in inputs)
        {
            Dim[] shape = [.. type.Shape.Select(d => d.IsFixed ? d : sizes(d.Symbol!))];
            model.Graph.Input.Add(new TensorType(type.Element, shape).ToValueInfo(name));
        }
        using var session = TypeOracle.Load(model);
        return session.OutputMetadata.Where(o => o.Value.OnnxValueType is OnnxValueType.ONNX_TYPE_TENSOR).ToDictionary(
            o => o.Key, o => ((TensorProto.Types.DataType)(int)o.Value.ElementDataType, o.Value.Dimensions));
    }

    /// <summary>Runs a graph twice on zeros. Only the shapes of the values are kept, so that the runs need little memory.</summary>
    /// <param name="model">The graph; its own outputs give way to the shapes.</param>
    /// <param name="wanted">Tensors of the graph with their element types.</param>
    /// <exception cref="OnnxModelException">The graph does not run.</exception>
    public List<(string Name, TensorType Type)> Observe(IReadOnlyDictionary<string, TensorType> inputs, ModelProto model,
        IReadOnlyDictionary<string, TensorProto.Types.DataType> wanted)
    {
        string[] names = [.. wanted.Keys];
        model.Graph.Output.Clear();
        foreach (var name in names)
        {
            model.Graph.Node.Add(new NodeProto { OpType = "Shape", Input = { name }, Output = { ShapeOf(name) } });
            model.Graph.Output.Add(new ValueInfoProto { Name = ShapeOf(name) });
        }
        using var session = TypeOracle.Load(model);
        var first = Run(session, inputs, symbol => sizes[symbol].First, names);
        var second = Run(session, inputs, symbol => sizes[symbol].Second, names);
        return [.. names.Select((name, k) => (name, new TensorType(wanted[name], [.. first[k].Zip(second[k], DimOf)])))];
    }

    static string ShapeOf(string value) => $"shape of {value}";

    Dim DimOf(long first, long second)
    {
        if (first == second)
            return first;
        if (!symbols.TryGetValue((first, second), out var symbol))
        {
            symbols[(first, second)] = symbol = $"size{first}_{second}";
            sizes[symbol] = (first, second);
        }
        return symbol;
    }

    static long[][] Run(
        InferenceSession session, IReadOnlyDictionary<string, TensorType> inputs, Func<string, long> sizes, IReadOnlyList<string> wanted)
    {
        var feeds = inputs.ToDictionary(i => i.Key, i => Zeros(i.Value, sizes));
        try
        {
            using var run = new RunOptions();
            using var results = session.Run(run, feeds, [.. wanted.Select(ShapeOf)]);
            return [.. results.Select(r => r.GetTensorDataAsSpan<long>().ToArray())];
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

    /// <param name="sizes">Size of a symbol.</param>
    public static OrtValue Zeros(TensorType type, Func<string, long> sizes)
    {
        var value = OrtValue.CreateAllocatedTensorValue(OrtAllocator.DefaultInstance, (TensorElementType)(int)type.Element,
            [.. type.Shape.Select(d => d.IsFixed ? d.Size : sizes(d.Symbol!))]);
        value.GetTensorMutableRawData().Clear();
        return value;
    }
}
