using System.IO.Compression;
using System.IO.Hashing;

namespace RegistryUnlearn.Unlearning.Data;

/// <summary>
/// Reads arrays from an .npz file (a zip of .npy files, stored or deflated) one at a time, on demand. The file is hostile until checked:
/// sizes are compared with the declared shape before anything is allocated, checksums are verified, objects are never unpickled.
/// </summary>
public sealed class NpzReader : IDisposable
{
    const string Extension = ".npy";

    /// <summary>Deflate cannot expand data further than this (RFC 1951: at most 258 bytes for two bits).</summary>
    const long MaxExpansion = 1032;

    readonly ZipArchive zip;
    readonly string file;
    readonly long fileLength;
    readonly long maxArrayBytes;
    readonly Dictionary<string, ZipArchiveEntry> entries = new(StringComparer.Ordinal);
    readonly List<string> names = [];

    /// <param name="stream">A seekable stream, closed with the reader.</param>
    /// <param name="file">The name used in messages.</param>
    /// <param name="maxArrayBytes">Arrays larger than this many bytes are refused.</param>
    /// <exception cref="DataException">The stream is no .npz file, or two arrays have the same name.</exception>
    public NpzReader(Stream stream, string file, long? maxArrayBytes = null)
    {
        this.file = file;
        this.maxArrayBytes = Math.Min(maxArrayBytes ?? Array.MaxLength, Array.MaxLength);
        try
        {
            fileLength = stream.Length;
            zip = new ZipArchive(stream, ZipArchiveMode.Read);
            foreach (var entry in zip.Entries)
                Register(entry);
        }
        catch (Exception exception)
        {
            zip?.Dispose();
            stream.Dispose();
            if (exception is InvalidDataException or EndOfStreamException or ArgumentException or NotSupportedException)
                throw new DataException(file, null, "it is not a complete .npz file", "write it again with numpy.savez", exception);
            throw;
        }
    }

    /// <summary>Opens a file for reading.</summary>
    /// <exception cref="DataException">The file is missing, cannot be opened, or is no .npz file.</exception>
    public static NpzReader Open(string path, long? maxArrayBytes = null)
    {
        try
        {
            return new NpzReader(new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read), path, maxArrayBytes);
        }
        catch (Exception exception) when (exception is FileNotFoundException or DirectoryNotFoundException)
        {
            throw new DataException(path, null, "the file does not exist", "check the path", exception);
        }
        catch (UnauthorizedAccessException exception)
        {
            throw new DataException(path, null, "the file may not be read", "check its permissions", exception);
        }
    }

    /// <summary>Reads all arrays of a file, by name.</summary>
    public static IReadOnlyDictionary<string, NpyArray> ReadAll(string path)
    {
        using var reader = Open(path);
        return reader.Names.ToDictionary(name => name, reader.Read, StringComparer.Ordinal);
    }

    /// <summary>The array names in the order of the file, without the extension .npy; other entries are left out.</summary>
    public IReadOnlyList<string> Names => names;

    /// <summary>Reads an array if the file holds it.</summary>
    public NpyArray? Find(string name) => entries.ContainsKey(name) ? Read(name) : null;

    /// <summary>Reads an array; Fortran order is turned into C order.</summary>
    /// <exception cref="DataException">The array is missing, damaged, too large, or of an unsupported type.</exception>
    public NpyArray Read(string name)
    {
        if (!entries.TryGetValue(name, out var entry))
            throw new DataException(file, name, "it is not in the file", $"the file holds: {Listing()}");
        try
        {
            return Read(name, entry);
        }
        catch (FormatException exception)
        {
            throw new DataException(file, name, exception.Message, "write it again with numpy.savez", exception);
        }
        catch (OverflowException exception)
        {
            throw new DataException(file, name, "its shape is larger than any memory", "write it again with numpy.savez", exception);
        }
        catch (Exception exception) when (exception is EndOfStreamException or InvalidDataException)
        {
            throw new DataException(file, name, "its bytes are damaged or cut off", "fetch or write the file again", exception);
        }
    }

    public void Dispose() => zip.Dispose();

    void Register(ZipArchiveEntry entry)
    {
        if (!entry.FullName.EndsWith(Extension, StringComparison.Ordinal))
            return;
        var name = entry.FullName[..^Extension.Length];
        if (!entries.TryAdd(name, entry))
            throw new DataException(file, name, "the file holds it twice", "write the file again with distinct names");
        names.Add(name);
    }

    NpyArray Read(string name, ZipArchiveEntry entry)
    {
        if (entry.IsEncrypted)
            throw new FormatException("it is encrypted");
        if (entry.CompressedLength > fileLength || entry.Length / MaxExpansion > entry.CompressedLength)
            throw new FormatException($"it declares {entry.Length} bytes, more than the file can hold");
        using var stream = entry.Open();
        var header = NpyHeader.Read(stream, out var raw);
        var length = header.DataLength();
        if (length > maxArrayBytes)
            throw new DataException(file, name, $"its {length} bytes exceed the limit of {maxArrayBytes}", "split it or raise the limit");
        if (entry.Length != raw.Length + length)
            throw new FormatException($"its shape asks for {length} bytes of elements but the file declares {entry.Length - raw.Length}");
        var bytes = GC.AllocateUninitializedArray<byte>((int)length);
        stream.ReadExactly(bytes);
        if (stream.ReadByte() >= 0)
            throw new FormatException("it holds more bytes than it declares");
        var checksum = new Crc32();
        checksum.Append(raw);
        checksum.Append(bytes);
        if (checksum.GetCurrentHashAsUInt32() != entry.Crc32)
            throw new FormatException("its checksum does not fit its bytes");
        if (header.ElementType is NpyElementType.Bool && bytes.AsSpan().ContainsAnyExcept((byte)0, (byte)1))
            throw new FormatException("it holds a bool that is neither 0 nor 1");
        if (header.FortranOrder && header.Shape.Length > 1)
            bytes = ToCOrder(bytes, header.Shape, header.ItemSize);
        return new NpyArray(file, name, header.ElementType, header.ItemSize, header.Shape, bytes);
    }

    /// <summary>Fortran order stores the first index fastest, C order the last.</summary>
    static byte[] ToCOrder(byte[] source, long[] shape, int itemSize)
    {
        var target = GC.AllocateUninitializedArray<byte>(source.Length);
        var index = new long[shape.Length];
        for (var offset = 0; offset < target.Length; offset += itemSize)
        {
            long from = 0, stride = itemSize;
            for (var axis = 0; axis < shape.Length; axis++)
            {
                from += index[axis] * stride;
                stride *= shape[axis];
            }

            source.AsSpan((int)from, itemSize).CopyTo(target.AsSpan(offset));
            for (var axis = shape.Length - 1; axis >= 0 && ++index[axis] == shape[axis]; axis--)
                index[axis] = 0;
        }

        return target;
    }

    string Listing()
    {
        const int Shown = 12;
        var shown = string.Join(", ", names.Take(Shown));
        return names.Count > Shown ? $"{shown}, and {names.Count - Shown} more" : shown;
    }
}
