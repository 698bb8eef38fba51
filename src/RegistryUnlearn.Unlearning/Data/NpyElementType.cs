namespace RegistryUnlearn.Unlearning.Data;

/// <summary>The element types of NPY arrays that are read and written; all little-endian.</summary>
public enum NpyElementType
{
    Bool,
    UInt8,
    Int8,
    Int16,
    Int32,
    Int64,
    Float16,
    Float32,
    Float64,

    /// <summary>Fixed width UTF-32, padded with zeros (NumPy <c>&lt;U</c>).</summary>
    Unicode,

    /// <summary>Fixed width bytes, padded with zeros (NumPy <c>|S</c>), read as UTF-8.</summary>
    Bytes,
}

/// <summary>One row per numeric element type: NumPy's descriptor, bytes per element, the .NET type.</summary>
static class NpyElementTypes
{
    static readonly (NpyElementType Type, string Descriptor, int Size, Type Clr)[] Table =
    [
        (NpyElementType.Bool, "|b1", 1, typeof(bool)),
        (NpyElementType.UInt8, "|u1", 1, typeof(byte)),
        (NpyElementType.Int8, "|i1", 1, typeof(sbyte)),
        (NpyElementType.Int16, "<i2", 2, typeof(short)),
        (NpyElementType.Int32, "<i4", 4, typeof(int)),
        (NpyElementType.Int64, "<i8", 8, typeof(long)),
        (NpyElementType.Float16, "<f2", 2, typeof(Half)),
        (NpyElementType.Float32, "<f4", 4, typeof(float)),
        (NpyElementType.Float64, "<f8", 8, typeof(double)),
    ];

    /// <summary>The descriptor of a type; for text, <paramref name="itemSize"/> gives the width.</summary>
    public static string Descriptor(NpyElementType type, int itemSize) => type switch
    {
        NpyElementType.Unicode => $"<U{itemSize / 4}",
        NpyElementType.Bytes => $"|S{itemSize}",
        _ => Array.Find(Table, row => row.Type == type).Descriptor,
    };

    /// <summary>Bytes per element of a numeric type.</summary>
    public static int ItemSize(NpyElementType type) => Array.Find(Table, row => row.Type == type).Size;

    /// <summary>The element type that has the .NET type <typeparamref name="T"/>; null when none has.</summary>
    public static NpyElementType? Of<T>()
        where T : unmanaged
    {
        foreach (var row in Table)
        {
            if (row.Clr == typeof(T))
                return row.Type;
        }

        return null;
    }

    /// <summary>Reads a descriptor; false when it is not one of the supported little-endian types.</summary>
    public static bool TryParse(string descriptor, out NpyElementType type, out int itemSize)
    {
        foreach (var row in Table)
        {
            // One-byte types have no byte order: '|' and '<' mean the same there.
            if (row.Descriptor == descriptor || (row.Size == 1 && descriptor.StartsWith('<') && descriptor[1..] == row.Descriptor[1..]))
            {
                (type, itemSize) = (row.Type, row.Size);
                return true;
            }
        }

        const int MaxWidth = 1 << 20;
        type = descriptor.StartsWith("<U", StringComparison.Ordinal) ? NpyElementType.Unicode : NpyElementType.Bytes;
        itemSize = 0;
        if (type is NpyElementType.Bytes && !descriptor.StartsWith("|S", StringComparison.Ordinal))
            return false;
        if (!int.TryParse(descriptor.AsSpan(2), System.Globalization.NumberStyles.None, null, out var width) || width is 0 or > MaxWidth)
            return false;
        itemSize = type is NpyElementType.Unicode ? 4 * width : width;
        return true;
    }
}
