using System.Diagnostics.CodeAnalysis;

namespace RegistryUnlearn.Worker.Jobs;

/// <summary>
/// A job's local copies, readable by this account alone and removed when the job ends. A file held open marks the folder as in use; the
/// operating system lets go of it when a process is killed, so that the next run of the job finds and removes what was left.
/// </summary>
sealed class WorkFolder : IDisposable
{
    const string LockFile = "in-use";

    static int runs;

    readonly FileStream held;

    WorkFolder(string path, FileStream held) => (Path, this.held) = (path, held);

    public string Path { get; }

    /// <exception cref="LocalCopyException">The folder cannot be made.</exception>
    public static WorkFolder Open(string root, string job)
    {
        try
        {
            CreatePrivate(root);
            RequireOwn(root);
            foreach (var left in Directory.EnumerateDirectories(root, job + "-*"))
                RemoveUnlessUsed(left);
            var path = System.IO.Path.Combine(root, $"{job}-{Environment.ProcessId}-{Interlocked.Increment(ref runs)}");
            CreatePrivate(path);
            return new(path, Hold(path, FileMode.CreateNew));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new LocalCopyException(root,
                $"the folder for local copies cannot be used ({e.Message.TrimEnd('.')}); free or permit it, or name another by TMPDIR", e);
        }
    }

    /// <summary>Folders that killed workers left on this machine, with their files and bytes; removed if asked for.</summary>
    public static IReadOnlyList<(string Path, int Files, long Bytes)> Abandoned(string root, bool delete)
    {
        if (!Directory.Exists(root))
            return [];
        RequireOwn(root);
        var left = new List<(string, int, long)>();
        foreach (var folder in new DirectoryInfo(root).GetDirectories())
        {
            try
            {
                using var held = Hold(folder.FullName, FileMode.Open);
                var files = folder.GetFiles("*", SearchOption.AllDirectories).Where(f => f.Name != LockFile).ToList();
                left.Add((folder.FullName, files.Count, files.Sum(f => f.Length)));
            }
            catch (IOException)
            {
                // In use, or removed by the run whose it was.
                continue;
            }
            if (delete)
                RemoveUnlessUsed(folder.FullName);
        }
        return left;
    }

    public void Dispose()
    {
        foreach (var folder in Directory.EnumerateDirectories(Path))
            Directory.Delete(folder, recursive: true);
        held.Dispose();
        try
        {
            Directory.Delete(Path, recursive: true);
        }
        catch (DirectoryNotFoundException)
        {
            // Another run of the job took it for left behind and has removed it.
        }
    }

    [SuppressMessage("Interoperability", "CA1416", Justification = "Asked for on Unix alone.")]
    static void CreatePrivate(string path)
    {
        if (OperatingSystem.IsWindows())
            Directory.CreateDirectory(path);
        else
            Directory.CreateDirectory(path, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
    }

    /// <summary>Whoever may write to a folder may exchange what lies in it, private or not.</summary>
    static void RequireOwn(string root)
    {
        const UnixFileMode others = UnixFileMode.GroupWrite | UnixFileMode.OtherWrite;
        if (!OperatingSystem.IsWindows() && (File.GetUnixFileMode(root) & others) != 0)
            throw new LocalCopyException(root, "other accounts may write to the folder for local copies; "
                + "permit it to its owner alone (chmod go-w), or name another by TMPDIR");
    }

    static FileStream Hold(string path, FileMode mode) =>
        new(System.IO.Path.Combine(path, LockFile), mode, FileAccess.ReadWrite, FileShare.None);

    /// <summary>A folder without the file is being made just now.</summary>
    static void RemoveUnlessUsed(string path)
    {
        try
        {
            Hold(path, FileMode.Open).Dispose();
            Directory.Delete(path, recursive: true);
        }
        catch (IOException)
        {
            // In use, or removed by another run of the job.
        }
    }
}
