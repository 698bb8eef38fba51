using System.Runtime.CompilerServices;
using System.Security.Cryptography;

namespace RegistryUnlearn.Registry;

/// <summary>Settings of a <see cref="FolderStore"/>.</summary>
public sealed record FolderStoreOptions
{
    /// <summary>Judges the age of left-over temporary files. <value>The system clock.</value></summary>
    public TimeProvider Clock { get; init; } = TimeProvider.System;

    /// <summary>A temporary file untouched for longer belongs to a dead process and is removed. <value>One day.</value></summary>
    public TimeSpan MaxTempAge { get; init; } = TimeSpan.FromDays(1);

    /// <summary>How long a replacement or removal waits for another one of the same object. <value>30 seconds.</value></summary>
    public TimeSpan LockTimeout { get; init; } = TimeSpan.FromSeconds(30);
}

/// <summary>
/// Objects as files of one folder, shared by any number of threads and processes. A file gets its name only when its bytes are on the disk:
/// link(2) creates, rename(2) replaces, so that no reader ever sees a part. The tag of an object is its SHA-256. Symbolic links below the
/// root are refused, and listings pass over them. <c>.registry-unlearn/tmp</c> and <c>.registry-unlearn/locks</c> are the store's own.
/// </summary>
public sealed partial class FolderStore : IObjectStore
{
    const string TempFolder = RegistryLayout.Own + "tmp/";
    const string LockFolder = RegistryLayout.Own + "locks/";

    static readonly EnumerationOptions Entries = new() { AttributesToSkip = FileAttributes.ReparsePoint, IgnoreInaccessible = false };
    static readonly EnumerationOptions AllEntries = new()
    {
        AttributesToSkip = FileAttributes.ReparsePoint,
        IgnoreInaccessible = false,
        RecurseSubdirectories = true,
    };

    readonly string root;
    readonly TempFiles temp;
    readonly FolderLock locks;

    /// <exception cref="RegistryException">NotFound: the folder does not exist.</exception>
    public FolderStore(string root, FolderStoreOptions? options = null)
    {
        options ??= new();
        this.root = Path.TrimEndingDirectorySeparator(Path.GetFullPath(root));
        if (!Directory.Exists(this.root))
            throw new RegistryException(RegistryErrorKind.NotFound, this.root,
                "the registry folder does not exist. Create it, or correct the path.");
        temp = new(Local(TempFolder), options.Clock, options.MaxTempAge);
        locks = new(Local(LockFolder), options.LockTimeout);
    }

    public Task<StoredObject?> ReadAsync(string path, CancellationToken cancellation = default) => Guard(path, async file =>
    {
        await using var stream = Open(file);
        return stream is null ? null : await ReadAllAsync(stream, path, cancellation);
    });

    public Task<Stream?> OpenReadAsync(string path, CancellationToken cancellation = default) =>
        Guard(path, file => Task.FromResult<Stream?>(Open(file)));

    public Task<long?> GetSizeAsync(string path, CancellationToken cancellation = default) => Guard(path, file =>
    {
        var info = new FileInfo(file);
        return Task.FromResult<long?>(info.Exists ? info.Length : null);
    });

    public async IAsyncEnumerable<ObjectEntry> ListAsync(string folder, [EnumeratorCancellation] CancellationToken cancellation = default)
    {
        foreach (var entry in await EnumerateAsync(folder, directory => Files(directory).Select(f => new ObjectEntry(PathOf(f), f.Length))))
        {
            cancellation.ThrowIfCancellationRequested();
            yield return entry;
        }
    }

    public async IAsyncEnumerable<string> ListFoldersAsync(string folder, [EnumeratorCancellation] CancellationToken cancellation = default)
    {
        foreach (var name in await EnumerateAsync(folder, directory =>
            directory.EnumerateDirectories("*", Entries).Where(HoldsObject).Select(d => d.Name)))
        {
            cancellation.ThrowIfCancellationRequested();
            yield return name;
        }
    }

    /// <summary>A snapshot of what is below a folder; empty when the folder is not there.</summary>
    Task<List<T>> EnumerateAsync<T>(string folder, Func<DirectoryInfo, IEnumerable<T>> entries)
    {
        ObjectPath.CheckFolder(folder);
        return Guard(folder.TrimEnd('/'), directory =>
        {
            for (var attempt = 1; Directory.Exists(directory); attempt++)
            {
                try
                {
                    return Task.FromResult(entries(new DirectoryInfo(directory)).ToList());
                }
                catch (Exception e) when (e is DirectoryNotFoundException or FileNotFoundException && attempt < MaxFolderRaces)
                {
                    // A file or folder was removed while it was listed: look again.
                }
            }
            return Task.FromResult(new List<T>());
        }, isFolder: true);
    }

    IEnumerable<FileInfo> Files(DirectoryInfo directory) => directory.EnumerateFiles("*", AllEntries).Where(f => !IsReserved(PathOf(f)));

    /// <summary>A folder that may not be looked into counts as full, so that its name is not taken for free.</summary>
    bool HoldsObject(DirectoryInfo directory)
    {
        try
        {
            return Files(directory).Any();
        }
        catch (UnauthorizedAccessException)
        {
            return true;
        }
    }

    string PathOf(FileInfo file) => Path.GetRelativePath(root, file.FullName).Replace(Path.DirectorySeparatorChar, '/');

    static async Task<StoredObject> ReadAllAsync(FileStream stream, string path, CancellationToken cancellation)
    {
        if (stream.Length > IObjectStore.MaxReadBytes)
        {
            throw new RegistryException(RegistryErrorKind.Invalid, path,
                $"{stream.Length} bytes are more than this kind of file can have ({IObjectStore.MaxReadBytes}). Restore it from a backup.");
        }
        var content = new byte[stream.Length];
        await stream.ReadExactlyAsync(content, cancellation);
        return new(content, TagOf(content));
    }

    static ETag TagOf(ReadOnlySpan<byte> content) => new(Convert.ToHexStringLower(SHA256.HashData(content)));

    static FileStream? Open(string file)
    {
        try
        {
            return new FileStream(file, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete, 1 << 17,
                FileOptions.Asynchronous | FileOptions.SequentialScan);
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException
            || (e is UnauthorizedAccessException && Directory.Exists(file)))
        {
            return null;
        }
    }

    string Local(string path) => Path.Combine(root, path.Replace('/', Path.DirectorySeparatorChar));

    static bool IsReserved(string path) =>
        path.StartsWith(TempFolder, StringComparison.Ordinal) || path.StartsWith(LockFolder, StringComparison.Ordinal);

    /// <summary>Runs an operation on the checked local file of a path, with refusals of the file system translated.</summary>
    async Task<T> Guard<T>(string path, Func<string, Task<T>> operation, bool isFolder = false)
    {
        if (!isFolder)
            ObjectPath.Check(path);
        if (!isFolder && IsReserved(path + '/'))
            throw new RegistryException(RegistryErrorKind.Invalid, path, "this folder belongs to the store itself. Use another path.");
        try
        {
            RefuseLinks(path);
            return await operation(Local(path));
        }
        catch (Exception e) when (FolderErrors.Translate(e, path) is { } translated)
        {
            throw translated;
        }
    }

    void RefuseLinks(string path)
    {
        for (var end = path.IndexOf('/'); path.Length > 0; end = path.IndexOf('/', end + 1))
        {
            var part = end < 0 ? path : path[..end];
            if (new FileInfo(Local(part)).LinkTarget is not null)
            {
                throw new RegistryException(RegistryErrorKind.Denied, path,
                    $"'{part}' is a symbolic link, which could lead out of the registry. Put the file or folder itself there.");
            }
            if (end < 0)
                return;
        }
    }
}
