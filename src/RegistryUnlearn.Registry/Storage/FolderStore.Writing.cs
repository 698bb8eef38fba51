namespace RegistryUnlearn.Registry;

public sealed partial class FolderStore
{
    /// <summary>Bound on repeating a creation whose folder is removed at the same time by whoever empties it.</summary>
    const int MaxFolderRaces = 100;

    public Task<ETag?> TryCreateAsync(string path, ReadOnlyMemory<byte> content, CancellationToken cancellation = default) =>
        Guard(path, async file =>
            await CreateAsync(path, file, stream => stream.WriteAsync(content, cancellation).AsTask()) ? TagOf(content.Span) : (ETag?)null);

    public Task<bool> TryCreateAsync(string path, Stream content, CancellationToken cancellation = default) =>
        Guard(path, file => CreateAsync(path, file, stream => content.CopyToAsync(stream, cancellation)));

    public Task<bool> TryCopyAsync(string source, string target, CancellationToken cancellation = default) => Guard(target, async file =>
    {
        if (File.Exists(file))
            return false;
        await using var content = await OpenReadAsync(source, cancellation)
            ?? throw new RegistryException(RegistryErrorKind.NotFound, source, $"there is nothing to copy to {target}.");
        return await CreateAsync(target, file, stream => content.CopyToAsync(stream, cancellation));
    });

    public Task<ETag?> TryReplaceAsync(string path, ReadOnlyMemory<byte> content, ETag expected,
        CancellationToken cancellation = default) =>
        Guard<ETag?>(path, async file =>
        {
            using var held = await LockAsync(path, cancellation);
            await using (var stream = Open(file))
            {
                if (stream is null || (await ReadAllAsync(stream, path, cancellation)).ETag != expected)
                    return null;
            }
            EnsureFolder(Local(TempFolder));
            var written = await temp.WriteAsync(stream => stream.WriteAsync(content, cancellation).AsTask());
            try
            {
                File.Move(written, file, overwrite: true);
            }
            catch
            {
                File.Delete(written);
                throw;
            }
            FileSystemCalls.FlushDirectory(Path.GetDirectoryName(file)!);
            return TagOf(content.Span);
        });

    public Task<bool> DeleteAsync(string path, CancellationToken cancellation = default) => Guard(path, async file =>
    {
        if (!File.Exists(file))
            return false;
        using var held = await LockAsync(path, cancellation);
        if (!File.Exists(file))
            return false;
        File.Delete(file);
        var folder = Path.GetDirectoryName(file)!;
        FileSystemCalls.FlushDirectory(folder);
        RemoveEmpty(folder);
        return true;
    });

    async Task<bool> CreateAsync(string path, string file, Func<Stream, Task> write)
    {
        if (File.Exists(file))
            return false;
        EnsureFolder(Local(TempFolder));
        var written = await temp.WriteAsync(write);
        try
        {
            for (var attempt = 0; attempt < MaxFolderRaces; attempt++)
            {
                EnsureFolder(Path.GetDirectoryName(file)!);
                switch (FileSystemCalls.HardLink(written, file))
                {
                    case FileSystemCalls.LinkResult.Linked:
                        FileSystemCalls.FlushDirectory(Path.GetDirectoryName(file)!);
                        return true;
                    case FileSystemCalls.LinkResult.TargetExists when Directory.Exists(file):
                        throw new RegistryException(RegistryErrorKind.Conflict, path, "a folder has this name. Rename one of the two.");
                    case FileSystemCalls.LinkResult.TargetExists:
                        return false;
                }
            }
            throw new RegistryException(RegistryErrorKind.Unavailable, path, "its folder vanishes again and again. Stop what removes it.");
        }
        finally
        {
            File.Delete(written);
        }
    }

    async Task<IDisposable> LockAsync(string path, CancellationToken cancellation)
    {
        EnsureFolder(Local(LockFolder));
        return await locks.AcquireAsync(path, cancellation);
    }

    /// <summary>Creates what is missing of a folder, each new name durable in its parent.</summary>
    static void EnsureFolder(string folder)
    {
        folder = Path.TrimEndingDirectorySeparator(folder);
        if (Directory.Exists(folder))
            return;
        var parent = Path.GetDirectoryName(folder)!;
        EnsureFolder(parent);
        Directory.CreateDirectory(folder);
        FileSystemCalls.FlushDirectory(parent);
    }

    /// <summary>A blob store has no empty folders; neither has this one, or consumers would take them for versions.</summary>
    void RemoveEmpty(string folder)
    {
        try
        {
            for (; folder.Length > root.Length; folder = Path.GetDirectoryName(folder)!)
                Directory.Delete(folder);
        }
        catch (IOException)
        {
            // Not empty, or removed by another process: either way there is nothing left to tidy.
        }
    }
}
