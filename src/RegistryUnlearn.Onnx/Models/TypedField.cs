using System.Buffers.Binary;
using RegistryUnlearn.Onnx.Proto;
using static RegistryUnlearn.Onnx.Proto.TensorProto.Types;

namespace RegistryUnlearn.Onnx.Models;

/// <summary>The typed data fields of a TensorProto (float_data, int32_data, ...), seen as the bytes raw_data would hold.</summary>
static class TypedField
{
    /// <summary>Entries over all typed fields: zero means the tensor stores nothing there.</summary>
    public static long EntriesInAll(TensorProto tensor) =>
        (long)tensor.FloatData.Count + tensor.Int32Data.Count + tensor.Int64Data.Count + tensor.DoubleData.Count
        + tensor.Uint64Data.Count + tensor.StringData.Count;

    /// <summary>Name and entries of the field in which ONNX stores the type, and how many entries count elements take.</summary>
    public static (string Name, int Entries, long Needed) Of(TensorProto tensor, DataType type, long count)
    {
        ElementTypes.TryGetBits(type, out var bits);
        return type switch
        {
            DataType.Float => ("float_data", tensor.FloatData.Count, count),
            DataType.Complex64 => ("float_data", tensor.FloatData.Count, 2 * count),
            DataType.Double => ("double_data", tensor.DoubleData.Count, count),
            DataType.Complex128 => ("double_data", tensor.DoubleData.Count, 2 * count),
            DataType.Int64 => ("int64_data", tensor.Int64Data.Count, count),
            DataType.Uint32 or DataType.Uint64 => ("uint64_data", tensor.Uint64Data.Count, count),
            DataType.String => ("string_data", tensor.StringData.Count, count),
            _ when bits < 8 => ("int32_data", tensor.Int32Data.Count, TensorLayout.PackedBytes(count, bits)),
            _ => ("int32_data", tensor.Int32Data.Count, count),
        };
    }

    /// <summary>Writes the entries from start on, as many as fit in bytes, in the layout of raw_data.</summary>
    public static void CopyBytes(TensorProto tensor, DataType type, int start, Span<byte> bytes)
    {
        switch (type)
        {
            case DataType.Float or DataType.Complex64:
                for (var i = 0; i < bytes.Length / 4; i++)
                    BinaryPrimitives.WriteSingleLittleEndian(bytes[(4 * i)..], tensor.FloatData[start + i]);
                break;
            case DataType.Double or DataType.Complex128:
                for (var i = 0; i < bytes.Length / 8; i++)
                    BinaryPrimitives.WriteDoubleLittleEndian(bytes[(8 * i)..], tensor.DoubleData[start + i]);
                break;
            case DataType.Int64:
                for (var i = 0; i < bytes.Length / 8; i++)
                    BinaryPrimitives.WriteInt64LittleEndian(bytes[(8 * i)..], tensor.Int64Data[start + i]);
                break;
            case DataType.Uint64:
                for (var i = 0; i < bytes.Length / 8; i++)
                    BinaryPrimitives.WriteUInt64LittleEndian(bytes[(8 * i)..], tensor.Uint64Data[start + i]);
                break;
            case DataType.Uint32:
                for (var i = 0; i < bytes.Length / 4; i++)
                    BinaryPrimitives.WriteUInt32LittleEndian(bytes[(4 * i)..], (uint)tensor.Uint64Data[start + i]);
                break;
            case DataType.Int32:
                for (var i = 0; i < bytes.Length / 4; i++)
                    BinaryPrimitives.WriteInt32LittleEndian(bytes[(4 * i)..], tensor.Int32Data[start + i]);
                break;
            case DataType.Int16 or DataType.Uint16 or DataType.Float16 or DataType.Bfloat16:
                for (var i = 0; i < bytes.Length / 2; i++)
                    BinaryPrimitives.WriteUInt16LittleEndian(bytes[(2 * i)..], (ushort)tensor.Int32Data[start + i]);
                break;
            default:
                for (var i = 0; i < bytes.Length; i++) bytes[i] = (byte)tensor.Int32Data[start + i];
                break;
        }
    }

    /// <summary>Replaces the field's entries by elements given as little-endian bytes of the (float) type.</summary>
    public static void Replace(TensorProto tensor, DataType type, ReadOnlySpan<byte> bytes)
    {
        switch (type)
        {
            case DataType.Float:
                for (var i = 0; i < tensor.FloatData.Count; i++)
                    tensor.FloatData[i] = BinaryPrimitives.ReadSingleLittleEndian(bytes[(4 * i)..]);
                break;
            case DataType.Double:
                for (var i = 0; i < tensor.DoubleData.Count; i++)
                    tensor.DoubleData[i] = BinaryPrimitives.ReadDoubleLittleEndian(bytes[(8 * i)..]);
                break;
            default:
                for (var i = 0; i < tensor.Int32Data.Count; i++)
                    tensor.Int32Data[i] = BinaryPrimitives.ReadUInt16LittleEndian(bytes[(2 * i)..]);
                break;
        }
    }
}
