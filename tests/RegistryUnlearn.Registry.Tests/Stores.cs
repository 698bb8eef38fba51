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

public sealed class MemoryStoreModelTests : StoreModelConformance
{
    protected override int Histories => 500;

    protected override IObjectStore OpenNew() => new MemoryStore();
}

public sealed class FolderStoreModelTests : StoreModelConformance, IDisposable
{
    readonly FolderStores stores = new();

    protected override int Histories => 20;

    public void Dispose() => stores.Dispose();

    protected override IObjectStore OpenNew() => stores.OpenNew();
}
