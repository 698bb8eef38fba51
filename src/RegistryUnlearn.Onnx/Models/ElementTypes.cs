using System.Collections.Frozen;
using static RegistryUnlearn.Onnx.Proto.TensorProto.Types;

namespace RegistryUnlearn.Onnx.Models;

/// <summary>Storage size of ONNX element types (onnx.proto, TensorProto.DataType).</summary>
static class ElementTypes
{
    // The three numbers beyond the enum are FLOAT8E8M0, UINT2 and INT2 of ONNX 1.19 and 1.20: carried through, never computed with.
    static readonly FrozenDictionary<int, int> BitsOf = new Dictionary<int, int>
    {
        [(int)DataType.Float] = 32,
        [(int)DataType.Uint8] = 8,
        [(int)DataType.Int8] = 8,
        [(int)DataType.Uint16] = 16,
        [(int)DataType.Int16] = 16,
        [(int)DataType.Int32] = 32,
        [(int)DataType.Int64] = 64,
        [(int)DataType.Bool] = 8,
        [(int)DataType.Float16] = 16,
        [(int)DataType.Double] = 64,
        [(int)DataType.Uint32] = 32,
        [(int)DataType.Uint64] = 64,
        [(int)DataType.Complex64] = 64,
        [(int)DataType.Complex128] = 128,
        [(int)DataType.Bfloat16] = 16,
        [(int)DataType.Float8E4M3Fn] = 8,
        [(int)DataType.Float8E4M3Fnuz] = 8,
        [(int)DataType.Float8E5M2] = 8,
        [(int)DataType.Float8E5M2Fnuz] = 8,
        [(int)DataType.Uint4] = 4,
        [(int)DataType.Int4] = 4,
        [(int)DataType.Float4E2M1] = 4,
        [24] = 8,
        [25] = 2,
        [26] = 2,
    }.ToFrozenDictionary();

    /// <summary>Bits of one element; false for strings and for numbers ONNX does not define.</summary>
    public static bool TryGetBits(DataType type, out int bits) => BitsOf.TryGetValue((int)type, out bits);

    /// <summary>Whether values of the type convert to float: FLOAT, FLOAT16, BFLOAT16, DOUBLE.</summary>
    public static bool IsFloat(DataType type) =>
        type is DataType.Float or DataType.Float16 or DataType.Bfloat16 or DataType.Double;

    /// <summary>Name as ONNX spells it, or the number where it has none here.</summary>
    public static string NameOf(DataType type) => Enum.IsDefined(type) ? type.ToString().ToUpperInvariant() : $"number {(int)type}";
}
