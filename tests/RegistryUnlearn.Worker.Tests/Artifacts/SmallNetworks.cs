using RegistryUnlearn.Onnx.Graphs;
using RegistryUnlearn.Onnx.Proto;

namespace RegistryUnlearn.Worker.Tests.Artifacts;

/// <summary>One small network of each kind, in the operators that exporters write, with seeded weights.</summary>
sealed class SmallNetworks
{
    public const int Classes = 5;

    readonly GraphBuilder g = new(GraphBuilder.OldestOpset);
    readonly Random random = new(7);

    /// <param name="name">mlp, cnn, resnet or vit.</param>
    public static (ModelProto Model, long[] Sample) Of(string name)
    {
        long[] sample = name == "mlp" ? [6] : [3, 8, 8];
        var network = new SmallNetworks();
        var x = network.g.Input("x", TensorType.Float(["n", .. sample.Select(d => (Dim)d)]));
        var logits = name switch
        {
            "mlp" => network.Perceptron(x),
            "cnn" => network.Convolutional(x),
            "resnet" => network.Residual(x),
            "vit" => network.Transformer(x),
            _ => throw new ArgumentOutOfRangeException(nameof(name), name, null),
        };
        network.g.Output("logits", logits, TensorType.Float("n", Classes));
        return (network.g.Build(), sample);
    }

    Value Perceptron(Value x) => Linear("out", g.Add("Relu", [Linear("hidden", x, 6, 16)]), 16, Classes);

    Value Convolutional(Value x)
    {
        var y = g.Add("Relu", [Normalized("bn", Convolution("conv1", x, 3, 4, 3), 4)]);
        y = g.Add("MaxPool", [y], Attributes.Of("kernel_shape", [2, 2]), Attributes.Of("strides", [2, 2]));
        y = g.Add("Relu", [Convolution("conv2", y, 4, 6, 3)]);
        y = g.Add("AveragePool", [y], Attributes.Of("kernel_shape", [2, 2]), Attributes.Of("strides", [2, 2]));
        return Linear("out", g.Add("Flatten", [y]), 24, Classes);
    }

    Value Residual(Value x)
    {
        var y = g.Add("Relu", [Normalized("bn0", Convolution("stem", x, 3, 4, 3), 4)]);
        var inner = g.Add("Relu", [Normalized("bn1", Convolution("conv1", y, 4, 8, 3, stride: 2), 8)]);
        inner = Normalized("bn2", Convolution("conv2", inner, 8, 8, 3), 8);
        y = g.Add("Relu", [g.Add(inner, Convolution("shortcut", y, 4, 8, 1, stride: 2))]);
        return Linear("out", g.Add("Flatten", [g.Add("GlobalAveragePool", [y])]), 8, Classes);
    }

    Value Transformer(Value x)
    {
        const int width = 8, heads = 2, tokens = 4;
        var y = g.Reshape(Convolution("patches", x, 3, width, 4, stride: 4, pad: 0), 0, width, tokens);
        y = g.Add(g.Transpose(y, [0, 2, 1]), Weight("position", 1, tokens, width));
        var qkv = g.MatMul(LayerNorm("norm1", y, width), Weight("qkv", width, 3 * width));
        Value[] parts = [.. Enumerable.Range(0, 3).Select(i => g.Transpose(
            g.Reshape(g.Slice(qkv, [i * width], [(i + 1) * width], [2], [1]), 0, tokens, heads, width / heads), [0, 2, 1, 3]))];
        var scores = g.Scale(g.MatMul(parts[0], g.Transpose(parts[1], [0, 1, 3, 2])), 0.5f);
        var mixed = g.Transpose(g.MatMul(g.Softmax(scores, 3), parts[2]), [0, 2, 1, 3]);
        y = g.Add(y, g.MatMul(g.Reshape(mixed, 0, tokens, width), Weight("projection", width, width)));
        var hidden = g.Add(g.MatMul(LayerNorm("norm2", y, width), Weight("fc1", width, 16)), Weight("fc1.bias", 16));
        y = g.Add(y, g.MatMul(Gelu(hidden), Weight("fc2", 16, width)));
        return Linear("out", g.ReduceMean(y, [1], keep: false), width, Classes);
    }

    Value Gelu(Value x) => g.Mul(x, g.Scale(g.Add(g.Scalar(1), g.Add("Erf", [g.Scale(x, 0.70710678f)])), 0.5f));

    Value LayerNorm(string name, Value x, int width) =>
        g.Add("LayerNormalization", [x, Weight(name + ".scale", width), Weight(name + ".bias", width)], Attributes.Of("axis", -1));

    Value Linear(string name, Value x, int from, int to) =>
        g.Add("Gemm", [x, Weight(name + ".weight", to, from), Weight(name + ".bias", to)], Attributes.Of("transB", 1));

    Value Convolution(string name, Value x, int from, int to, int kernel, int stride = 1, int? pad = null) => g.Add(
        "Conv", [x, Weight(name + ".weight", to, from, kernel, kernel), Weight(name + ".bias", to)],
        Attributes.Of("pads", Enumerable.Repeat((long)(pad ?? kernel / 2), 4)), Attributes.Of("strides", [stride, stride]));

    Value Normalized(string name, Value x, int channels) => g.Add("BatchNormalization",
    [
        x, Weight(name + ".scale", channels), Weight(name + ".bias", channels), Weight(name + ".mean", channels),
        g.Initializer(name + ".var", Tensors.Of([.. Enumerable.Range(1, channels).Select(c => 0.5f + 0.25f * c)], channels)),
    ]);

    Value Weight(string name, params long[] shape)
    {
        var values = new float[shape.Aggregate(1L, (n, d) => n * d)];
        foreach (ref var value in values.AsSpan())
            value = random.NextSingle() - 0.5f;
        return g.Initializer(name, Tensors.Of(values, shape));
    }
}
