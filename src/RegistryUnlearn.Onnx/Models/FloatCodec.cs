using System.Buffers.Binary;
using System.Runtime.InteropServices;
using static RegistryUnlearn.Onnx.Proto.TensorProto.Types;

namespace RegistryUnlearn.Onnx.Models;

/// <summary>
/// Floats to and from the little-endian bytes of FLOAT, FLOAT16, BFLOAT16 and DOUBLE. Narrowing rounds to nearest, ties to even.
/// </summary>
static class FloatCodec
{
    /// <summary>Bytes of one element of a float type.</summary>
    public static int SizeOf(DataType type) => type switch
    {
        DataType.Float => 4,
        DataType.Double => 8,
        DataType.Float16 or DataType.Bfloat16 => 2,
        _ => throw new ArgumentOutOfRangeException(nameof(type), type, "not a float type"),
    };

    /// <summary>Decodes floats.Length elements from bytes, which holds exactly these.</summary>
    public static void Decode(DataType type, ReadOnlySpan<byte> bytes, Span<float> floats)
    {
        switch (type)
        {
            case DataType.Float:
                bytes.CopyTo(MemoryMarshal.AsBytes(floats));
                if (!BitConverter.IsLittleEndian) Reverse(floats);
                break;
            case DataType.Double:
                for (var i = 0; i < floats.Length; i++) floats[i] = (float)BinaryPrimitives.ReadDoubleLittleEndian(bytes[(8 * i)..]);
                break;
            case DataType.Float16:
                for (var i = 0; i < floats.Length; i++) floats[i] = (float)BinaryPrimitives.ReadHalfLittleEndian(bytes[(2 * i)..]);
                break;
            default:
                for (var i = 0; i < floats.Length; i++)
                    floats[i] = BitConverter.UInt32BitsToSingle((uint)BinaryPrimitives.ReadUInt16LittleEndian(bytes[(2 * i)..]) << 16);
                break;
        }
    }

    /// <summary>Encodes finite floats into bytes of exactly the needed length; a value out of the type's range becomes infinite.</summary>
    public static void Encode(DataType type, ReadOnlySpan<float> floats, Span<byte> bytes)
    {
        switch (type)
        {
            case DataType.Float:
                MemoryMarshal.AsBytes(floats).CopyTo(bytes);
                if (!BitConverter.IsLittleEndian) Reverse(MemoryMarshal.Cast<byte, float>(bytes));
                break;
            case DataType.Double:
                for (var i = 0; i < floats.Length; i++) BinaryPrimitives.WriteDoubleLittleEndian(bytes[(8 * i)..], floats[i]);
                break;
            case DataType.Float16:
                for (var i = 0; i < floats.Length; i++) BinaryPrimitives.WriteHalfLittleEndian(bytes[(2 * i)..], (Half)floats[i]);
                break;
            default:
                for (var i = 0; i < floats.Length; i++) BinaryPrimitives.WriteUInt16LittleEndian(bytes[(2 * i)..], BfloatBits(floats[i]));
                break;
        }
    }

    static ushort BfloatBits(float value)
    {
        var bits = BitConverter.SingleToUInt32Bits(value);
        return (ushort)((bits + 0x7FFF + ((bits >> 16) & 1)) >> 16);
    }

    static void Reverse(Span<float> floats)
    {
        var words = MemoryMarshal.Cast<float, uint>(floats);
        BinaryPrimitives.ReverseEndianness(words, words);
    }
}
