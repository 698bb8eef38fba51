using Azure.Core;
using Azure.Identity;
using RegistryUnlearn.Conformance;
using RegistryUnlearn.Registry.Azure.Tests.Emulator;

namespace RegistryUnlearn.Registry.Azure.Tests.Identity;

/// <summary>What a worker's identity does in an account, and what it is told when it may not.</summary>
public sealed class TokenTests(CloudEmulator cloud)
{
    const string Storage = "https://storage.azure.com/.default";

    static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_version_is_published()
    {
        var identity = new TestCredential();
        using var publication = new Publication();
        var store = new AzureBlobStore((await cloud.NewContainerAsync()).Connect(await cloud.BlobOptionsAsync(), identity));
        await publication.PrepareAsync(store);
        await publication.WorkAsync(store);
        await publication.AssertDoneAsync(store, "a");
        Assert.Equal(Storage, Assert.Single(identity.Asked));
    }

    [Fact]
    public async Task A_token_that_has_run_out_is_replaced()
    {
        var identity = new TestCredential(known: TimeSpan.Zero);
        var store = new AzureBlobStore((await cloud.NewContainerAsync()).Connect(await cloud.BlobOptionsAsync(), identity));
        await store.TryCreateAsync("a", new byte[1], Stop);
        Assert.True(await store.TryCopyAsync("a", "b", Stop));
        Assert.NotNull(await store.ReadAsync("b", Stop));
        Assert.Equal(3, identity.Asked.Count);
    }

    [Theory]
    [InlineData("meant for another service", "AuthenticationFailed")]
    [InlineData("of yesterday", "AuthenticationFailed")]
    [InlineData("that nobody gives", "there is no credential (sign in first). Sign in, or name another credential")]
    public async Task A_token(string what, string says)
    {
        TokenCredential identity = what switch
        {
            "meant for another service" => new TestCredential(audience: "https://management.azure.com"),
            "of yesterday" => new TestCredential(lifetime: TimeSpan.FromMinutes(-30)),
            _ => new NoCredential(),
        };
        var store = new AzureBlobStore((await cloud.NewContainerAsync()).Connect(await cloud.BlobOptionsAsync(), identity));
        var refusal = await Assert.ThrowsAsync<RegistryException>(() => store.ReadAsync("a", Stop));
        Assert.Equal(RegistryErrorKind.Denied, refusal.Kind);
        Assert.Contains(says, refusal.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("eyJ", refusal.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Nobody_gets_a_token_whose_certificate_is_not_trusted()
    {
        var identity = new TestCredential();
        var store = new AzureBlobStore((await cloud.NewContainerAsync()).Connect(await cloud.BlobOptionsAsync(trusted: false), identity));
        var refusal = await Assert.ThrowsAsync<RegistryException>(() => store.ReadAsync("a", Stop));
        Assert.Equal(RegistryErrorKind.Unavailable, refusal.Kind);
        Assert.Contains("SSL", refusal.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Messages_are_sent_held_deleted_and_put_aside()
    {
        var identity = new TestCredential();
        var (location, options) = (await cloud.NewQueueAsync(), await cloud.QueueOptionsAsync());
        var (queue, poison) = (location.Connect(options, identity), location.Poison.Connect(options, identity));
        var hints = new HintQueue(queue, poison);
        var job = JobId.From(Digest.Of("x"u8));
        await hints.SendAsync(job, Stop);
        await hints.SendAsync(job, Stop);
        var received = await hints.ReceiveAsync(2, TimeSpan.FromMinutes(1), Stop);
        Assert.All(received, message => Assert.Equal(job.ToString(), new BinaryData(message.Body).ToString()));
        var held = await hints.HoldAsync(received[0], TimeSpan.FromMinutes(1), Stop);
        await hints.DeleteAsync(held!, Stop);
        await hints.PoisonAsync(received[1], Stop);
        Assert.Equal(0, (await queue.GetPropertiesAsync(Stop)).Value.ApproximateMessagesCount);
        Assert.Equal(1, (await poison.GetPropertiesAsync(Stop)).Value.ApproximateMessagesCount);
        Assert.All(identity.Asked, scope => Assert.Equal(Storage, scope));

        var wrong = new HintQueue(location.Connect(options, new TestCredential(audience: "https://management.azure.com")), poison);
        var refusal = await Assert.ThrowsAsync<RegistryException>(() => wrong.SendAsync(job, Stop));
        Assert.Equal(RegistryErrorKind.Denied, refusal.Kind);
    }

    sealed class NoCredential : TokenCredential
    {
        public override AccessToken GetToken(TokenRequestContext requestContext, CancellationToken cancellationToken) =>
            throw new CredentialUnavailableException("sign in first.");

        public override ValueTask<AccessToken> GetTokenAsync(TokenRequestContext requestContext, CancellationToken cancellationToken) =>
            ValueTask.FromException<AccessToken>(new CredentialUnavailableException("sign in first."));
    }
}
