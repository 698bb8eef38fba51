namespace RegistryUnlearn.Registry;

/// <summary>Objects to local files and back, always with their digests.</summary>
static class LocalFiles
{
    const int BufferSize = 1 << 17;

    /// <summary>A download hands pieces of this size to the file, so that it seldom waits for a thread.</summary>
    const int DownloadBufferSize = 1 << 20;

    /// <exception cref="RegistryException">Corrupt: the object differs from the digest. NotFound: there is no such object.</exception>
    public static async Task DownloadAsync(IObjectStore store, string source, string target, Digest digest, long size,
        CancellationToken cancellation)
    {
        if (File.Exists(target) && await HashAsync(target, cancellation) == (digest, size))
            return;
        await using var stream = await OpenCheckedAsync(store, source, digest, size, cancellation);
        var part = target + ".part";
        try
        {
            Directory.CreateDirectory(Path.GetDirectoryName(Path.GetFullPath(target))!);
            await using (var file = new FileStream(part, FileMode.Create, FileAccess.Write, FileShare.None, bufferSize: 0,
                FileOptions.Asynchronous))
                await stream.CopyToAsync(file, DownloadBufferSize, cancellation);
            File.Move(part, target, overwrite: true);
        }
        catch (Exception e)
        {
            File.Delete(part);
            if (FolderErrors.Translate(e, target) is { } translated)
                throw translated;
            throw;
        }
    }

    public static async Task<Stream> OpenCheckedAsync(IObjectStore store, string path, Digest digest, long size,
        CancellationToken cancellation)
    {
        var stream = await store.OpenReadAsync(path, cancellation)
            ?? throw new RegistryException(RegistryErrorKind.NotFound, path, "the file is missing. Restore it from a backup.");
        return new DigestCheckingStream(stream, digest, size, path);
    }

    public static async Task<(Digest Digest, long Size)> HashAsync(string file, CancellationToken cancellation)
    {
        await using var stream = OpenRead(file);
        return (await Digest.OfAsync(stream, cancellation), stream.Length);
    }

    /// <exception cref="RegistryException">NotFound or Denied, naming the local file.</exception>
    public static FileStream OpenRead(string file)
    {
        try
        {
            return new FileStream(file, FileMode.Open, FileAccess.Read, FileShare.Read, BufferSize,
                FileOptions.Asynchronous | FileOptions.SequentialScan);
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            throw new RegistryException(RegistryErrorKind.NotFound, file, "there is no such local file. Make it, or correct the path.", e);
        }
        catch (Exception e) when (FolderErrors.Translate(e, file) is { } translated)
        {
            throw translated;
        }
    }
}
