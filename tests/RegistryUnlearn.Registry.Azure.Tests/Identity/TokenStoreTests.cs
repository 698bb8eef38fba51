using RegistryUnlearn.Conformance;
using RegistryUnlearn.Registry.Azure.Tests.Emulator;

namespace RegistryUnlearn.Registry.Azure.Tests.Identity;

/// <summary>The contract of a store, as somebody with a token and over TLS; most objects travel in several blocks.</summary>
public sealed class TokenStoreTests(CloudEmulator cloud) : ObjectStoreConformance, IAsyncLifetime
{
    AzureBlobStore store = null!;

    public async ValueTask InitializeAsync()
    {
        var location = await cloud.NewContainerAsync();
        store = new(location.Connect(await cloud.BlobOptionsAsync(), new TestCredential()), "a/prefix/", new() { BlockBytes = 64 << 10 });
    }

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;

    protected override IObjectStore Open() => store;
}
