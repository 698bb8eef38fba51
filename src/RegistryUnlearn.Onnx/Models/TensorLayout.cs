using RegistryUnlearn.Onnx.Proto;
using static RegistryUnlearn.Onnx.Proto.TensorProto.Types;

namespace RegistryUnlearn.Onnx.Models;

/// <summary>How a tensor is laid out, checked against what the file says of it.</summary>
/// <param name="Type">Element type.</param>
/// <param name="Shape">Dimensions, each at least 0; empty for a scalar.</param>
/// <param name="Count">Elements: the product of the dimensions.</param>
/// <param name="ByteLength">Bytes in raw form; 0 for strings, which have none.</param>
sealed record TensorLayout(DataType Type, long[] Shape, long Count, long ByteLength)
{
    /// <summary>Bytes of count elements of 2, 4 or more bits each, the last byte padded.</summary>
    public static long PackedBytes(long count, int bits) => bits >= 8
        ? checked(count * (bits / 8))
        : (count / (8 / bits)) + (count % (8 / bits) == 0 ? 0 : 1);

    /// <summary>Reads type and dimensions.</summary>
    /// <exception cref="OnnxModelException">Unknown type, a negative dimension, a size above 2^63 bytes, or a segmented tensor.</exception>
    public static TensorLayout Of(TensorProto tensor, string file, string element)
    {
        var type = (DataType)tensor.DataType;
        if (!ElementTypes.TryGetBits(type, out var bits) && type != DataType.String)
            throw new OnnxModelException(file, element, $"data_type {tensor.DataType} is not an ONNX element type",
                "Export the model again; the file is damaged or newer than this program");
        if (tensor.Segment is not null)
            throw new OnnxModelException(file, element, "the tensor is stored in segments",
                "Export the model again; no current tool writes segments");
        var shape = tensor.Dims.ToArray();
        if (shape.FirstOrDefault(d => d < 0) is < 0 and var negative)
            throw new OnnxModelException(file, element, $"dims holds {negative}",
                "A stored tensor needs dimensions of 0 or more; export the model again");
        try
        {
            var count = shape.Contains(0) ? 0 : shape.Aggregate(1L, (product, d) => checked(product * d));
            return new(type, shape, count, type == DataType.String ? 0 : PackedBytes(count, bits));
        }
        catch (OverflowException e)
        {
            throw new OnnxModelException(file, element, $"dims [{string.Join(", ", shape)}] exceed 2^63 bytes",
                "The file is damaged; export the model again", e);
        }
    }
}
