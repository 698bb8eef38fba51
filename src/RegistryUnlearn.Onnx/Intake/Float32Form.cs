using System.Collections.Frozen;
using Google.Protobuf;
using RegistryUnlearn.Onnx.Models;
using RegistryUnlearn.Onnx.Proto;
using static RegistryUnlearn.Onnx.Proto.TensorProto.Types;

namespace RegistryUnlearn.Onnx.Intake;

/// <summary>
/// Computation in float32 for models in other float types: FLOAT16 and BFLOAT16 always, DOUBLE where the model takes, gives or stores
/// it. A model in float32 that computes some sizes in double keeps that double.
/// </summary>
sealed class Float32Form
{
    static readonly FrozenSet<string> TypeAttributes =
        new[] { "to", "dtype", "stash_type", "output_dtype", "output_datatype", "softmax_precision" }.ToFrozenSet();

    readonly bool isDouble;

    Float32Form(bool isDouble) => this.isDouble = isDouble;

    public static Float32Form For(GraphProto graph) => new(
        graph.Input.Concat(graph.Output).Any(v => v.Type?.TensorType?.ElemType == (int)DataType.Double)
        || graph.Initializer.Any(t => t.DataType == (int)DataType.Double && t.Dims.Any(d => d > 1)));

    /// <summary>
    /// Rewrites types of values, attributes and constants; the graph's own stored tensors are left to <see cref="Of(TensorProto)"/>.
    /// </summary>
    public void Apply(GraphProto graph)
    {
        foreach (var value in graph.Input.Concat(graph.Output).Concat(graph.ValueInfo))
            if (value.Type is not null) Apply(value.Type);
        foreach (var attribute in graph.Node.SelectMany(n => n.Attribute))
        {
            if (TypeAttributes.Contains(attribute.Name) && IsOther((int)attribute.I)) attribute.I = (long)DataType.Float;
            if (attribute.T is not null) attribute.T = Of(attribute.T);
            foreach (var body in attribute.Graphs.Append(attribute.G).OfType<GraphProto>())
            {
                Apply(body);
                for (var i = 0; i < body.Initializer.Count; i++) body.Initializer[i] = Of(body.Initializer[i]);
            }
        }
    }

    /// <summary>
    /// The tensor as float32; itself if it is of no type that is replaced. FLOAT16 and BFLOAT16 widen exactly, DOUBLE rounds.
    /// </summary>
    /// <param name="tensor">A tensor without external data, whose data has the length of its shape.</param>
    public TensorProto Of(TensorProto tensor)
    {
        if (!IsOther(tensor.DataType)) return tensor;
        var type = (DataType)tensor.DataType;
        var count = tensor.Dims.Aggregate(1L, (n, d) => checked(n * d));
        var floats = new float[count];
        if (tensor.HasRawData)
            FloatCodec.Decode(type, tensor.RawData.Span, floats);
        else
        {
            var bytes = new byte[count * FloatCodec.SizeOf(type)];
            TypedField.CopyBytes(tensor, type, 0, bytes);
            FloatCodec.Decode(type, bytes, floats);
        }
        var wide = new byte[4 * count];
        FloatCodec.Encode(DataType.Float, floats, wide);
        return new()
        {
            Name = tensor.Name,
            DataType = (int)DataType.Float,
            Dims = { tensor.Dims },
            RawData = UnsafeByteOperations.UnsafeWrap(wide),
        };
    }

    void Apply(TypeProto type)
    {
        if (type.TensorType is { } tensor && IsOther(tensor.ElemType)) tensor.ElemType = (int)DataType.Float;
        if ((type.SequenceType?.ElemType ?? type.OptionalType?.ElemType) is { } element) Apply(element);
    }

    bool IsOther(int type) => (DataType)type is DataType.Float16 or DataType.Bfloat16 || (isDouble && (DataType)type is DataType.Double);
}
