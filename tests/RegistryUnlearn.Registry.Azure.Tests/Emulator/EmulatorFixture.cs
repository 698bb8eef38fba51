using System.Globalization;
using Azure.Core.Pipeline;
using Azure.Storage.Blobs;
using RegistryUnlearn.Registry.Azure.Tests.Emulator;

[assembly: AssemblyFixture(typeof(EmulatorFixture))]

namespace RegistryUnlearn.Registry.Azure.Tests.Emulator;

/// <summary>One emulator for all tests; they are skipped where it cannot be started.</summary>
public sealed class EmulatorFixture : IAsyncLifetime
{
    readonly string? missing = Azurite.Missing(Repository.Root);
    Azurite? azurite;
    int containers;

    public async ValueTask InitializeAsync()
    {
        if (missing is null)
            azurite = await Azurite.StartAsync(Repository.Root);
    }

    public async ValueTask DisposeAsync()
    {
        if (azurite is not null)
            await azurite.DisposeAsync();
    }

    /// <summary>A new container, as a location.</summary>
    public BlobLocation NewContainer()
    {
        var name = string.Create(CultureInfo.InvariantCulture, $"test-{Interlocked.Increment(ref containers)}");
        var location = (BlobLocation)RegistryLocation.Parse(Account + name);
        Connect(location).Create();
        return location;
    }

    /// <summary>Address of the account; ends in '/'. The test is skipped without an emulator.</summary>
    public Uri Account
    {
        get
        {
            Assert.SkipUnless(missing is null, missing ?? "");
            return azurite!.Account;
        }
    }

    /// <summary>A client with the product's options, which repeats without long pauses.</summary>
    /// <param name="location">The container.</param>
    /// <param name="transport">Sends the requests.</param>
    public static BlobContainerClient Connect(BlobLocation location, HttpPipelineTransport? transport = null)
    {
        var options = BlobService.Options();
        options.Retry.Delay = TimeSpan.FromMilliseconds(1);
        options.Retry.MaxDelay = TimeSpan.FromMilliseconds(10);
        options.Transport = transport ?? options.Transport;
        return location.Connect(options, _ => null);
    }
}
