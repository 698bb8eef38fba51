namespace RegistryUnlearn.Worker.Demo;

/// <summary>A working copy of the sample registry that comes with the product.</summary>
public static class DemoRegistry
{
    /// <summary>Marks a folder as a working copy, which may be replaced.</summary>
    const string Marker = ".registry-unlearn-demo";

    /// <summary>The sample beside the program.</summary>
    public static string Sample => Path.Combine(AppContext.BaseDirectory, "onnx-artifacts");

    /// <summary>The requests of the sample, in the order they are shown.</summary>
    public static IReadOnlyList<string> Requests { get; } = ["forget-canaries", "forget-random"];

    public static string RequestPath(string registry, string request) => Path.Combine(registry, "requests", request + ".json");

    /// <summary>Copies the sample to a folder that does not exist, is empty, or holds an earlier copy, which is replaced.</summary>
    /// <exception cref="InputException">The folder holds something else, or the sample is missing.</exception>
    public static void CopyTo(string folder)
    {
        if (!Directory.Exists(Sample))
            throw new InputException(Sample, "the sample registry is not beside the program; install the program again");
        if (File.Exists(folder))
            throw new InputException(folder, "is a file; choose a folder with --out");
        if (Directory.Exists(folder) && Directory.EnumerateFileSystemEntries(folder).Any())
        {
            if (!File.Exists(Path.Combine(folder, Marker)))
                throw new InputException(folder, "the folder is not empty and no earlier demo; choose another with --out");
            Directory.Delete(folder, recursive: true);
        }
        Directory.CreateDirectory(folder);
        // First, so that a copy that breaks off can be replaced.
        File.WriteAllText(Path.Combine(folder, Marker), "A working copy of the sample registry; it is replaced by the next demo.\n");
        var everything = new EnumerationOptions { RecurseSubdirectories = true, AttributesToSkip = 0 };
        foreach (var source in Directory.EnumerateFiles(Sample, "*", everything))
        {
            var target = Path.Combine(folder, Path.GetRelativePath(Sample, source));
            Directory.CreateDirectory(Path.GetDirectoryName(target)!);
            File.Copy(source, target);
        }
    }
}
