using RegistryUnlearn.Onnx.Graphs;
using RegistryUnlearn.Onnx.Losses;
using RegistryUnlearn.Training.Buffers;

namespace RegistryUnlearn.Benchmarks;

/// <summary>Image classifiers with 10 classes, built in code; parameters are drawn by <see cref="Draw"/>.</summary>
sealed class Networks
{
    public const int Classes = 10;

    readonly GraphBuilder g = new(GraphBuilder.OldestOpset);
    readonly List<ModelParameter> parameters = [];

    /// <summary>conv3×3 1→16, relu, conv3×3 16→32, relu, maxpool 2, gemm 512→64, relu, gemm 64→10 on 8×8 images.</summary>
    public static ForwardModel SampleCnn() => Of([1, 8, 8], (n, x) =>
    {
        x = n.Relu(n.Conv(x, 1, 16, 3));
        x = n.Relu(n.Conv(x, 16, 32, 3));
        x = n.g.Add("MaxPool", [x], Attributes.Of("kernel_shape", [2, 2]), Attributes.Of("strides", [2, 2]));
        x = n.Relu(n.Gemm(n.g.Reshape(x, -1, 512), 512, 64));
        return n.Gemm(x, 64, Classes);
    });

    /// <summary>Two 3×3 convolutions, a 2×2 maximum and two dense layers on 8×8 images.</summary>
    public static ForwardModel Convolutional(int width) => Of([1, 8, 8], (n, x) =>
    {
        x = n.Relu(n.Conv(x, 1, width, 3));
        x = n.Relu(n.Conv(x, width, 2 * width, 3));
        x = n.g.Add("MaxPool", [x], Attributes.Of("kernel_shape", [2, 2]), Attributes.Of("strides", [2, 2]));
        x = n.Relu(n.Gemm(n.g.Reshape(x, -1, 32 * width), 32 * width, 4 * width));
        return n.Gemm(x, 4 * width, Classes);
    });

    /// <summary>Two hidden layers on rows of 64 numbers, which nothing says are images.</summary>
    public static ForwardModel Tabular(int width) => Of([64], (n, x) =>
        n.Gemm(n.Relu(n.Gemm(n.Relu(n.Gemm(x, 64, width)), width, width)), width, Classes));

    /// <summary>
    /// One block of self-attention (Vaswani et al., NeurIPS 2017, one head, no normalisation) over the rows of an 8×8 image, with learned
    /// positions, then the mean over the rows.
    /// </summary>
    public static ForwardModel Attention(int width) => Of([1, 8, 8], (n, x) =>
    {
        var tokens = n.g.Add(
            n.g.Add("MatMul", [n.g.Reshape(x, -1, 8, 8), n.Parameter(8, width)]), n.Parameter(8, width));
        Value query = Projected(tokens), key = Projected(tokens), value = Projected(tokens);
        var weights = n.g.Add("Softmax",
            [n.g.Scale(n.g.Add("MatMul", [query, n.g.Transpose(key, [0, 2, 1])]), 1 / MathF.Sqrt(width))], Attributes.Of("axis", -1));
        tokens = n.g.Add(tokens, Projected(n.g.Add("MatMul", [weights, value])));
        tokens = n.g.Add(tokens, Projected(n.Relu(Projected(tokens))));
        return n.Gemm(n.g.ReduceMean(tokens, [1], keep: false), width, Classes);

        Value Projected(Value t) => n.g.Add("MatMul", [t, n.Parameter(width, width)]);
    });

    /// <summary>
    /// ResNet-18 in its CIFAR form (He et al., CVPR 2016: a 3×3 stem of stride 1, no pooling before the blocks) on 32×32 images, with
    /// every BatchNormalization folded into the convolution before it. Width 64 is the published one: 11.2 M parameters; 19 gives 1 M.
    /// </summary>
    public static ForwardModel ResNet18(int width) => Of([3, 32, 32], (n, x) =>
    {
        x = n.Relu(n.Conv(x, 3, width, 3));
        long channels = width;
        for (var stage = 0; stage < 4; stage++)
            for (var block = 0; block < 2; block++)
            {
                var (filters, stride) = ((long)width << stage, stage > 0 && block == 0 ? 2 : 1);
                var shortcut = stride == 1 ? x : n.Conv(x, channels, filters, 1, stride);
                x = n.Relu(n.g.Add(n.Conv(n.Relu(n.Conv(x, channels, filters, 3, stride)), filters, filters, 3), shortcut));
                channels = filters;
            }
        return n.Gemm(n.g.ReduceMean(x, [2, 3], keep: false), channels, Classes);
    });

    /// <summary>
    /// ResNet-50 as published (He et al., CVPR 2016, with the stride in the 3×3 convolution) on 64×64 images, every BatchNormalization a
    /// node of its own with statistics that are not trained: 23.5 M parameters, 175 nodes.
    /// </summary>
    public static ForwardModel ResNet50() => Of([3, 64, 64], (n, x) =>
    {
        x = n.Relu(n.ConvNorm(x, 3, 64, 7, 2));
        x = n.g.Add("MaxPool", [x],
            Attributes.Of("kernel_shape", [3, 3]), Attributes.Of("strides", [2, 2]), Attributes.Of("pads", [1, 1, 1, 1]));
        long channels = 64;
        foreach (var (stage, blocks) in new[] { 3, 4, 6, 3 }.Index())
            for (var block = 0; block < blocks; block++)
            {
                var (inner, stride) = (64L << stage, stage > 0 && block == 0 ? 2 : 1);
                var shortcut = block > 0 ? x : n.ConvNorm(x, channels, 4 * inner, 1, stride);
                var y = n.Relu(n.ConvNorm(n.Relu(n.ConvNorm(x, channels, inner, 1)), inner, inner, 3, stride));
                x = n.Relu(n.g.Add(n.ConvNorm(y, inner, 4 * inner, 1), shortcut));
                channels = 4 * inner;
            }
        return n.Gemm(n.g.Reshape(n.g.Add("GlobalAveragePool", [x]), -1, channels), channels, Classes);
    });

    /// <summary>Mean cross-entropy with an input of integer labels.</summary>
    public static Value Loss(GraphBuilder g, string prefix, Value logits) =>
        ClassificationLosses.CrossEntropy(g, logits, g.Input(prefix + "labels", TensorType.Int64(prefix + "batch")), Classes);

    /// <summary>Uniform values with the variance 2 / fan-in that keeps activations alive through depth (He et al., ICCV 2015).</summary>
    public static TensorBlock Draw(ForwardModel model)
    {
        var block = new TensorBlock(model.Parameters);
        for (var i = 0; i < block.TensorCount; i++)
            if (model.Parameters[i].Shape is { Count: > 1 } shape)
                Fill(block[i], MathF.Sqrt(6f / (model.Parameters[i].Count / shape[0])));
        return block;
    }

    public static void Fill(Span<float> values, float range)
    {
        var random = new Random(1);
        foreach (ref var value in values)
            value = (2 * random.NextSingle() - 1) * range;
    }

    static ForwardModel Of(long[] sample, Func<Networks, Value, Value> body)
    {
        var network = new Networks();
        var x = network.g.Input("x", TensorType.Float(["n", .. sample.Select(d => (Dim)d)]));
        network.g.Output("z", body(network, x));
        return new ForwardModel(network.g.Build(), "x", "z", sample, network.parameters, tensor => tensor);
    }

    Value Conv(Value x, long channels, long filters, long kernel, long stride = 1) =>
        g.Add("Conv", [x, Parameter(filters, channels, kernel, kernel), Parameter(filters)],
            Attributes.Of("pads", Enumerable.Repeat(kernel / 2, 4)), Attributes.Of("strides", [stride, stride]));

    Value ConvNorm(Value x, long channels, long filters, long kernel, long stride = 1)
    {
        var y = g.Add("Conv", [x, Parameter(filters, channels, kernel, kernel)],
            Attributes.Of("pads", Enumerable.Repeat(kernel / 2, 4)), Attributes.Of("strides", [stride, stride]));
        var (mean, variance) = (g.Constant(Tensors.Of(new float[filters], [filters])),
            g.Constant(Tensors.Of([.. Enumerable.Repeat(1f, (int)filters)], [filters])));
        return g.Add("BatchNormalization", [y, Parameter(filters), Parameter(filters), mean, variance]);
    }

    Value Gemm(Value x, long inputs, long outputs) =>
        g.Add("Gemm", [x, Parameter(outputs, inputs), Parameter(outputs)], Attributes.Of("transB", 1));

    Value Relu(Value x) => g.Add("Relu", [x]);

    Value Parameter(params long[] shape)
    {
        var parameter = new ModelParameter($"p{parameters.Count}", shape);
        parameters.Add(parameter);
        return g.Initializer(parameter.Name, Tensors.Of(new float[parameter.Count], shape));
    }
}
