using System.Net;
using System.Net.Sockets;
using RegistryUnlearn.Registry.Azure.Tests.Emulator;
using RegistryUnlearn.Registry.Azure.Tests.Http;

namespace RegistryUnlearn.Registry.Azure.Tests.Storage;

/// <summary>What users are told when the service refuses.</summary>
public sealed class RefusalTests
{
    static CancellationToken Stop => TestContext.Current.CancellationToken;

    static BlobLocation Somewhere { get; } =
        (BlobLocation)RegistryLocation.Parse("http://127.0.0.1:1/devstoreaccount1/models");

    [Theory]
    [InlineData(404, "ContainerNotFound", RegistryErrorKind.NotFound, "there is no container 'models' in the account 'devstoreaccount1'")]
    [InlineData(401, "NoAuthenticationInformation", RegistryErrorKind.Denied, "Storage Blob Data Contributor")]
    [InlineData(403, "AuthorizationPermissionMismatch", RegistryErrorKind.Denied, "refused access (AuthorizationPermissionMismatch)")]
    [InlineData(403, "AuthorizationFailure", RegistryErrorKind.Denied, "access to the account's network")]
    [InlineData(429, "TooManyRequests", RegistryErrorKind.Unavailable, "busy (TooManyRequests)")]
    [InlineData(503, "ServerBusy", RegistryErrorKind.Unavailable, "busy (ServerBusy)")]
    [InlineData(500, "InternalError", RegistryErrorKind.Unavailable, "failed (InternalError)")]
    [InlineData(409, "BlobImmutableDueToPolicy", RegistryErrorKind.Conflict, "locked (BlobImmutableDueToPolicy)")]
    [InlineData(412, "LeaseIdMissing", RegistryErrorKind.Conflict, "End its lease")]
    [InlineData(409, "ContainerBeingDeleted", RegistryErrorKind.Conflict, "does not allow this (ContainerBeingDeleted)")]
    [InlineData(400, "InvalidHeaderValue", RegistryErrorKind.Invalid, "(InvalidHeaderValue)")]
    public async Task A_refusal_says_what_to_do(int status, string code, RegistryErrorKind kind, string says)
    {
        var answers = new AnswerTransport((_, _) =>
            Task.FromResult<global::Azure.Response>(new StubResponse(status, ("x-ms-error-code", code))));
        var store = new AzureBlobStore(EmulatorFixture.Connect(Somewhere, answers));
        Func<Task>[] operations =
        [
            () => store.ReadAsync("a/b", Stop),
            () => store.OpenReadAsync("a/b", Stop),
            () => store.GetSizeAsync("a/b", Stop),
            () => store.TryCreateAsync("a/b", new byte[1], Stop),
            () => store.TryCreateAsync("a/b", new MemoryStream(), Stop),
            () => store.TryReplaceAsync("a/b", new byte[1], new ETag("x"), Stop),
            () => store.TryCopyAsync("a", "a/b", Stop),
            () => store.DeleteAsync("a/b", Stop),
        ];
        foreach (var operation in operations)
        {
            var refusal = await Assert.ThrowsAsync<RegistryException>(operation);
            Assert.Equal((kind, "a/b"), (refusal.Kind, refusal.Path));
            Assert.Contains(says, refusal.Message, StringComparison.Ordinal);
            Assert.DoesNotContain("\n", refusal.Message, StringComparison.Ordinal);
        }
        Assert.Equal(kind, (await Assert.ThrowsAsync<RegistryException>(() => store.ListAsync("", Stop).ToListAsync(Stop).AsTask())).Kind);
        Assert.Equal(kind,
            (await Assert.ThrowsAsync<RegistryException>(() => store.ListFoldersAsync("a/", Stop).ToListAsync(Stop).AsTask())).Kind);
    }

    [Fact]
    public async Task An_account_that_does_not_answer_is_named()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        var port = ((IPEndPoint)listener.LocalEndpoint).Port;
        listener.Stop();
        var location = (BlobLocation)RegistryLocation.Parse($"http://127.0.0.1:{port}/devstoreaccount1/models");
        var store = new AzureBlobStore(EmulatorFixture.Connect(location));
        var refusal = await Assert.ThrowsAsync<RegistryException>(() => store.ReadAsync("a", Stop));
        Assert.Equal(RegistryErrorKind.Unavailable, refusal.Kind);
        Assert.Contains($"at 127.0.0.1:{port} does not answer", refusal.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_path_has_room_beside_the_prefix()
    {
        var store = new AzureBlobStore(EmulatorFixture.Connect(Somewhere), string.Concat(Enumerable.Repeat("0123456789/", 90)));
        var refusal = await Assert.ThrowsAsync<RegistryException>(() => store.ReadAsync(new string('x', 40), Stop));
        Assert.Equal(RegistryErrorKind.Invalid, refusal.Kind);
    }
}
