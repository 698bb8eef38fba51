using System.Security.Cryptography;
using RegistryUnlearn.Registry;

namespace RegistryUnlearn.Worker.Verification;

/// <summary>What lies in a version's folder, wherever that is. Nothing in it is believed.</summary>
public abstract class VersionFiles
{
    /// <summary>Most files that are looked at: a version has at most <see cref="Manifest.MaxFiles"/>.</summary>
    public const int MaxFiles = 100_000;

    const int BufferSize = 1 << 17;

    /// <summary>Where the files are, for people.</summary>
    public abstract string Place { get; }

    /// <summary>The folder's own name.</summary>
    public abstract string Name { get; }

    /// <summary>Links below a folder, which are never followed.</summary>
    public virtual IReadOnlyList<string> Links => [];

    /// <summary>Paths of all files, '/' between segments.</summary>
    public abstract IAsyncEnumerable<string> ListAsync(CancellationToken cancellation);

    /// <summary>Opens a listed file for one reading from its beginning; null when it is gone.</summary>
    protected abstract Task<Stream?> OpenAsync(string path, CancellationToken cancellation);

    /// <summary>A whole small file; null when there is none.</summary>
    /// <exception cref="InputException">It is larger.</exception>
    public async Task<byte[]?> ReadAsync(string path, int maxBytes, CancellationToken cancellation)
    {
        await using var stream = await OpenAsync(path, cancellation);
        if (stream is null)
            return null;
        using var content = new MemoryStream();
        var buffer = new byte[BufferSize];
        for (int read; (read = await stream.ReadAsync(buffer, cancellation)) > 0;)
        {
            content.Write(buffer, 0, read);
            if (content.Length > maxBytes)
                throw new InputException($"{Place}/{path}", $"it has more than {maxBytes} bytes, which no such file has");
        }
        return content.ToArray();
    }

    /// <summary>Digest and size of every file, by path.</summary>
    /// <exception cref="InputException">There are too many files.</exception>
    public async Task<SortedDictionary<string, (Digest Digest, long Size)>> HashAsync(CancellationToken cancellation)
    {
        var files = new SortedDictionary<string, (Digest, long)>(StringComparer.Ordinal);
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        var buffer = new byte[BufferSize];
        await foreach (var path in ListAsync(cancellation))
        {
            if (files.Count == MaxFiles)
                throw new InputException(Place, $"there are more than {MaxFiles} files in it; name the folder of one version");
            await using var stream = await OpenAsync(path, cancellation);
            if (stream is null)
                continue;
            var size = 0L;
            for (int read; (read = await stream.ReadAsync(buffer, cancellation)) > 0; size += read)
                hash.AppendData(buffer, 0, read);
            files[path] = (Digest.FromHash(hash.GetHashAndReset()), size);
        }
        return files;
    }
}
