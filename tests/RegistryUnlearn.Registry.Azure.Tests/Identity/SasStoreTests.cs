using System.Diagnostics.Tracing;
using Azure.Core.Diagnostics;
using Azure.Storage.Blobs;
using Azure.Storage.Blobs.Models;
using Azure.Storage.Sas;
using RegistryUnlearn.Conformance;
using RegistryUnlearn.Registry.Azure.Tests.Emulator;

namespace RegistryUnlearn.Registry.Azure.Tests.Identity;

/// <summary>The contract of a store with a signature of user delegation, made for its container and taken from the environment.</summary>
public sealed class SasStoreTests(CloudEmulator cloud) : ObjectStoreConformance, IAsyncLifetime
{
    AzureBlobStore store = null!;
    BlobLocation location = null!;

    static CancellationToken Stop => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        location = await cloud.NewContainerAsync();
        store = await OpenAsync(await SignAsync(location, BlobContainerSasPermissions.All));
    }

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;

    [Fact]
    public async Task A_version_is_published()
    {
        using var publication = new Publication();
        await publication.PrepareAsync(store);
        await publication.WorkAsync(store);
        await publication.AssertDoneAsync(store, "a");
    }

    [Fact]
    public async Task It_lets_in_to_its_own_container_and_for_what_it_permits()
    {
        await store.TryCreateAsync("a", "text"u8.ToArray(), Stop);
        var reader = await OpenAsync(await SignAsync(location, BlobContainerSasPermissions.Read | BlobContainerSasPermissions.List));
        Assert.Equal("text"u8.ToArray(), (await reader.ReadAsync("a", Stop))!.Content);
        Func<Task>[] writes =
        [
            () => reader.TryCreateAsync("b", new byte[1], Stop),
            () => reader.TryCopyAsync("a", "b", Stop),
            () => reader.DeleteAsync("a", Stop),
        ];
        foreach (var write in writes)
        {
            var refusal = await Assert.ThrowsAsync<RegistryException>(write);
            Assert.Equal(RegistryErrorKind.Denied, refusal.Kind);
            Assert.Contains("or a signature its permissions (racwdl;", refusal.Message, StringComparison.Ordinal);
        }
        var elsewhere = await OpenAsync(await SignAsync(await cloud.NewContainerAsync(), BlobContainerSasPermissions.All));
        Assert.Equal(RegistryErrorKind.Denied, (await Assert.ThrowsAsync<RegistryException>(() => elsewhere.ReadAsync("a", Stop))).Kind);
    }

    /// <summary>Everything that the client library would tell whoever listens, at the finest level, and what its refusals say.</summary>
    [Fact]
    public async Task Nothing_of_it_is_logged()
    {
        var signature = await SignAsync(location, BlobContainerSasPermissions.All);
        var forged = signature[..^12] + "AAAAAAAAAAA%3D";
        var said = new List<string>();
        using (new AzureEventSourceListener((args, message) =>
        {
            lock (said)
                said.Add($"{message} {string.Join(' ', args.Payload!)}");
        }, EventLevel.LogAlways))
        {
            var signed = await OpenAsync(signature);
            await signed.TryCreateAsync("logged/a", new byte[200_000], Stop);
            Assert.True(await signed.TryCopyAsync("logged/a", "logged/b", Stop));
            Assert.NotNull(await signed.ReadAsync("logged/b", Stop));
            Assert.Equal(2, (await signed.ListAsync("logged/", Stop).ToListAsync(Stop)).Count);
            var refusal = await Assert.ThrowsAsync<RegistryException>(async () => await (await OpenAsync(forged)).ReadAsync("a", Stop));
            said.Add($"{refusal}");
            said.Add($"{location} {location.Locate("a")} {signed}");
        }
        Assert.Contains(said, text => text.Contains("logged/b"));
        var secret = Uri.UnescapeDataString(signature.Split("sig=")[1].Split('&')[0]);
        foreach (var part in new[] { secret[..12], Uri.EscapeDataString(secret)[..12], "AAAAAAAAAAA" })
            Assert.DoesNotContain(said, text => text.Contains(part));
    }

    protected override IObjectStore Open() => store;

    async Task<AzureBlobStore> OpenAsync(string signature) => new(
        location.Connect(await cloud.BlobOptionsAsync(), name => name == DelegationSas.Variable ? signature : null),
        "a/prefix/", new() { BlockBytes = 64 << 10 });

    /// <summary>What an operator does who is signed in: a key for the service, and a signature by it.</summary>
    async Task<string> SignAsync(BlobLocation container, BlobContainerSasPermissions permissions)
    {
        var service = new BlobServiceClient(new Uri(CloudEmulator.Blobs), new TestCredential(), await cloud.BlobOptionsAsync());
        var end = DateTimeOffset.UtcNow.AddHours(1);
        var key = await service.GetUserDelegationKeyAsync(
            new BlobGetUserDelegationKeyOptions(end) { StartsOn = DateTimeOffset.UtcNow.AddMinutes(-5) }, Stop);
        var client = container.Connect(await cloud.BlobOptionsAsync(), new TestCredential());
        return client.GenerateUserDelegationSasUri(permissions, end, key.Value).Query;
    }
}
