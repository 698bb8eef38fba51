namespace RegistryUnlearn.Worker.Files;

/// <summary>Results appear whole or not at all: written beside their place under another name, then renamed.</summary>
public static class Staging
{
    const string Prefix = ".registry-unlearn-partial-";

    /// <summary>Writes one file; a file that was there is replaced.</summary>
    /// <param name="inputs">Files the result is made from; it may be none of them.</param>
    /// <exception cref="InputException">The path is a folder or one of the inputs.</exception>
    public static void WriteFile(string path, IEnumerable<string> inputs, Action<Stream> write)
    {
        RequireOtherThan(path, inputs);
        var partial = PartialOf(path);
        Writing(path, () =>
        {
            try
            {
                using (var stream = new FileStream(partial, FileMode.Create, FileAccess.Write))
                {
                    write(stream);
                    stream.Flush(flushToDisk: true);
                }
                File.Move(partial, path, overwrite: true);
            }
            finally
            {
                File.Delete(partial);
            }
        });
    }

    /// <summary>Writes the files of a folder, or of a place that other code fills, and names the result when the disk refuses.</summary>
    /// <exception cref="InputException">No permission, no space, or something else is in the way.</exception>
    public static void Writing(string path, Action write)
    {
        try
        {
            write();
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new InputException(path, $"cannot be written: {e.Message}", e);
        }
    }

    /// <summary>Checks, before any work, that a result can be written to a path.</summary>
    /// <exception cref="InputException">The path is a folder or one of the inputs.</exception>
    public static void RequireOtherThan(string path, IEnumerable<string> inputs)
    {
        if (Directory.Exists(path)) throw new InputException(path, "is a folder; name a file to write");
        if (inputs.FirstOrDefault(i => Real(i) == Real(path)) is { } input)
            throw new InputException(path, $"is the input {input}; choose another name, inputs are never changed");
    }

    /// <summary>The path of a file or folder under construction, in a parent folder that exists now; old remains are removed.</summary>
    public static string PartialOf(string path)
    {
        var full = Path.GetFullPath(path);
        var parent = Path.GetDirectoryName(full)
            ?? throw new InputException(path, "is the root of the file system; name something below it");
        var partial = Path.Combine(parent, Prefix + Path.GetFileName(full));
        Writing(path, () =>
        {
            Directory.CreateDirectory(parent);
            if (Directory.Exists(partial)) Directory.Delete(partial, recursive: true);
        });
        return partial;
    }

    static string Real(string path)
    {
        var full = Path.GetFullPath(path);
        return File.Exists(full) ? File.ResolveLinkTarget(full, returnFinalTarget: true)?.FullName ?? full : full;
    }
}
