using RegistryUnlearn.Onnx.Graphs;
using RegistryUnlearn.Onnx.Proto;

namespace RegistryUnlearn.Onnx.Tests.TrainingArtifacts;

/// <summary>What ONNX Runtime's gradient builder emits (gradient_builder.cc), operator by operator.</summary>
static class GradientCases
{
    public static IReadOnlyList<GradientCase> All { get; } =
    [
        Unary("ReluGrad", (g, x) => g.Add("Relu", [x]), ofOutput: true),
        Unary("LeakyReluGrad", (g, x) => g.Add("LeakyRelu", [x], Attributes.Of("alpha", 0.1f)), ofOutput: true,
            Attributes.Of("alpha", 0.1f)),
        Unary("SigmoidGrad", (g, x) => g.Sigmoid(x), ofOutput: true),
        Unary("TanhGrad", (g, x) => g.Tanh(x), ofOutput: true),
        Unary("GeluGrad", Gelu, ofOutput: false),
        Unary("FastGeluGrad", FastGelu, ofOutput: false),
        Unary("QuickGeluGrad", (g, x) => g.Mul(x, g.Sigmoid(g.Scale(x, 1.5f))), ofOutput: false, Attributes.Of("alpha", 1.5f)),
        Unary("SoftmaxGrad_13", (g, x) => g.Softmax(x, 1), ofOutput: true, Attributes.Of("axis", 1)),
        Unary("LogSoftmaxGrad_13", (g, x) => g.LogSoftmax(x, -1), ofOutput: true, Attributes.Of("axis", -1)),
        Unary("SoftmaxGrad", (g, x) => g.Reshape(g.Softmax(g.Reshape(x, 2, -1), 1), 2, 3, 4), ofOutput: true, Attributes.Of("axis", 1)),
        Unary("LogSoftmaxGrad", (g, x) => g.Reshape(g.LogSoftmax(g.Reshape(x, 6, -1), 1), 2, 3, 4), ofOutput: true,
            Attributes.Of("axis", 2)),
        CrossEntropy("mean", Attributes.Of("reduction", "mean")),
        CrossEntropy("sum", Attributes.Of("reduction", "sum")),
        CrossEntropy("none", Attributes.Of("reduction", "none")),
        CrossEntropy("mean, weighted", Attributes.Of("reduction", "mean")),
        CrossEntropy("mean, ignored", Attributes.Of("reduction", "mean"), Attributes.Of("ignore_index", 2)),
        new("LayerNormalizationGrad", [[2, 3, 4], [4], [4]], [2, 3, 4],
            (g, x) => g.Add("LayerNormalization", x, Attributes.Of("axis", -1)),
            (g, dy, x) =>
            {
                Emit(g, "LayerNormalization", x, ["y", "mean", "inverse"], Attributes.Of("axis", -1));
                Emit(g, "com.microsoft.LayerNormalizationGrad", [dy, x[0], x[1], new("mean"), new("inverse")],
                    ["x0_grad", "x1_grad", "x2_grad"], Attributes.Of("axis", -1));
            }),
        Convolution("ConvGrad, padded and strided", [2, 3, 7, 6], [4, 3, 3, 2], [2, 4, 4, 3],
            Attributes.Of("pads", [1, 0, 1, 0]), Attributes.Of("strides", [2, 2]), Attributes.Of("kernel_shape", [3, 2])),
        Convolution("ConvGrad, grouped and dilated", [2, 4, 7, 7], [4, 2, 2, 2], [2, 4, 5, 5],
            Attributes.Of("dilations", [2, 2]), Attributes.Of("group", 2), Attributes.Of("kernel_shape", [2, 2])),
        Convolution("ConvGrad, one axis", [2, 3, 9], [4, 3, 3], [2, 4, 9],
            Attributes.Of("pads", [1, 1]), Attributes.Of("kernel_shape", [3])),
        new("MaxPoolGrad, overlapping", [[2, 2, 6, 6]], [2, 2, 4, 4],
            (g, x) => g.Add("MaxPool", x, Attributes.Of("kernel_shape", [3, 3])),
            (g, dy, x) =>
            {
                Emit(g, "MaxPool", x, ["y", "indices"], Attributes.Of("kernel_shape", [3, 3]));
                Emit(g, "MaxPoolGrad", [dy, new("indices")], ["x0_grad"], Attributes.Of("kernel_shape", [3, 3]));
            }),
        new("AveragePoolGrad", [[2, 2, 6, 6]], [2, 2, 3, 3],
            (g, x) => g.Add("AveragePool", x, Attributes.Of("kernel_shape", [2, 2]), Attributes.Of("strides", [2, 2])),
            (g, dy, x) => Emit(g, "AveragePoolGrad", [dy], ["x0_grad"],
                Attributes.Of("kernel_shape", [2, 2]), Attributes.Of("strides", [2, 2]))),
        new("DivGrad, broadcast", [[2, 3, 4], [3, 1]], [2, 3, 4], (g, x) => g.Div(x[0], x[1]),
            (g, dy, x) => Emit(g, "com.microsoft.DivGrad", [dy, .. x], ["x0_grad", "x1_grad"])),
        Gather(0), Gather(1),
        new("GatherNDGrad", [[3, 4]], [2], (g, x) => g.Add("GatherND", [x[0], Pairs(g)]),
            (g, dy, x) => Emit(g, "com.microsoft.GatherNDGrad", [g.Shape(x[0]), Pairs(g), dy], ["x0_grad"])) { HasKernel = false },
        new("GatherElementsGrad", [[3, 4]], [2, 2], (g, x) => g.Add("GatherElements", [x[0], Pairs(g)], Attributes.Of("axis", 1)),
            (g, dy, x) => Emit(g, "com.microsoft.GatherElementsGrad", [dy, g.Shape(x[0]), Pairs(g)], ["x0_grad"],
                Attributes.Of("axis", 1))),
        new("SliceGrad, backwards", [[5, 6]], [2, 3], (g, x) => g.Slice(x[0], [4, 1], [0, 6], [0, 1], [-2, 2]),
            (g, dy, x) => Emit(g, "com.microsoft.SliceGrad",
                [dy, g.Shape(x[0]), g.Ints(4, 1), g.Ints(0, 6), g.Ints(0, 1), g.Ints(-2, 2)], ["x0_grad"])),
        new("BroadcastGradientArgs and ReduceSumTraining", [[2, 3, 4], [3, 1]], [2, 3, 4], (g, x) => g.Add(x[0], x[1]), (g, dy, x) =>
        {
            Emit(g, "com.microsoft.BroadcastGradientArgs", [g.Shape(x[0]), g.Shape(x[1])], ["axes0", "axes1"]);
            for (var i = 0; i < 2; i++)
            {
                Emit(g, "com.microsoft.ReduceSumTraining", [dy, new($"axes{i}")], [$"sum{i}"],
                    Attributes.Of("keepdims", 1), Attributes.Of("noop_with_empty_axes", 1));
                Emit(g, "Reshape", [new($"sum{i}"), g.Shape(x[i])], [$"x{i}_grad"]);
            }
        }),
        new("ResizeGrad", [[1, 2, 3, 3]], [1, 2, 6, 6],
            (g, x) => g.Add("Resize", [x[0], default, Doubled(g)], Linear, HalfPixel),
            (g, dy, x) => Emit(g, "com.microsoft.ResizeGrad", [dy, x[0], default, Doubled(g)], ["x0_grad"], Linear, HalfPixel))
            { HasKernel = false },
    ];

    static void Emit(GraphBuilder g, string op, Value[] inputs, string[] outputs, params AttributeProto[] attributes) =>
        g.Add(op, inputs, [.. outputs.Select(o => new Value(o))], attributes);

    static AttributeProto Linear => Attributes.Of("mode", "linear");

    static AttributeProto HalfPixel => Attributes.Of("coordinate_transformation_mode", "half_pixel");

    static Value Doubled(GraphBuilder g) => g.Constant(Tensors.Of([1f, 1f, 2f, 2f], 4));

    static Value Pairs(GraphBuilder g) => g.Constant(Tensors.Of([2L, 1L, 0L, 3L], 2, 2));

    static GradientCase Unary(
        string op, Func<GraphBuilder, Value, Value> forward, bool ofOutput, params AttributeProto[] attributes) =>
        new(op, [[2, 3, 4]], [2, 3, 4], (g, x) => forward(g, x[0]),
            (g, dy, x) => Emit(g, "com.microsoft." + op, [dy, ofOutput ? forward(g, x[0]) : x[0]], ["x0_grad"], attributes));

    static GradientCase CrossEntropy(string name, params AttributeProto[] attributes)
    {
        return new($"SoftmaxCrossEntropyLossGrad, {name}", [[3, 4, 2]], name == "none" ? [3, 2] : [], (g, x) =>
        {
            // −w_y log p_y per position, then the reduction.
            var labels = Labels(g);
            var mask = g.Cast(g.Equal(g.Unsqueeze(labels, 1), g.Constant(Tensors.Of([0L, 1, 2, 3], 4, 1))));
            var weight = name.Contains("weighted") ? g.Mul(mask, g.Reshape(Weights(g), 4, 1)) : mask;
            if (name.Contains("ignored")) weight = g.Mul(weight, g.Constant(Tensors.Of([1f, 1, 0, 1], 4, 1)));
            var each = g.Neg(g.ReduceSum(g.Mul(weight, g.LogSoftmax(x[0], 1)), [1], keep: false));
            return name == "none" ? each : name == "sum" ? g.SumAll(each) : g.Div(g.SumAll(each), g.SumAll(weight));
        }, (g, dy, x) =>
        {
            Value[] inputs = [x[0], Labels(g), .. name.Contains("weighted") ? [Weights(g)] : Array.Empty<Value>()];
            Emit(g, "SoftmaxCrossEntropyLoss", inputs, ["loss", "log_prob"], attributes);
            Emit(g, "com.microsoft.SoftmaxCrossEntropyLossGrad", [dy, new("log_prob"), .. inputs[1..]], ["x0_grad"], attributes);
        });

        static Value Labels(GraphBuilder g) => g.Constant(Tensors.Of([0L, 3, 2, 1, 2, 2], 3, 2));

        static Value Weights(GraphBuilder g) => g.Constant(Tensors.Of([0.5f, 1, 2, 3], 4));
    }

    static GradientCase Convolution(string name, long[] x, long[] w, long[] y, params AttributeProto[] attributes) => new(
        name, [x, w, [w[0]]], y, (g, v) => g.Add("Conv", v, [.. attributes.Select(a => a.Clone())]),
        (g, dy, v) => Emit(g, "com.microsoft.ConvGrad", [dy, v[0], v[1]], ["x0_grad", "x1_grad", "x2_grad"],
            [.. attributes.Select(a => a.Clone())]));

    static GradientCase Gather(int axis)
    {
        long[] shape = axis == 0 ? [2, 2, 4] : [3, 2, 2];
        return new($"GatherGrad, axis {axis}", [[3, 4]], shape, (g, x) => g.Gather(x[0], Indices(g), axis),
            (g, dy, x) => Emit(g, "com.microsoft.GatherGrad", [g.Shape(x[0]), Indices(g), dy], ["x0_grad"], Attributes.Of("axis", axis)));

        static Value Indices(GraphBuilder g) => g.Constant(Tensors.Of([1L, 0, 1, 2], 2, 2));
    }

    static Value Gelu(GraphBuilder g, Value x) =>
        g.Mul(x, g.Scale(g.Add(g.Scalar(1), g.Add("Erf", [g.Scale(x, 0.70710678f)])), 0.5f));

    static Value FastGelu(GraphBuilder g, Value x)
    {
        var cube = g.Mul(x, g.Mul(x, x));
        var t = g.Tanh(g.Scale(g.Add(x, g.Scale(cube, 0.044715f)), 0.79788456f));
        return g.Mul(x, g.Scale(g.Add(g.Scalar(1), t), 0.5f));
    }
}
