using RegistryUnlearn.Conformance;

namespace RegistryUnlearn.Registry.Tests;

public sealed class MemoryStoreTests : ObjectStoreConformance
{
    readonly MemoryStore store = new();

    protected override IObjectStore Open() => store;
}

public sealed class FolderStoreTests : ObjectStoreConformance, IDisposable
{
    readonly TempFolder folder = new();

    public void Dispose() => folder.Dispose();

    protected override IObjectStore Open() => new FolderStore(folder.Path);
}
