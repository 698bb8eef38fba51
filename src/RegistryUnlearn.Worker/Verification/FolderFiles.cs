using System.Runtime.CompilerServices;

namespace RegistryUnlearn.Worker.Verification;

/// <summary>The files of a local folder. Links in it are named, not followed.</summary>
public sealed class FolderFiles : VersionFiles
{
    static readonly EnumerationOptions Entries = new() { AttributesToSkip = 0, IgnoreInaccessible = false };

    readonly List<string> links = [];
    readonly string root;

    /// <exception cref="InputException">There is no such folder.</exception>
    public FolderFiles(string folder)
    {
        root = Path.TrimEndingDirectorySeparator(Path.GetFullPath(folder));
        if (!Directory.Exists(root))
            throw new InputException(folder, "there is no such folder; give the folder of a version, or name@version with --registry");
    }

    public override string Place => root;

    public override string Name => Path.GetFileName(root);

    /// <summary>Known after the listing.</summary>
    public override IReadOnlyList<string> Links => links;

    public override async IAsyncEnumerable<string> ListAsync([EnumeratorCancellation] CancellationToken cancellation)
    {
        await Task.CompletedTask;
        links.Clear();
        var folders = new Stack<DirectoryInfo>([new DirectoryInfo(root)]);
        while (folders.TryPop(out var folder))
        {
            foreach (var entry in folder.EnumerateFileSystemInfos("*", Entries))
            {
                cancellation.ThrowIfCancellationRequested();
                var path = Path.GetRelativePath(root, entry.FullName).Replace(Path.DirectorySeparatorChar, '/');
                if (entry.LinkTarget is not null)
                    links.Add(path);
                else if (entry is DirectoryInfo inner)
                    folders.Push(inner);
                else
                    yield return path;
            }
        }
    }

    protected override Task<Stream?> OpenAsync(string path, CancellationToken cancellation)
    {
        var file = new FileInfo(Path.Combine(root, path.Replace('/', Path.DirectorySeparatorChar)));
        // What has no length is not opened: it is empty, or a pipe or device, whose reading might never end.
        return Task.FromResult<Stream?>(
            !file.Exists || file.LinkTarget is not null ? null
            : file.Length is 0 ? new MemoryStream()
            : file.OpenRead());
    }
}
