using System.Security.Cryptography;

namespace RegistryUnlearn.Registry;

/// <summary>
/// Reads through to another stream and throws at its end, instead of reporting the end, when the bytes do not have the promised digest and
/// size: a store that reads it never publishes wrong bytes.
/// </summary>
sealed class DigestCheckingStream(Stream source, Digest expected, long size, string path) : ForwardStream
{
    readonly IncrementalHash hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
    long seen;
    bool ended;

    public override int Read(byte[] buffer, int offset, int count) =>
        Checked(buffer.AsSpan(offset, count), source.Read(buffer, offset, count));

    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        var count = await source.ReadAsync(buffer, cancellationToken);
        return Checked(buffer.Span, count);
    }

    /// <summary>Reads and hashes the next piece while the last one is being written.</summary>
    public override async Task CopyToAsync(Stream destination, int bufferSize, CancellationToken cancellationToken)
    {
        var length = (int)Math.Clamp(size, 1, bufferSize);
        byte[] filling = new byte[length], writing = new byte[length];
        var write = Task.CompletedTask;
        try
        {
            for (int count; (count = await this.ReadAtLeastAsync(filling, length, throwOnEndOfStream: false, cancellationToken)) > 0;)
            {
                await write;
                (filling, writing) = (writing, filling);
                write = destination.WriteAsync(writing.AsMemory(0, count), cancellationToken).AsTask();
            }
        }
        finally
        {
            await write;
        }
    }

    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            hash.Dispose();
            source.Dispose();
        }
        base.Dispose(disposing);
    }

    int Checked(ReadOnlySpan<byte> buffer, int count)
    {
        seen += count;
        if (seen > size)
            throw Mismatch($"it has more than the recorded {size} bytes");
        if (count > 0)
            hash.AppendData(buffer[..count]);
        else if (buffer.Length > 0 && !ended)
            CheckEnd();
        return count;
    }

    void CheckEnd()
    {
        ended = true;
        var actual = Digest.FromHash(hash.GetHashAndReset());
        if (seen != size || actual != expected)
            throw Mismatch($"its {seen} bytes have the digest {actual}, not the recorded {expected} ({size} bytes)");
    }

    RegistryException Mismatch(string what) =>
        new(RegistryErrorKind.Corrupt, path, $"{what}. The file was changed or damaged: restore it from a backup.");
}
