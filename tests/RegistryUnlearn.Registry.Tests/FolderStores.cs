using RegistryUnlearn.Conformance;

namespace RegistryUnlearn.Registry.Tests;

/// <summary>Stores over new, empty folders, which are removed together. Thread-safe.</summary>
sealed class FolderStores : IDisposable
{
    readonly TempFolder folder = new();
    int count;

    public FolderStore OpenNew() =>
        new(Directory.CreateDirectory(Path.Combine(folder.Path, $"{Interlocked.Increment(ref count)}")).FullName);

    public void Dispose() => folder.Dispose();
}
