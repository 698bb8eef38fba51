using System.Buffers.Binary;
using System.Text;

namespace RegistryUnlearn.Onnx.TrainingArtifacts;

/// <summary>
/// A table in a FlatBuffer from outside. Every offset and length is checked against the buffer before it is used (the verifier of the
/// package stops checking behind 32 KB).
/// </summary>
readonly struct FlatTable
{
    readonly byte[] buffer;
    readonly int position, directory, directoryBytes;

    /// <exception cref="InvalidDataException">Here and in all members: an offset or length points outside the buffer.</exception>
    FlatTable(byte[] buffer, long at)
    {
        this.buffer = buffer;
        position = Within(buffer, at, 4);
        directory = Within(buffer, position - (long)BinaryPrimitives.ReadInt32LittleEndian(buffer.AsSpan(position)), 4);
        directoryBytes = BinaryPrimitives.ReadUInt16LittleEndian(buffer.AsSpan(directory));
        Within(buffer, directory, directoryBytes);
    }

    /// <summary>The root table of a buffer with the given file identifier.</summary>
    public static FlatTable Root(byte[] buffer, ReadOnlySpan<byte> identifier)
    {
        Within(buffer, 0, 8);
        if (!buffer.AsSpan(4, 4).SequenceEqual(identifier)) throw new InvalidDataException();
        return new(buffer, BinaryPrimitives.ReadUInt32LittleEndian(buffer));
    }

    public int Int(int field, int otherwise) =>
        Field(field, 4) is { } at ? BinaryPrimitives.ReadInt32LittleEndian(buffer.AsSpan(at)) : otherwise;

    public long Long(int field, long otherwise) =>
        Field(field, 8) is { } at ? BinaryPrimitives.ReadInt64LittleEndian(buffer.AsSpan(at)) : otherwise;

    public bool Flag(int field) => Field(field, 1) is { } at && buffer[at] != 0;

    public FlatTable? Table(int field) => Field(field, 4) is { } at ? new(buffer, Follow(at)) : null;

    public FlatTable[]? Tables(int field)
    {
        if (Vector(field, 4) is not var (start, count)) return null;
        var tables = new FlatTable[count];
        for (var i = 0; i < count; i++) tables[i] = new(buffer, Follow(start + 4 * i));
        return tables;
    }

    public string? Text(int field) => Vector(field, 1) is var (start, count) ? Encoding.UTF8.GetString(buffer, start, count) : null;

    public long[]? Longs(int field)
    {
        if (Vector(field, 8) is not var (start, count)) return null;
        var values = new long[count];
        for (var i = 0; i < count; i++) values[i] = BinaryPrimitives.ReadInt64LittleEndian(buffer.AsSpan(start + 8 * i));
        return values;
    }

    /// <summary>A vector of bytes; shares the buffer.</summary>
    public ReadOnlyMemory<byte>? Bytes(int field) => Vector(field, 1) is var (start, count) ? buffer.AsMemory(start, count) : null;

    (int Start, int Count)? Vector(int field, int elementSize)
    {
        if (Field(field, 4) is not { } at) return null;
        var start = Within(buffer, Follow(at), 4);
        var count = BinaryPrimitives.ReadUInt32LittleEndian(buffer.AsSpan(start));
        return (Within(buffer, start + 4L, (long)count * elementSize), (int)count);
    }

    /// <summary>Where a field is stored; null where it has its default.</summary>
    int? Field(int field, int size)
    {
        var slot = 4 + 2 * field;
        if (slot + 2 > directoryBytes) return null;
        var offset = BinaryPrimitives.ReadUInt16LittleEndian(buffer.AsSpan(directory + slot));
        return offset == 0 ? null : Within(buffer, (long)position + offset, size);
    }

    long Follow(int at) => at + (long)BinaryPrimitives.ReadUInt32LittleEndian(buffer.AsSpan(at));

    static int Within(byte[] buffer, long at, long size) =>
        at >= 0 && at <= buffer.Length - size ? (int)at : throw new InvalidDataException();
}
