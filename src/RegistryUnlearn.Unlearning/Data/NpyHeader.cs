using System.Buffers.Binary;
using System.Text;

namespace RegistryUnlearn.Unlearning.Data;

/// <summary>
/// The header of an NPY file, format 1.0, 2.0 or 3.0 (NumPy enhancement proposal 1 and numpy.lib.format): magic, version,
/// length, then a Python dictionary literal with exactly the keys descr, fortran_order and shape.
/// </summary>
sealed record NpyHeader(NpyElementType ElementType, int ItemSize, bool FortranOrder, long[] Shape)
{
    const int MaxTextLength = 1 << 16;
    const int MaxRank = 64;
    const int Alignment = 64;

    static ReadOnlySpan<byte> Magic => [0x93, (byte)'N', (byte)'U', (byte)'M', (byte)'P', (byte)'Y'];

    /// <summary>Bytes of all elements together.</summary>
    /// <exception cref="OverflowException">The shape does not fit 64 bits.</exception>
    public long DataLength()
    {
        var length = (long)ItemSize;
        foreach (var dimension in Shape)
            length = checked(length * dimension);
        return length;
    }

    /// <summary>Reads the header at the start of a stream.</summary>
    /// <param name="bytes">Left at the first element.</param>
    /// <param name="raw">The bytes of the header.</param>
    /// <exception cref="FormatException">The message says what is wrong.</exception>
    public static NpyHeader Read(Stream bytes, out byte[] raw)
    {
        Span<byte> start = stackalloc byte[12];
        bytes.ReadExactly(start[..8]);
        if (!start[..6].SequenceEqual(Magic))
            throw new FormatException("it does not start like an .npy file");
        var (major, minor) = (start[6], start[7]);
        if (major is < 1 or > 3 || minor is not 0)
            throw new FormatException($"its format version {major}.{minor} is not 1.0, 2.0 or 3.0");
        var prefix = major is 1 ? 10 : 12;
        bytes.ReadExactly(start[8..prefix]);
        var textLength = major is 1
            ? BinaryPrimitives.ReadUInt16LittleEndian(start[8..])
            : BinaryPrimitives.ReadUInt32LittleEndian(start[8..]);
        if (textLength > MaxTextLength)
            throw new FormatException($"its header of {textLength} bytes is longer than {MaxTextLength}");
        raw = new byte[prefix + (int)textLength];
        start[..prefix].CopyTo(raw);
        bytes.ReadExactly(raw.AsSpan(prefix));
        var encoding = major is 3 ? Encoding.UTF8 : Encoding.Latin1;
        return Parse(encoding.GetString(raw.AsSpan(prefix)));
    }

    /// <summary>Format 1.0, padded as NumPy does so that the elements start at a multiple of 64 bytes.</summary>
    public byte[] ToBytes()
    {
        var shape = Shape.Length is 1 ? $"({Shape[0]},)" : $"({string.Join(", ", Shape)})";
        var descriptor = NpyElementTypes.Descriptor(ElementType, ItemSize);
        var text = $"{{'descr': '{descriptor}', 'fortran_order': {(FortranOrder ? "True" : "False")}, 'shape': {shape}, }}";
        var length = (10 + text.Length + 1 + Alignment - 1) / Alignment * Alignment;
        var bytes = new byte[length];
        Magic.CopyTo(bytes);
        bytes[6] = 1;
        BinaryPrimitives.WriteUInt16LittleEndian(bytes.AsSpan(8), checked((ushort)(length - 10)));
        bytes.AsSpan(10).Fill((byte)' ');
        Encoding.ASCII.GetBytes(text, bytes.AsSpan(10));
        bytes[^1] = (byte)'\n';
        return bytes;
    }

    /// <summary>Reads the dictionary literal.</summary>
    /// <exception cref="FormatException">The message says what is wrong.</exception>
    public static NpyHeader Parse(string text)
    {
        var literal = new PythonLiteral(text);
        string? descriptor = null;
        bool? fortranOrder = null;
        long[]? shape = null;
        literal.Expect('{');
        while (!literal.Accept('}'))
        {
            var key = literal.Text();
            literal.Expect(':');
            switch (key)
            {
                case "descr" when descriptor is null && literal.Peek() is '[' or '(':
                    throw new FormatException("it is a structured array; save each field as an array of its own");
                case "descr" when descriptor is null:
                    descriptor = literal.Text();
                    break;
                case "fortran_order" when fortranOrder is null:
                    fortranOrder = literal.Boolean();
                    break;
                case "shape" when shape is null:
                    shape = literal.Tuple(MaxRank);
                    break;
                default:
                    throw new FormatException("its header holds an unknown or repeated key");
            }

            if (literal.Peek() is not '}')
                literal.Expect(',');
        }

        literal.End();
        if (descriptor is null || fortranOrder is null || shape is null)
            throw new FormatException("its header lacks one of descr, fortran_order, shape");
        return NpyElementTypes.TryParse(descriptor, out var type, out var itemSize)
            ? new NpyHeader(type, itemSize, fortranOrder.Value, shape)
            : throw new FormatException(WhyNot(descriptor));
    }

    static string WhyNot(string descriptor) => descriptor switch
    {
        [_, 'O', ..] => "it holds pickled Python objects, which are never loaded; save it with a numeric or fixed width text type",
        ['>', ..] => $"its type '{descriptor}' is big-endian; save it little-endian",
        _ => $"its type '{descriptor}' is not supported; use float16/32/64, int8/16/32/64, uint8, bool, <U or |S",
    };
}
