using System.Buffers;
using System.Security.Cryptography;
using Microsoft.Win32.SafeHandles;

namespace RegistryUnlearn.Onnx.Models;

/// <summary>Copies a data file and replaces the regions of given tensors, in bounded memory for files of any length.</summary>
static class ExternalDataWriter
{
    const int ChunkBytes = 1 << 20;

    /// <exception cref="OnnxModelException">Two tensors share bytes and would need different ones.</exception>
    public static void Write(
        ModelFile model, ExternalFile file, IReadOnlyDictionary<string, ReadOnlyMemory<float>> parameters, StagedFiles staged)
    {
        var here = model.Inventory.External.Where(t => t.Region!.File.RelativePath == file.RelativePath).ToList();
        if (file.RelativePath.StartsWith(StagedFiles.FolderPrefix, StringComparison.Ordinal))
            throw here[0].Bad($"external_data location uses the reserved name '{StagedFiles.FolderPrefix}'", "Rename the folder");
        // A tensor of a nested graph may bear the name of a parameter and is none.
        var replaced = here.Where(t => parameters.ContainsKey(t.Name) && ReferenceEquals(model[t.Name], t)).ToHashSet();

        using var source = File.OpenHandle(file.FullPath);
        using var target = File.OpenHandle(staged.Add(file.RelativePath), FileMode.Create, FileAccess.ReadWrite);
        var buffer = ArrayPool<byte>.Shared.Rent(ChunkBytes);
        var second = ArrayPool<byte>.Shared.Rent(ChunkBytes);
        Copy(source, target, file, here[0], buffer);
        foreach (var tensor in replaced)
            foreach (var (offset, bytes) in Encoded(tensor, parameters[tensor.Name], buffer))
                RandomAccess.Write(target, bytes.Span, offset);
        RequireSharedBytesAgree(here, replaced, parameters, source, target, buffer, second);
        RandomAccess.FlushToDisk(target);
        if (replaced.Count > 0) UpdateChecksums(here, target, buffer);
        ArrayPool<byte>.Shared.Return(buffer);
        ArrayPool<byte>.Shared.Return(second);
    }

    // Blocks of zeros are skipped, so that a sparse file stays sparse.
    static void Copy(SafeFileHandle source, SafeFileHandle target, ExternalFile file, TensorData anyTensor, byte[] buffer)
    {
        RandomAccess.SetLength(target, file.Length);
        for (long offset = 0; offset < file.Length;)
        {
            var chunk = buffer.AsSpan(0, (int)Math.Min(ChunkBytes, file.Length - offset));
            chunk = chunk[..RandomAccess.Read(source, chunk, offset)];
            if (chunk.IsEmpty)
                throw anyTensor.Bad($"data file '{file.RelativePath}' ended early",
                    "Fetch the data file again; it was changed while in use");
            if (chunk.ContainsAnyExcept((byte)0)) RandomAccess.Write(target, chunk, offset);
            offset += chunk.Length;
        }
    }

    static IEnumerable<(long Offset, ReadOnlyMemory<byte> Bytes)> Encoded(TensorData tensor, ReadOnlyMemory<float> values, byte[] buffer)
    {
        var size = FloatCodec.SizeOf(tensor.ElementType);
        var step = ChunkBytes / size;
        for (var start = 0; start < values.Length; start += step)
        {
            var part = values.Slice(start, Math.Min(step, values.Length - start));
            var bytes = buffer.AsMemory(0, part.Length * size);
            tensor.Encode(part.Span, start, bytes.Span);
            yield return (tensor.Region!.Offset + ((long)start * size), bytes);
        }
    }

    // What was written last stands in the file: every tensor that overlaps a replaced one must find its own bytes there.
    static void RequireSharedBytesAgree(
        List<TensorData> here, HashSet<TensorData> replaced, IReadOnlyDictionary<string, ReadOnlyMemory<float>> parameters,
        SafeFileHandle source, SafeFileHandle target, byte[] wanted, byte[] found)
    {
        foreach (var tensor in Overlapped(here, replaced))
        {
            var expected = replaced.Contains(tensor)
                ? Encoded(tensor, parameters[tensor.Name], wanted)
                : Stored(tensor.Region!, source, wanted);
            foreach (var (offset, bytes) in expected)
            {
                var actual = found.AsSpan(0, bytes.Length);
                ReadExactly(target, actual, offset);
                if (!bytes.Span.SequenceEqual(actual))
                    throw tensor.Bad(
                        $"shares bytes of '{tensor.Region!.File.RelativePath}' with another tensor, and the two would need different ones",
                        "Give both the same values, or export the model with separate tensors");
            }
        }
    }

    // Sorted by offset, a tensor overlaps a replaced one before it if the furthest end of these lies beyond its offset, and one after it
    // if the next of these begins before its end.
    static List<TensorData> Overlapped(List<TensorData> here, HashSet<TensorData> replaced)
    {
        var sorted = here.Where(t => t.Region!.Length > 0).OrderBy(t => t.Region!.Offset).ToList();
        var overlapped = new HashSet<TensorData>();
        long end = -1, next = long.MaxValue;
        foreach (var tensor in sorted)
        {
            if (end > tensor.Region!.Offset) overlapped.Add(tensor);
            if (replaced.Contains(tensor)) end = Math.Max(end, tensor.Region.End);
        }
        foreach (var tensor in Enumerable.Reverse(sorted))
        {
            if (next < tensor.Region!.End) overlapped.Add(tensor);
            if (replaced.Contains(tensor)) next = tensor.Region.Offset;
        }
        return [.. sorted.Where(overlapped.Contains)];
    }

    static IEnumerable<(long Offset, ReadOnlyMemory<byte> Bytes)> Stored(ExternalRegion region, SafeFileHandle source, byte[] buffer)
    {
        for (var offset = region.Offset; offset < region.End; offset += ChunkBytes)
        {
            var bytes = buffer.AsMemory(0, (int)Math.Min(ChunkBytes, region.End - offset));
            ReadExactly(source, bytes.Span, offset);
            yield return (offset, bytes);
        }
    }

    static void ReadExactly(SafeFileHandle handle, Span<byte> bytes, long offset)
    {
        while (bytes.Length > 0)
        {
            var read = RandomAccess.Read(handle, bytes, offset);
            if (read == 0) throw new EndOfStreamException("A data file became shorter while it was read.");
            offset += read;
            bytes = bytes[read..];
        }
    }

    // checksum is the SHA-1 of the whole file (onnx/docs/ExternalData.md); a stale one would make strict readers refuse the file.
    static void UpdateChecksums(List<TensorData> here, SafeFileHandle target, byte[] buffer)
    {
        var entries = here.SelectMany(t => t.Proto!.ExternalData).Where(e => e.Key == "checksum").ToList();
        if (entries.Count == 0) return;
        using var sha1 = IncrementalHash.CreateHash(HashAlgorithmName.SHA1);
        for (long offset = 0; RandomAccess.Read(target, buffer.AsSpan(0, ChunkBytes), offset) is > 0 and var read; offset += read)
            sha1.AppendData(buffer, 0, read);
        var checksum = Convert.ToHexStringLower(sha1.GetHashAndReset());
        foreach (var entry in entries) entry.Value = checksum;
    }
}
