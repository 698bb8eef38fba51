using RegistryUnlearn.Conformance;

namespace RegistryUnlearn.Registry.Tests;

public sealed class MemoryPublishingTests : PublishingConformance
{
    protected override int Interleavings => 500;

    protected override IObjectStore OpenNew() => new MemoryStore();
}

public sealed class FolderPublishingTests : PublishingConformance
{
    readonly FolderStores stores = new();

    protected override int Interleavings => 12;

    protected override IObjectStore OpenNew() => stores.OpenNew();

    protected override void CleanUp() => stores.Dispose();
}

public sealed class MemoryRegistryModelTests : RegistryModelConformance
{
    protected override int Histories => 200;

    protected override IObjectStore OpenNew() => new MemoryStore();
}

public sealed class FolderRegistryModelTests : RegistryModelConformance
{
    readonly FolderStores stores = new();

    protected override int Histories => 8;

    protected override IObjectStore OpenNew() => stores.OpenNew();

    protected override void CleanUp() => stores.Dispose();
}
