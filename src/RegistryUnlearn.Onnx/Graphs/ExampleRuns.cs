using Microsoft.ML.OnnxRuntime;
using Microsoft.ML.OnnxRuntime.Tensors;
using RegistryUnlearn.Onnx.Models;
using RegistryUnlearn.Onnx.Proto;

namespace RegistryUnlearn.Onnx.Graphs;

/// <summary>
/// Shapes of values as two runs show them, with different sizes for every free dimension of the inputs. A size that is the same in both
/// runs is taken as fixed; two sizes that agree in both runs get the same symbol.
/// </summary>
sealed class ExampleRuns
{
    readonly Dictionary<string, (long First, long Second)> sizes = [];
    readonly Dictionary<(long First, long Second), string> symbols = [];
    int inputSymbols;

    /// <summary>Whether the symbol is one of an input, or was given to an observed size.</summary>
    public bool Knows(string symbol) => sizes.ContainsKey(symbol);

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

    /// <summary>Runs a graph twice on zeros.</summary>
    /// <param name="session">The graph, with the wanted values among its outputs.</param>
    /// <exception cref="OnnxModelException">The graph does not run.</exception>
    public IEnumerable<(string Name, TensorType Type)> Observe(
        IReadOnlyDictionary<string, TensorType> inputs, InferenceSession session, IReadOnlyList<string> wanted)
    {
        var first = Run(session, inputs, symbol => sizes[symbol].First, wanted);
        var second = Run(session, inputs, symbol => sizes[symbol].Second, wanted);
        for (var k = 0; k < wanted.Count; k++)
            yield return (wanted[k], new(first[k].Element, [.. first[k].Shape.Zip(second[k].Shape, DimOf)]));
    }

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

    static (TensorProto.Types.DataType Element, long[] Shape)[] Run(
        InferenceSession session, IReadOnlyDictionary<string, TensorType> inputs, Func<string, long> sizes, IReadOnlyList<string> wanted)
    {
        var feeds = inputs.ToDictionary(i => i.Key, i => Zeros(i.Value, sizes));
        try
        {
            using var run = new RunOptions();
            using var results = session.Run(run, feeds, wanted);
            return [.. results.Select(r => r.GetTensorTypeAndShape())
                .Select(r => ((TensorProto.Types.DataType)(int)r.ElementDataType, r.Shape))];
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
