using System.Globalization;
using RegistryUnlearn.Registry.Azure.Tests.Emulator;

namespace RegistryUnlearn.Registry.Azure.Tests;

/// <summary>Stores under new prefixes of one container. Thread-safe.</summary>
sealed class PrefixStores(BlobLocation container)
{
    int count;

    public AzureBlobStore OpenNew() => new(EmulatorFixture.Connect(container),
        string.Create(CultureInfo.InvariantCulture, $"{Interlocked.Increment(ref count)}/"));
}
