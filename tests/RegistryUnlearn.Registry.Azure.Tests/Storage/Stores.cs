using RegistryUnlearn.Conformance;
using RegistryUnlearn.Registry.Azure.Tests.Emulator;

namespace RegistryUnlearn.Registry.Azure.Tests;

public sealed class AzureBlobStoreTests(EmulatorFixture emulator) : ObjectStoreConformance
{
    readonly BlobLocation location = emulator.NewContainer();

    protected override IObjectStore Open() => location.Open(_ => null);
}

/// <summary>The contract again with blocks so small that every object of some size is made of several.</summary>
public sealed class SmallBlocksTests(EmulatorFixture emulator) : ObjectStoreConformance
{
    readonly BlobLocation location = emulator.NewContainer();

    protected override IObjectStore Open() =>
        new AzureBlobStore(EmulatorFixture.Connect(location), "a/prefix/", new() { BlockBytes = 64 << 10 });
}

public sealed class AzurePublishingTests(EmulatorFixture emulator) : PublishingConformance
{
    readonly PrefixStores stores = new(emulator.NewContainer());

    protected override int Interleavings => 3;

    protected override int Stride => 7;

    protected override IObjectStore OpenNew() => stores.OpenNew();
}

public sealed class AzureStoreModelTests(EmulatorFixture emulator) : StoreModelConformance
{
    readonly PrefixStores stores = new(emulator.NewContainer());

    protected override int Histories => 12;

    protected override IObjectStore OpenNew() => stores.OpenNew();
}

public sealed class AzureRegistryModelTests(EmulatorFixture emulator) : RegistryModelConformance
{
    readonly PrefixStores stores = new(emulator.NewContainer());

    protected override int Histories => 10;

    protected override IObjectStore OpenNew() => stores.OpenNew();
}
