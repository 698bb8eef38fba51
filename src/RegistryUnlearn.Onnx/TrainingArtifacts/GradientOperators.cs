using System.Collections.Frozen;
using RegistryUnlearn.Onnx.Graphs;
using RegistryUnlearn.Onnx.Models;
using RegistryUnlearn.Onnx.Proto;
using static RegistryUnlearn.Onnx.Proto.TensorProto.Types;

namespace RegistryUnlearn.Onnx.TrainingArtifacts;

/// <summary>
/// The operators that only ONNX Runtime Training has, written in standard ones: what its gradient builder emits for the models that its
/// artifact generator takes. Formulas are those of the operators' definitions (training_op_defs.cc).
/// </summary>
static class GradientOperators
{
    static readonly FrozenDictionary<string, Func<GradientOperator, Value?[]>> Lowerings =
        new Dictionary<string, Func<GradientOperator, Value?[]>>
        {
            ["ReluGrad"] = n => [n.G.Where(n.G.Greater(n.In(1), n.G.Scalar(0)), n.In(0), n.G.Scalar(0))],
            ["LeakyReluGrad"] = n =>
                [n.G.Where(n.G.Greater(n.In(1), n.G.Scalar(0)), n.In(0), n.G.Scale(n.In(0), n.Node.Float("alpha", 0.01f)))],
            ["SigmoidGrad"] = n => [n.G.Mul(n.In(0), n.G.Mul(n.In(1), OneMinus(n.G, n.In(1))))],
            ["TanhGrad"] = n => [n.G.Mul(n.In(0), OneMinus(n.G, n.G.Mul(n.In(1), n.In(1))))],
            ["GeluGrad"] = n => [n.G.Mul(n.In(0), n.Node.Text("approximate", "none") == "tanh"
                ? TanhGeluSlope(n.G, n.In(1)) : GeluSlope(n.G, n.In(1)))],
            ["FastGeluGrad"] = n => [n.G.Mul(n.In(0), TanhGeluSlope(n.G, n.HasIn(2) ? n.G.Add(n.In(1), n.In(2)) : n.In(1)))],
            ["QuickGeluGrad"] = n => [n.G.Mul(n.In(0), QuickGeluSlope(n.G, n.In(1), n.Node.Float("alpha", 1.702f)))],
            ["SoftmaxGrad"] = n => [SoftmaxGrad(n, Trailing(n, n.Node.Int("axis", 1)))],
            ["SoftmaxGrad_13"] = n => [SoftmaxGrad(n, [n.Node.Int("axis", -1)])],
            ["LogSoftmaxGrad"] = n => [LogSoftmaxGrad(n, Trailing(n, n.Node.Int("axis", 1)))],
            ["LogSoftmaxGrad_13"] = n => [LogSoftmaxGrad(n, [n.Node.Int("axis", -1)])],
            ["SoftmaxCrossEntropyLossGrad"] = n => [CrossEntropyGrad(n)],
            ["LayerNormalizationGrad"] = n => NormalizationGrad(n, n.G.Sub(n.In(1), n.In(3)), n.In(4), centred: true),
            ["SimplifiedLayerNormalizationGrad"] = n => NormalizationGrad(n, n.In(1), n.In(3), centred: false),
            ["ConvGrad"] = n => [.. n.ByRule("Conv", n.In(0), [n.In(1), n.In(2)], 2), .. BiasGrad(n)],
            ["ConvTransposeGrad"] = n => [.. n.ByRule("ConvTranspose", n.In(0), [n.In(1), n.In(2)], 2), .. BiasGrad(n)],
            ["DivGrad"] = n => [.. n.ByRule("Div", n.In(0), [n.In(1), n.In(2)], 2)],
            ["ResizeGrad"] = n => [.. n.ByRule("Resize", n.In(0), [n.In(1), n.HasIn(2) ? n.In(2) : null, n.In(3)], 1)],
            ["AveragePoolGrad"] = n => [.. n.ByRule("AveragePool", n.In(0), [n.Forward(0) ?? throw NoShape(n)], 1)],
            ["MaxPoolGrad"] = n => [MaxPoolGrad(n)],
            ["GatherGrad"] = n => [GatherGrad(n)],
            ["GatherNDGrad"] = n => n.Node.Int("batch_dims", 0) == 0
                ? [n.G.Add("ScatterND", [n.G.Zeros(n.In(0)), n.In(1), n.In(2)], Added)]
                : throw new OnnxModelException($"{Describe(n.Node)} has batch_dims, for which there is no standard form"),
            ["GatherElementsGrad"] = n =>
                [n.G.Add("ScatterElements", [n.G.Zeros(n.In(1)), n.In(2), n.In(0)], Attributes.Of("axis", n.Node.Int("axis", 0)), Added)],
            ["SliceGrad"] = n => [SliceGrad(n)],
            ["DropoutGrad"] = n => [DropoutGrad(n)],
            ["ReduceSumTraining"] = n => [n.G.Add("ReduceSum", [n.In(0), n.In(1)], [.. n.Node.Attribute.Select(a => a.Clone())])],
            ["BroadcastGradientArgs"] = BroadcastAxes,
            ["ConcatTraining"] = n => [n.G.Concat([.. n.Node.Input.Select(i => new Value(i))], n.Node.Int("axis", 0))],
            ["Scale"] = n => [n.G.Add(n.Node.Int("scale_down", 0) != 0 ? "Div" : "Mul", [n.In(0), n.G.Cast(n.In(1))])],
        }.ToFrozenDictionary();

    /// <summary>What writes a node in standard operators; null if it is one, or unknown.</summary>
    public static Func<GradientOperator, Value?[]>? Find(NodeProto node) =>
        node.Domain is OrtTrainingContract.Domain or "" or "ai.onnx" ? Lowerings.GetValueOrDefault(node.OpType) : null;

    /// <summary>Names of all operators that are lowered.</summary>
    public static IEnumerable<string> All => Lowerings.Keys.Order(StringComparer.Ordinal);

    public static string Describe(NodeProto node) =>
        $"operator {(node.Domain.Length > 0 ? node.Domain + "." : "")}{node.OpType} (node '{node.Name}')";

    static AttributeProto Added => Attributes.Of("reduction", "add");

    static Value OneMinus(GraphBuilder g, Value x) => g.Sub(g.Scalar(1), x);

    /// <summary>Φ(x) + x φ(x) of the standard normal distribution.</summary>
    static Value GeluSlope(GraphBuilder g, Value x)
    {
        var cumulative = g.Scale(g.Add(g.Scalar(1), g.Add("Erf", [g.Scale(x, (float)Math.Sqrt(0.5))])), 0.5f);
        var density = g.Scale(g.Exp(g.Scale(g.Mul(x, x), -0.5f)), (float)(1 / Math.Sqrt(2 * Math.PI)));
        return g.Add(cumulative, g.Mul(x, density));
    }

    /// <summary>Slope of ½x (1 + tanh u) with u = √(2/π) (x + 0.044715 x³).</summary>
    static Value TanhGeluSlope(GraphBuilder g, Value x)
    {
        var (linear, cubic) = ((float)Math.Sqrt(2 / Math.PI), (float)(Math.Sqrt(2 / Math.PI) * 0.044715));
        var square = g.Mul(x, x);
        var t = g.Tanh(g.Mul(x, g.Add(g.Scale(square, cubic), g.Scalar(linear))));
        var inner = g.Add(g.Scale(square, 3 * cubic), g.Scalar(linear));
        return g.Scale(g.Add(g.Add(g.Scalar(1), t), g.Mul(g.Mul(x, OneMinus(g, g.Mul(t, t))), inner)), 0.5f);
    }

    /// <summary>Slope of x σ(αx).</summary>
    static Value QuickGeluSlope(GraphBuilder g, Value x, float alpha)
    {
        var scaled = g.Scale(x, alpha);
        var s = g.Sigmoid(scaled);
        return g.Mul(s, g.Add(g.Scalar(1), g.Mul(scaled, OneMinus(g, s))));
    }

    static long[] Trailing(GradientOperator n, long axis)
    {
        var rank = n.Type(1).Rank;
        var first = n.Type(1).Axis(axis);
        return [.. Enumerable.Range(first, rank - first).Select(a => (long)a)];
    }

    static Value SoftmaxGrad(GradientOperator n, long[] axes) =>
        n.G.Mul(n.In(1), n.G.Sub(n.In(0), n.G.ReduceSum(n.G.Mul(n.In(0), n.In(1)), axes, keep: true)));

    static Value LogSoftmaxGrad(GradientOperator n, long[] axes) =>
        n.G.Sub(n.In(0), n.G.Mul(n.G.Exp(n.In(1)), n.G.ReduceSum(n.In(0), axes, keep: true)));

    /// <summary>Inputs: the loss's gradient, log p [N, C, ...], labels [N, ...] and perhaps a weight for each class.</summary>
    static Value CrossEntropyGrad(GradientOperator n)
    {
        var g = n.G;
        var type = n.Type(1);
        if (!type.Shape[1].IsFixed)
            throw new OnnxModelException($"{Describe(n.Node)} has an open number of classes; export the model with a fixed one");
        var labels = g.Cast(n.In(2), DataType.Int64);
        long[] classes = [.. Enumerable.Range(0, (int)type.Shape[1].Size).Select(c => (long)c)];
        long[] alongClasses = [classes.Length, .. Enumerable.Repeat(1L, type.Rank - 2)];
        var mask = g.Cast(g.Equal(g.Unsqueeze(labels, 1), g.Constant(Tensors.Of(classes, alongClasses))));
        // A label outside the classes, as ignore_index may be, has an empty mask and so no weight.
        var weight = n.HasIn(3) ? g.ReduceSum(g.Mul(mask, g.Reshape(n.In(3), alongClasses)), [1], keep: true)
            : g.ReduceSum(mask, [1], keep: true);
        if (n.Node.Find("ignore_index") is { } ignored)
            weight = g.Where(g.Equal(g.Unsqueeze(labels, 1), g.Ints(ignored.I)), g.Scalar(0), weight);
        var gradient = n.Node.Text("reduction", "mean") switch
        {
            "mean" => g.Div(n.In(0), g.SumAll(weight)),
            "sum" => n.In(0),
            _ => g.Unsqueeze(n.In(0), 1),
        };
        return g.Mul(g.Mul(g.Sub(g.Exp(n.In(1)), mask), weight), gradient);
    }

    /// <summary>Outputs: gradients of the input, the scale and, where there is one, the bias.</summary>
    /// <param name="centred">Whether the mean was taken off.</param>
    static Value?[] NormalizationGrad(GradientOperator n, Value offset, Value inverseDeviation, bool centred)
    {
        var g = n.G;
        var axis = n.Type(1).Axis(n.Node.Int("axis", -1));
        long[] leading = [.. Enumerable.Range(0, axis).Select(a => (long)a)], normalized = Trailing(n, axis);
        var standard = g.Mul(offset, inverseDeviation);
        var scaled = g.Mul(n.In(0), n.In(2));
        var along = g.Mul(standard, g.ReduceMean(g.Mul(scaled, standard), normalized, keep: true));
        var rest = g.Sub(scaled, centred ? g.Add(g.ReduceMean(scaled, normalized, keep: true), along) : along);
        return [g.Mul(inverseDeviation, rest), g.ReduceSum(g.Mul(n.In(0), standard), leading, keep: false),
            centred ? g.ReduceSum(n.In(0), leading, keep: false) : null];
    }

    /// <summary>The output's gradient, summed over everything but the channels.</summary>
    static Value[] BiasGrad(GradientOperator n) =>
        [n.G.ReduceSum(n.In(0), [0, .. Enumerable.Range(2, n.Type(1).Rank - 2).Select(a => (long)a)], keep: false)];

    /// <summary>Inputs: the output's gradient and where in the flat input each maximum came from.</summary>
    static Value MaxPoolGrad(GradientOperator n)
    {
        var pool = n.G.Producer(n.In(1)) is { OpType: "MaxPool" } node && node.Int("storage_order", 0) == 0 ? node : throw NoShape(n);
        return Scattered(n.G, n.G.Shape(new Value(pool.Input[0])), n.In(1), n.In(0));
    }

    static Value SliceGrad(GradientOperator n)
    {
        var g = n.G;
        var count = g.Add("ReduceProd", [n.In(1)], Attributes.Of("keepdims", 0L));
        var positions = g.Reshape(
            g.Add("Range", [g.Constant(Tensors.Of([0L], dims: [])), count, g.Constant(Tensors.Of([1L], dims: []))]), n.In(1));
        return Scattered(g, n.In(1), g.Add("Slice", [positions, .. n.Node.Input.Skip(2).Select(i => new Value(i))]), n.In(0));
    }

    /// <summary>Zeros of a shape with values added at positions of the flat tensor.</summary>
    static Value Scattered(GraphBuilder g, Value shape, Value positions, Value values)
    {
        var zeros = g.Zeros(g.Add("ReduceProd", [shape], Attributes.Of("keepdims", 1L)));
        return g.Reshape(g.Add("ScatterElements", [zeros, g.Reshape(positions, -1), g.Reshape(values, -1)], Added), shape);
    }

    /// <summary>Inputs: the data's shape, indices and the output's gradient.</summary>
    static Value GatherGrad(GradientOperator n)
    {
        var g = n.G;
        var rank = (int)n.Type(0).Count;
        var width = n.Type(1).Rank;
        var axis = (int)n.Node.Int("axis", 0);
        if (axis < 0) axis += rank;
        long[] toFront = [axis, .. Axes(0, rank).Where(a => a != axis)];
        long[] back = [.. Axes(1, axis), 0, .. Axes(axis + 1, rank - axis - 1)];
        long[] updates = [.. Axes(axis, width), .. Axes(0, axis), .. Axes(axis + width, rank - axis - 1)];
        var size = g.Gather(n.In(0), g.Constant(Tensors.Of([(long)axis], dims: [])), 0);
        var indices = g.Cast(n.In(1), DataType.Int64);
        indices = g.Where(g.Less(indices, g.Constant(Tensors.Of([0L], dims: []))), g.Add(indices, size), indices);
        var zeros = g.Zeros(g.Gather(n.In(0), g.Ints(toFront), 0));
        return g.Transpose(
            g.Add("ScatterND", [zeros, g.Unsqueeze(indices, -1), g.Transpose(n.In(2), updates)], Added), back);
    }

    /// <summary>Inputs: the output's gradient, the mask, the ratio (½) and whether it was training (not).</summary>
    static Value DropoutGrad(GradientOperator n)
    {
        if (!n.HasIn(3)) return n.In(0);
        var ratio = n.HasIn(2) ? n.G.Cast(n.In(2)) : n.G.Scalar(0.5f);
        return n.G.Where(n.In(3), n.G.Div(n.G.Mul(n.In(0), n.G.Cast(n.In(1))), OneMinus(n.G, ratio)), n.In(0));
    }

    /// <summary>From two shapes that are broadcast together: the axes along which the first, and the second, was repeated.</summary>
    static Value?[] BroadcastAxes(GradientOperator n)
    {
        var rank = Math.Max(n.Type(0).Count, n.Type(1).Count);
        Value[] shapes = [.. Enumerable.Range(0, 2).Select(i => Padded(n, i, rank))];
        return [Repeated(shapes[0], shapes[1]), Repeated(shapes[1], shapes[0])];

        Value Repeated(Value from, Value to) => n.G.Reshape(n.G.Add("NonZero",
            [n.G.And(n.G.Equal(from, n.G.Ints(1)), n.G.Add("Not", [n.G.Equal(to, n.G.Ints(1))]))]), -1);
    }

    static Value Padded(GradientOperator n, int i, long rank)
    {
        var missing = rank - n.Type(i).Count;
        return missing == 0 ? n.In(i) : n.G.Concat([n.G.Ints([.. Enumerable.Repeat(1L, (int)missing)]), n.In(i)], 0);
    }

    static IEnumerable<long> Axes(int start, int count) => Enumerable.Range(start, count).Select(a => (long)a);

    static OnnxModelException NoShape(GradientOperator n) => new(
        $"{Describe(n.Node)} does not tell the shape of what it is the gradient of; generate the artifacts with the model's shapes fixed");
}
