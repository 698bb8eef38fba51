using System.IO.Compression;
using System.Runtime.InteropServices;

namespace RegistryUnlearn.Unlearning.Data;

/// <summary>
/// Writes an .npz file that NumPy reads: entries stored, in the order they are added, with a fixed time stamp,
/// so that the same arrays give the same bytes.
/// </summary>
public sealed class NpzWriter : IDisposable
{
    static readonly DateTimeOffset TimeStamp = new(1980, 1, 1, 0, 0, 0, TimeSpan.Zero);
    readonly ZipArchive zip;
    readonly HashSet<string> names = new(StringComparer.Ordinal);

    /// <param name="stream">Where the file goes; complete only after <see cref="Dispose"/>.</param>
    /// <param name="leaveOpen">Whether the stream stays open after <see cref="Dispose"/>.</param>
    public NpzWriter(Stream stream, bool leaveOpen = false) => zip = new ZipArchive(stream, ZipArchiveMode.Create, leaveOpen);

    /// <summary>Writes numbers (or bool) in C order without copying them.</summary>
    /// <exception cref="ArgumentException">The name was used before, or the values do not fill the shape.</exception>
    public void Add<T>(string name, ReadOnlySpan<long> shape, ReadOnlySpan<T> values)
        where T : unmanaged
    {
        var type = NpyElementTypes.Of<T>() ?? throw new ArgumentException($"{typeof(T)} is not an NPY element type.", nameof(values));
        NpyArray.RequireCount(shape, values.Length);
        var bytes = MemoryMarshal.AsBytes(values);
        Write(name, new NpyHeader(type, NpyElementTypes.ItemSize(type), false, [.. shape]), bytes);
    }

    /// <inheritdoc cref="Add{T}(string, ReadOnlySpan{long}, ReadOnlySpan{T})"/>
    public void Add(NpyArray array) =>
        Write(array.Name, new NpyHeader(array.ElementType, array.ItemSize, false, [.. array.Shape]), array.Bytes);

    public void Dispose() => zip.Dispose();

    void Write(string name, NpyHeader header, ReadOnlySpan<byte> bytes)
    {
        if (!names.Add(name))
            throw new ArgumentException($"The array '{name}' was written before.", nameof(name));
        var entry = zip.CreateEntry(name + ".npy", CompressionLevel.NoCompression);
        entry.LastWriteTime = TimeStamp;
        entry.ExternalAttributes = 0;
        using var stream = entry.Open();
        stream.Write(header.ToBytes());
        stream.Write(bytes);
    }
}
