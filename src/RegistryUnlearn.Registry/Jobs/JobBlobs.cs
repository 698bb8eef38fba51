using System.Globalization;

namespace RegistryUnlearn.Registry;

/// <summary>
/// A job's checkpoints and results by digest, verified on every reading. Blobs of one job are not shared with another, nor with a later
/// retry, so that whoever ends it can remove its traces without a look at the others; workers of the same job share them.
/// </summary>
public sealed class JobBlobs(IObjectStore store, JobId job, int retry)
{
    /// <summary>Stores bytes, once.</summary>
    public async Task<Digest> PutAsync(ReadOnlyMemory<byte> content, CancellationToken cancellation = default)
    {
        var digest = Digest.Of(content.Span);
        if (await store.CreateOrFindAsync(RegistryLayout.Blob(job, retry, digest), content, cancellation) is null)
            throw Corrupt(RegistryLayout.Blob(job, retry, digest));
        return digest;
    }

    /// <summary>Stores a local file, once, in bounded memory. A file that changes meanwhile is refused.</summary>
    public async Task<(Digest Digest, long Size)> PutFileAsync(string localFile, CancellationToken cancellation = default)
    {
        var (digest, size) = await LocalFiles.HashAsync(localFile, cancellation);
        var path = RegistryLayout.Blob(job, retry, digest);
        while (true)
        {
            await using var content = new DigestCheckingStream(LocalFiles.OpenRead(localFile), digest, size, localFile);
            if (await store.TryCreateAsync(path, content, cancellation))
                return (digest, size);
            // A twin that has ended the job removes its blobs: then there is none to compare with, and room for this one.
            if (await store.GetDigestAsync(path, cancellation) is { } found)
                return found == digest ? (digest, size) : throw Corrupt(path);
        }
    }

    /// <summary>Reads a small blob.</summary>
    /// <exception cref="RegistryException">NotFound, or Corrupt.</exception>
    public async Task<byte[]> ReadAsync(Digest digest, CancellationToken cancellation = default)
    {
        var path = RegistryLayout.Blob(job, retry, digest);
        var stored = await store.ReadAsync(path, cancellation)
            ?? throw new RegistryException(RegistryErrorKind.NotFound, path, "the blob is gone. Run the job again from its request.");
        return Digest.Of(stored.Content.Span) == digest ? stored.Content.ToArray() : throw Corrupt(path);
    }

    /// <summary>Copies a blob to a local file, which gets its name only with the right bytes.</summary>
    /// <exception cref="RegistryException">NotFound, or Corrupt.</exception>
    public async Task DownloadAsync(Digest digest, string localFile, CancellationToken cancellation = default)
    {
        var path = RegistryLayout.Blob(job, retry, digest);
        var size = await store.GetSizeAsync(path, cancellation)
            ?? throw new RegistryException(RegistryErrorKind.NotFound, path, "the blob is gone. Run the job again from its request.");
        await LocalFiles.DownloadAsync(store, path, localFile, digest, size, cancellation);
    }

    /// <summary>Removes a blob that nothing refers to any more; harmless when it is gone.</summary>
    public Task DeleteAsync(Digest digest, CancellationToken cancellation = default) =>
        store.DeleteAsync(RegistryLayout.Blob(job, retry, digest), cancellation);

    /// <summary>Removes all blobs of the job up to this retry; harmless when repeated.</summary>
    public Task DeleteAllAsync(CancellationToken cancellation = default) => DeleteAllButAsync([], cancellation);

    /// <inheritdoc cref="DeleteAllAsync"/>
    /// <param name="kept">Blobs of this retry that stay.</param>
    public async Task DeleteAllButAsync(IEnumerable<Digest> kept, CancellationToken cancellation = default)
    {
        var spared = kept.Select(digest => RegistryLayout.Blob(job, retry, digest)).ToHashSet();
        var folder = RegistryLayout.Blobs(job);
        foreach (var entry in await store.ListAsync(folder, cancellation).ToListAsync(cancellation))
        {
            var owner = entry.Path[folder.Length..].Split('/')[0];
            if (int.TryParse(owner, NumberStyles.None, CultureInfo.InvariantCulture, out var number) && number <= retry
                && !spared.Contains(entry.Path))
                await store.DeleteAsync(entry.Path, cancellation);
        }
    }

    static RegistryException Corrupt(string path) =>
        new(RegistryErrorKind.Corrupt, path,
            "the stored blob does not have the digest that is its name. Remove the file and run the job again.");
}
