using RegistryUnlearn.Onnx.Proto;

namespace RegistryUnlearn.Onnx.Graphs;

/// <summary>
/// The vocabulary of operators that losses, rules and lowerings are written in; forms follow the operator set of the graph.
/// </summary>
public sealed partial class GraphBuilder
{
    public Value Add(Value a, Value b) => Add("Add", [a, b]);

    public Value Sub(Value a, Value b) => Add("Sub", [a, b]);

    public Value Mul(Value a, Value b) => Add("Mul", [a, b]);

    public Value Div(Value a, Value b) => Add("Div", [a, b]);

    public Value Pow(Value a, Value b) => Add("Pow", [a, b]);

    /// <summary>x · factor; x itself when the factor is one.</summary>
    public Value Scale(Value x, float factor) => factor is 1f ? x : Mul(x, Scalar(factor));

    public Value Neg(Value x) => Add("Neg", [x]);

    public Value Exp(Value x) => Add("Exp", [x]);

    public Value Log(Value x) => Add("Log", [x]);

    public Value Sqrt(Value x) => Add("Sqrt", [x]);

    public Value Reciprocal(Value x) => Add("Reciprocal", [x]);

    public Value Abs(Value x) => Add("Abs", [x]);

    public Value Sign(Value x) => Add("Sign", [x]);

    public Value Tanh(Value x) => Add("Tanh", [x]);

    public Value Sigmoid(Value x) => Add("Sigmoid", [x]);

    public Value Softplus(Value x) => Add("Softplus", [x]);

    public Value Softmax(Value x, long axis) => Add("Softmax", [x], Attributes.Of("axis", axis));

    public Value LogSoftmax(Value x, long axis) => Add("LogSoftmax", [x], Attributes.Of("axis", axis));

    public Value Greater(Value a, Value b) => Add("Greater", [a, b]);

    public Value GreaterOrEqual(Value a, Value b) => Add("GreaterOrEqual", [a, b]);

    public Value Less(Value a, Value b) => Add("Less", [a, b]);

    public Value LessOrEqual(Value a, Value b) => Add("LessOrEqual", [a, b]);

    public Value Equal(Value a, Value b) => Add("Equal", [a, b]);

    public Value And(Value a, Value b) => Add("And", [a, b]);

    public Value Where(Value condition, Value x, Value y) => Add("Where", [condition, x, y]);

    public Value Cast(Value x, TensorProto.Types.DataType to = TensorProto.Types.DataType.Float) =>
        Add("Cast", [x], Attributes.Of("to", (long)to));

    public Value Shape(Value x) => Add("Shape", [x]);

    public Value Reshape(Value x, Value shape) => Add("Reshape", [x, shape]);

    public Value Reshape(Value x, params ReadOnlySpan<long> shape) => Reshape(x, Ints(shape));

    public Value Expand(Value x, Value shape) => Add("Expand", [x, shape]);

    /// <summary>
    /// x itself for the identity, which ONNX Runtime 1.19 would fuse into a matrix product before it as if it swapped axes.
    /// </summary>
    public Value Transpose(Value x, IEnumerable<long> permutation)
    {
        long[] order = [.. permutation];
        return order.Index().All(p => p.Index == p.Item) ? x : Add("Transpose", [x], Attributes.Of("perm", order));
    }

    public Value Squeeze(Value x, params ReadOnlySpan<long> axes) => Add("Squeeze", [x, Ints(axes)]);

    public Value Unsqueeze(Value x, params ReadOnlySpan<long> axes) => Add("Unsqueeze", [x, Ints(axes)]);

    public Value Concat(ReadOnlySpan<Value> parts, long axis) =>
        parts.Length == 1 ? parts[0] : Add("Concat", parts, Attributes.Of("axis", axis));

    /// <summary>Parts of the given sizes along an axis.</summary>
    public Value[] Split(Value x, ReadOnlySpan<long> sizes, long axis)
    {
        if (sizes.Length == 1)
            return [x];
        var parts = new Value[sizes.Length];
        for (var i = 0; i < parts.Length; i++)
            parts[i] = new Value(Fresh($"Split.{i}"));
        Add("Split", [x, Ints(sizes)], parts, Attributes.Of("axis", axis));
        return parts;
    }

    /// <summary>Slice with positive or negative steps; starts, ends, axes and steps have one entry per sliced axis.</summary>
    public Value Slice(Value x, ReadOnlySpan<long> starts, ReadOnlySpan<long> ends, ReadOnlySpan<long> axes, ReadOnlySpan<long> steps) =>
        Add("Slice", [x, Ints(starts), Ints(ends), Ints(axes), Ints(steps)]);

    /// <summary>Pads with zeros; all axes' amounts at the front first, then all at the back.</summary>
    public Value Pad(Value x, ReadOnlySpan<long> pads) => pads.ContainsAnyExcept(0) ? Add("Pad", [x, Ints(pads)]) : x;

    public Value Gather(Value data, Value indices, long axis) => Add("Gather", [data, indices], Attributes.Of("axis", axis));

    /// <summary>Zeros (float) of a run-time shape.</summary>
    public Value Zeros(Value shape) => Add("ConstantOfShape", [shape], Attributes.Of("value", Tensors.Of([0f], 1)));

    /// <summary>Matrix product over the last two axes, leading axes broadcast.</summary>
    public Value MatMul(Value a, Value b) => Add("MatMul", [a, b]);

    /// <summary>alpha · op(a) · op(b) of matrices.</summary>
    public Value Gemm(Value a, Value b, bool transA = false, bool transB = false, float alpha = 1f) =>
        Add("Gemm", [a, b],
            Attributes.Of("alpha", alpha), Attributes.Of("transA", transA ? 1 : 0L), Attributes.Of("transB", transB ? 1 : 0L));

    public Value ReduceSum(Value x, ReadOnlySpan<long> axes, bool keep) =>
        axes.IsEmpty ? x : Add("ReduceSum", [x, Ints(axes)], Attributes.Of("keepdims", keep ? 1 : 0L));

    /// <summary>Sum of all elements as a scalar.</summary>
    public Value SumAll(Value x) => Add("ReduceSum", [x], Attributes.Of("keepdims", 0L));

    /// <summary>Mean of all elements as a scalar.</summary>
    public Value MeanAll(Value x) => Add("ReduceMean", [x], Attributes.Of("keepdims", 0L));

    public Value ReduceMean(Value x, ReadOnlySpan<long> axes, bool keep) => ReduceSince18("ReduceMean", x, axes, keep);

    public Value ReduceMax(Value x, ReadOnlySpan<long> axes, bool keep) => ReduceSince18("ReduceMax", x, axes, keep);

    public Value ReduceL2(Value x, ReadOnlySpan<long> axes, bool keep) => ReduceSince18("ReduceL2", x, axes, keep);

    /// <summary>Reductions took their axes as an attribute before operator set 18 and as an input from then on.</summary>
    Value ReduceSince18(string op, Value x, ReadOnlySpan<long> axes, bool keep)
    {
        var keepdims = Attributes.Of("keepdims", keep ? 1 : 0L);
        return Opset >= 18 ? Add(op, [x, Ints(axes)], keepdims) : Add(op, [x], Attributes.Of("axes", axes.ToArray()), keepdims);
    }
}
