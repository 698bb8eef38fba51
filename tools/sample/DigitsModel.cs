using RegistryUnlearn.Onnx.Graphs;
using RegistryUnlearn.Onnx.Proto;
using RegistryUnlearn.Training.Buffers;
using RegistryUnlearn.Unlearning.Data;

namespace RegistryUnlearn.SampleMaker;

/// <summary>The network: two 3×3 convolutions, a 2×2 maximum, two dense layers; 38,282 weights.</summary>
static class DigitsModel
{
    static readonly long[] SampleShape = [1, Digit.Side, Digit.Side];

    static readonly ModelParameter[] Parameters =
    [
        new("conv1.weight", [16, 1, 3, 3]), new("conv1.bias", [16]),
        new("conv2.weight", [32, 16, 3, 3]), new("conv2.bias", [32]),
        new("fc1.weight", [64, 512]), new("fc1.bias", [64]),
        new("fc2.weight", [Digit.Classes, 64]), new("fc2.bias", [Digit.Classes]),
    ];

    /// <summary>Weights uniform within ±√(6 / fan-in) (He et al., ICCV 2015), biases zero.</summary>
    public static TensorBlock Initial(ulong seed)
    {
        var block = new TensorBlock(Parameters);
        foreach (var (i, parameter) in Parameters.Index().Where(p => p.Item.Shape.Count > 1))
        {
            var bound = MathF.Sqrt(6f / (parameter.Count / parameter.Shape[0]));
            var random = Rng.For(seed, $"sample/init/{parameter.Name}", 0);
            foreach (ref var weight in block[i])
                weight = ((2 * random.NextSingle()) - 1) * bound;
        }
        return block;
    }

    /// <summary>The model with the given weights: <c>input</c> [batch, 1, 8, 8], pixels / 16, to <c>logits</c> [batch, 10].</summary>
    public static ModelProto Build(TensorBlock weights)
    {
        var g = new GraphBuilder(GraphBuilder.OldestOpset);
        var input = g.Input("input", TensorType.Float(["batch", .. SampleShape.Select(d => (Dim)d)]));
        Value[] p = [.. Parameters.Select((q, i) => g.Initializer(q.Name, Tensors.Of((ReadOnlySpan<float>)weights[i], [.. q.Shape])))];
        var conv1 = Convolution("conv1", input, p[0], p[1]);
        var conv2 = Convolution("conv2", conv1, p[2], p[3]);
        var pool = Node("MaxPool", "pool", [conv2], Attributes.Of("kernel_shape", [2, 2]), Attributes.Of("strides", [2, 2]));
        var flat = Node("Flatten", "flatten", [pool]);
        var fc1 = Node("Relu", "fc1/relu", [Dense("fc1", flat, p[4], p[5])]);
        g.Output("logits", Dense("logits", fc1, p[6], p[7]), TensorType.Float("batch", Digit.Classes));
        return g.Build();

        Value Convolution(string name, Value x, Value weight, Value bias) => Node("Relu", $"{name}/relu",
            [Node("Conv", name, [x, weight, bias], Attributes.Of("kernel_shape", [3, 3]), Attributes.Of("pads", [1, 1, 1, 1]))]);

        Value Dense(string name, Value x, Value weight, Value bias) => Node("Gemm", name, [x, weight, bias], Attributes.Of("transB", 1L));

        Value Node(string op, string name, Value[] inputs, params ReadOnlySpan<AttributeProto> attributes)
        {
            g.Add(op, inputs, [new(name)], attributes);
            return new(name);
        }
    }

    /// <summary>The model for training and evaluation, its weights taken from outside.</summary>
    public static ForwardModel Forward(TensorBlock weights) =>
        new(Build(weights), "input", "logits", SampleShape, Parameters, tensor => tensor);
}
