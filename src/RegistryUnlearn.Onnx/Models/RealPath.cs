namespace RegistryUnlearn.Onnx.Models;

/// <summary>A path with every symbolic link on the way replaced by its target.</summary>
static class RealPath
{
    // The limit of Linux (path_resolution(7)); a longer chain is a loop.
    const int MaxLinks = 40;

    /// <exception cref="IOException">More than 40 links.</exception>
    public static string Of(string path)
    {
        path = Path.GetFullPath(path);
        var current = Path.GetPathRoot(path)!;
        var pending = new Stack<string>();
        Push(path[current.Length..]);
        var links = 0;
        while (pending.TryPop(out var segment))
        {
            if (segment == "..")
            {
                current = Path.GetDirectoryName(current) ?? current;
                continue;
            }
            var next = Path.Combine(current, segment);
            if (new FileInfo(next).LinkTarget is not { } target)
            {
                current = next;
                continue;
            }
            if (++links > MaxLinks) throw new IOException($"{path}: too many symbolic links.");
            if (Path.IsPathRooted(target)) current = Path.GetPathRoot(target)!;
            Push(target[Path.GetPathRoot(target)!.Length..]);
        }
        return current;

        void Push(string relative)
        {
            foreach (var segment in relative.Split(Path.DirectorySeparatorChar, Path.AltDirectorySeparatorChar).Reverse())
                if (segment is not ("" or ".")) pending.Push(segment);
        }
    }
}
