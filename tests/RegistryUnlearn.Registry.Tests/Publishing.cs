using RegistryUnlearn.Conformance;

namespace RegistryUnlearn.Registry.Tests;

public sealed class MemoryPublishingTests : PublishingConformance
{
    protected override int Interleavings => 500;

    protected override IObjectStore OpenNew() => new MemoryStore();
}

public sealed class FolderPublishingTests : PublishingConformance
{
    readonly TempFolder folder = new();
    int stores;

    protected override int Interleavings => 12;

    protected override IObjectStore OpenNew() =>
        new FolderStore(Directory.CreateDirectory(Path.Combine(folder.Path, $"{++stores}")).FullName);

    protected override void CleanUp() => folder.Dispose();
}

public sealed class MemoryRegistryModelTests : RegistryModelConformance
{
    protected override int Histories => 200;

    protected override IObjectStore OpenNew() => new MemoryStore();
}

public sealed class FolderRegistryModelTests : RegistryModelConformance
{
    readonly TempFolder folder = new();
    int stores;

    protected override int Histories => 8;

    protected override IObjectStore OpenNew() =>
        new FolderStore(Directory.CreateDirectory(Path.Combine(folder.Path, $"{++stores}")).FullName);

    protected override void CleanUp() => folder.Dispose();
}
