using RegistryUnlearn.Onnx.Proto;

namespace RegistryUnlearn.Onnx.Graphs;

/// <summary>The operator that reads a parameter first.</summary>
/// <param name="Parameter">Index among the model's parameters.</param>
/// <param name="Operator">Its type, such as Conv.</param>
/// <param name="Input">Which of its inputs the parameter is.</param>
/// <param name="FanIn">For weights, how many inputs each output of the operator sums over; 1 for others.</param>
public sealed record ParameterUse(int Parameter, string Operator, int Input, long FanIn)
{
    /// <summary>Operators that hand the values of their first input on, perhaps in another order or shape.</summary>
    static readonly HashSet<string> Carriers = ["Identity", "Transpose", "Reshape", "Squeeze", "Unsqueeze", "Cast", "Flatten"];

    internal static IReadOnlyList<ParameterUse> Of(IEnumerable<NodeProto> nodes, IReadOnlyList<ModelParameter> parameters)
    {
        var carried = parameters.Select((p, i) => (p.Name, i)).ToDictionary(p => p.Name, p => (Index: p.i, Turned: false));
        var uses = new List<ParameterUse>();
        var seen = new HashSet<int>();
        foreach (var node in nodes)
        {
            for (var input = 0; input < node.Input.Count; input++)
            {
                if (!carried.TryGetValue(node.Input[input], out var parameter))
                    continue;
                if (input is 0 && Carriers.Contains(node.OpType))
                    carried[node.Output[0]] = parameter with { Turned = parameter.Turned ^ node.OpType is "Transpose" };
                else if (seen.Add(parameter.Index))
                    uses.Add(new(parameter.Index, node.OpType, input,
                        FanInOf(node, input, parameters[parameter.Index].Shape, parameter.Turned)));
            }
        }
        return uses;
    }

    static long FanInOf(NodeProto node, int input, IReadOnlyList<long> shape, bool turned)
    {
        return (node.OpType, input) switch
        {
            ("Conv", 1) => Product(shape.Skip(1)),
            ("ConvTranspose", 1) => shape[0] * Product(shape.Skip(2)),
            ("Gemm", 0) => Summed(turned != (node.Int("transA", 0) == 1), ofFirst: true),
            ("Gemm", 1) => Summed(turned != (node.Int("transB", 0) == 1), ofFirst: false),
            ("MatMul", 0 or 1) when shape.Count > 1 => Summed(turned, ofFirst: input is 0),
            ("LSTM" or "GRU" or "RNN", 1 or 2) => shape[^1],
            _ => 1,
        };

        // A product sums over the columns of its first factor and the rows of its second.
        long Summed(bool isTurned, bool ofFirst) => isTurned == ofFirst ? shape[^2] : shape[^1];
    }

    static long Product(IEnumerable<long> sizes) => sizes.Aggregate(1L, (n, d) => n * d);
}
