namespace RegistryUnlearn.Testing;

/// <summary>Files of the repository and beside it, found from where the tests were built.</summary>
static class Repository
{
    /// <summary>The folder of RegistryUnlearn.sln.</summary>
    public static string Root { get; } = Find();

    /// <summary>A file or folder of data that lies beside the repository; the test is skipped where it is absent.</summary>
    /// <param name="relative">Path below <c>../shared</c>.</param>
    public static string Shared(string relative)
    {
        var path = Path.GetFullPath(Path.Combine(Root, "../shared", relative));
        Assert.SkipUnless(Path.Exists(path), $"../shared/{relative} is not beside the repository");
        return path;
    }

    static string Find()
    {
        for (var folder = AppContext.BaseDirectory; folder is not null; folder = Path.GetDirectoryName(folder))
            if (File.Exists(Path.Combine(folder, "RegistryUnlearn.sln")))
                return folder;
        throw new InvalidOperationException($"{AppContext.BaseDirectory} lies in no folder with RegistryUnlearn.sln");
    }
}
