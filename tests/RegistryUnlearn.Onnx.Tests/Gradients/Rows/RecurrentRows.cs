using RegistryUnlearn.Onnx.Graphs;
using RegistryUnlearn.Onnx.Proto;

namespace RegistryUnlearn.Onnx.Tests.Gradients.Rows;

public sealed class RecurrentRows
{
    internal static readonly RowSet Rows = new(
    [
        new("LSTM", "3,N,2 | 1,12,2 | 1,12,3", "hidden_size=3") { Outputs = 3 },
        new("LSTM", "2,N,2 | 1,12,2 | 1,12,3 | 1,24 |  | 1,N,3 | 1,N,3", "hidden_size=3 direction=reverse") { Outputs = 3 },
        new("LSTM", "2,N,2 | 2,8,2 | 2,8,2 | 2,16", "hidden_size=2 direction=bidirectional") { Outputs = 3 },
        new("LSTM", "1,N,2 | 1,8,2 | 1,8,2", "hidden_size=2"),
        new("GRU", "3,N,2 | 1,9,2 | 1,9,3", "hidden_size=3") { Outputs = 2 },
        new("GRU", "2,N,2 | 1,9,2 | 1,9,3 | 1,18 |  | 1,N,3", "hidden_size=3 linear_before_reset=1") { Outputs = 2 },
        new("GRU", "2,N,2 | 2,6,2 | 2,6,2 | 2,12", "hidden_size=2 direction=bidirectional") { Outputs = 2 },
        new("RNN", "3,N,2 | 1,3,2 | 1,3,3 | 1,6", "hidden_size=3") { Outputs = 2 },
        new("RNN", "2,N,2 | 2,2,2 | 2,2,2 |  |  | 2,N,2", "hidden_size=2 direction=bidirectional") { Outputs = 2 },
        new("GRU", "20,N,2 | 1,6,2 | 1,6,2 | 1,12", "hidden_size=2"),
        // samples with fewer steps than the longest
        .. from direction in new[] { "forward", "reverse" }
            from layer in new GradientCase[]
            {
                new("LSTM", "3,N,2 | 1,8,2 | 1,8,2 | 1,16 | N int32<3"), new("GRU", "3,N,2 | 1,6,2 | 1,6,2 | 1,12 | N int32<3 | 1,N,2"),
                new("RNN", "3,N,2 | 1,2,2 | 1,2,2 |  | N int32<3"),
            }
            select layer with { Attributes = direction, Build = (g, x) => OfLengths(g, x, layer.Op, direction) },
        new("LSTM", "3,N,2 | 2,8,2 | 2,8,2 | 2,16 | N int32<3 | 2,N,2 | 2,N,2", "bidirectional")
        {
            Build = (g, x) => OfLengths(g, x, "LSTM", "bidirectional"),
        },
        // gates
        new("LSTM", "2,N,2 | 1,8,2 | 1,8,2 | 1,16", "hidden_size=2 input_forget=1") { Outputs = 3 },
        new("GRU", "2,N,2 | 1,6,2 | 1,6,2", "hidden_size=2 linear_before_reset=1 direction=reverse") { Outputs = 2 },
        .. from layer in new[] { "LSTM 8", "GRU 6", "RNN 2" } from width in new[] { layer[^1] }
            select new GradientCase(layer.Split(' ')[0], $"2,N,2 | 1,{width},2 | 1,{width},2", "hidden_size=2 clip=0.25")
            {
                Step = 1 / 256f, Tolerance = 5e-3,
            },
        // activations by name, parameters in the order in which they are needed
        new("LSTM", "2,N,2 | 1,8,2 | 1,8,2", "hidden_size=2 activations=[Sigmoid,Softsign,Softplus]")
        {
            Outputs = 3, Step = 1 / 256f,
        },
        new("LSTM", "2,N,2 | 1,8,2 | 1,8,2",
            "hidden_size=2 activations=[HardSigmoid,Tanh,Tanh] activation_alpha=[0.1] activation_beta=[0.4]"),
        new("GRU", "2,N,2 | 1,6,2 | 1,6,2",
            "hidden_size=2 activations=[HardSigmoid,ScaledTanh] activation_alpha=[0.1,1.5] activation_beta=[0.4,0.7]") { Step = 1 / 256f },
        .. from function in new[] { "Relu", "LeakyRelu", "Elu", "Softplus", "Sigmoid" }
            select new GradientCase("RNN", "2,N,2 | 1,2,2 | 1,2,2 | 1,4", $"hidden_size=2 activations=[{function}]")
            {
                Step = 1 / 256f, Tolerance = 5e-3,
            },
        new("RNN", "2,N,2 | 1,2,2 | 1,2,2", "hidden_size=2 activations=[ThresholdedRelu] activation_alpha=[0.25]") { Step = 1 / 256f },
        new("RNN", "2,N,2 | 2,2,2 | 2,2,2",
            "hidden_size=2 direction=bidirectional activations=[Affine,Elu] activation_alpha=[0.5,0.75] activation_beta=[0.25]")
        {
            Step = 1 / 256f,
        },
    ]);

    /// <summary>Lengths from one on: the input counts from zero.</summary>
    static Value[] OfLengths(GraphBuilder g, Value[] x, string op, string direction)
    {
        x[4] = g.Add(x[4], g.Cast(g.Ints(1), TensorProto.Types.DataType.Int32));
        Value[] outs = [new("states"), new("last"), new("memory")];
        outs = op is "LSTM" ? outs : outs[..2];
        g.Add(op, x, outs, Onnx.Graphs.Attributes.Of("hidden_size", 2), Onnx.Graphs.Attributes.Of("direction", direction));
        return outs;
    }

    public static TheoryData<string, int, bool> Runs => Rows.Runs;

    [Theory, MemberData(nameof(Runs))]
    public void Gradient_agrees_with_difference_quotients(string row, int opset, bool free) => Rows.Check(row, opset, free);
}
