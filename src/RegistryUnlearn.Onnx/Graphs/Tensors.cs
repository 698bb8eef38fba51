using System.Runtime.InteropServices;
using Google.Protobuf;
using RegistryUnlearn.Onnx.Proto;

namespace RegistryUnlearn.Onnx.Graphs;

/// <summary>Small tensors as <see cref="TensorProto"/>, for constants that graphs carry.</summary>
public static class Tensors
{
    public static TensorProto Of(ReadOnlySpan<float> values, params ReadOnlySpan<long> dims) =>
        Raw(TensorProto.Types.DataType.Float, MemoryMarshal.AsBytes(values), dims);

    public static TensorProto Of(ReadOnlySpan<long> values, params ReadOnlySpan<long> dims) =>
        Raw(TensorProto.Types.DataType.Int64, MemoryMarshal.AsBytes(values), dims);

    public static TensorProto Scalar(float value) => Of([value], dims: []);

    static TensorProto Raw(TensorProto.Types.DataType type, ReadOnlySpan<byte> bytes, ReadOnlySpan<long> dims)
    {
        var tensor = new TensorProto { DataType = (int)type, RawData = ByteString.CopyFrom(bytes) };
        foreach (var dim in dims)
            tensor.Dims.Add(dim);
        return tensor;
    }

    /// <summary>The integers of an int64 or int32 tensor that is stored in the model itself; null for any other tensor.</summary>
    public static long[]? Integers(TensorProto tensor) => (TensorProto.Types.DataType)tensor.DataType switch
    {
        _ when tensor.DataLocation is TensorProto.Types.DataLocation.External => null,
        TensorProto.Types.DataType.Int64 when tensor.HasRawData => MemoryMarshal.Cast<byte, long>(tensor.RawData.Span).ToArray(),
        TensorProto.Types.DataType.Int64 => [.. tensor.Int64Data],
        TensorProto.Types.DataType.Int32 when tensor.HasRawData => [.. MemoryMarshal.Cast<byte, int>(tensor.RawData.Span).ToArray()],
        TensorProto.Types.DataType.Int32 => [.. tensor.Int32Data],
        _ => null,
    };

    /// <summary>The value of a boolean tensor with one element that is stored in the model itself; null for any other tensor.</summary>
    public static bool? SingleBool(TensorProto tensor)
    {
        if (tensor.DataType != (int)TensorProto.Types.DataType.Bool || tensor.DataLocation is TensorProto.Types.DataLocation.External)
            return null;
        int[] values = tensor.HasRawData ? [.. tensor.RawData.Select(b => (int)b)] : [.. tensor.Int32Data];
        return values.Length == 1 ? values[0] != 0 : null;
    }

    /// <summary>The value of a float tensor with one element that is stored in the model itself; null for any other tensor.</summary>
    public static float? SingleFloat(TensorProto tensor) => Floats(tensor) is [var value] ? value : null;

    /// <summary>The elements of a float tensor that is stored in the model itself; null for any other tensor.</summary>
    public static float[]? Floats(TensorProto tensor) =>
        tensor.DataType != (int)TensorProto.Types.DataType.Float || tensor.DataLocation is TensorProto.Types.DataLocation.External ? null
        : tensor.HasRawData ? MemoryMarshal.Cast<byte, float>(tensor.RawData.Span).ToArray() : [.. tensor.FloatData];
}
