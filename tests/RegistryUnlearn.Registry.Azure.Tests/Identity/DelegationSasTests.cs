using Microsoft.Extensions.Time.Testing;

namespace RegistryUnlearn.Registry.Azure.Tests.Identity;

/// <summary>Which signatures are taken from the environment.</summary>
public sealed class DelegationSasTests
{
    const string Good = "skoid=22222222-2222-2222-2222-222222222222&sktid=11111111-1111-1111-1111-111111111111"
        + "&skt=2026-03-05T12%3A00%3A00Z&ske=2026-03-06T12%3A00%3A00Z&sks=b&skv=2025-11-05&sv=2025-11-05&spr=https"
        + "&st=2026-03-05T12%3A00%3A00Z&se=2026-03-05T18%3A00%3A00Z&sr=c&sp=racwdl&sig=c2VjcmV0%2Fsecret%2Bsecret%3D";

    readonly FakeTimeProvider clock = new(new(2026, 3, 5, 12, 30, 0, TimeSpan.Zero));

    [Theory]
    [InlineData("", "")]
    [InlineData("sr=c", "sr=d&sdd=2")]
    [InlineData("&st=2026-03-05T12%3A00%3A00Z", "")]
    [InlineData("st=2026-03-05T12%3A00%3A00Z", "st=2026-03-05T12%3A34%3A00Z")]
    [InlineData("se=2026-03-05T18%3A00%3A00Z", "se=2026-03-06")]
    [InlineData("%3A", ":")]
    [InlineData("skoid=", "?skoid=")]
    [InlineData("sp=racwdl", "sp=rl")]
    [InlineData("secret%3D", "secret%3D\n")]
    public void Taken(string from, string to)
    {
        var sas = Read(from.Length > 0 ? Good.Replace(from, to) : Good)!;
        Assert.StartsWith("skoid=", sas.Query);
        Assert.EndsWith("secret%3D", sas.Query);
        Assert.DoesNotContain("secret", $"{sas}");
    }

    [Theory]
    [InlineData("&srt=sco&ss=b", "it is one of the whole account, made with the account's key")]
    [InlineData("&si=policy", "it was made with the account's key")]
    [InlineData("-skoid -sktid -skt -ske -sks -skv", "it was made with the account's key")]
    [InlineData("-skoid", "its part 'skoid' is missing")]
    [InlineData("-sktid", "its part 'sktid' is missing")]
    [InlineData("-skt", "its part 'skt' is missing")]
    [InlineData("-ske", "its part 'ske' is missing")]
    [InlineData("-sks", "its part 'sks' is missing")]
    [InlineData("-skv", "its part 'skv' is missing")]
    [InlineData("-sig", "its part 'sig' is missing")]
    [InlineData("-se", "its part 'se' is missing")]
    [InlineData("-sp", "its part 'sp' is missing")]
    [InlineData("-skoid &skoid=", "its part 'skoid' is missing")]
    [InlineData("-skoid &skoid=secret", "its part 'skoid' is no id of Entra ID")]
    [InlineData("-se &se=secret", "its part 'se' is no time")]
    [InlineData("-sks &sks=q", "it is one of another service")]
    [InlineData("-sr &sr=b", "it opens single blobs")]
    [InlineData("-sp &sp=racwd", "it does not permit to read and to list")]
    [InlineData("-se &se=2026-03-05T12:30:00Z", "it ended at 2026-03-05T12:30:00Z")]
    [InlineData("-ske &ske=2026-03-05T12:29:00Z", "it ended at 2026-03-05T12:29:00Z")]
    [InlineData("-st &st=2026-03-05T13:00:00Z", "it does not hold before 2026-03-05T13:00:00Z")]
    [InlineData("-skt &skt=2026-03-05T13:00:00Z", "it does not hold before 2026-03-05T13:00:00Z")]
    [InlineData("&SIG=secret", "a part of it is there twice")]
    public void Refused(string changes, string says)
    {
        var parts = Good.Split('&').ToList();
        foreach (var change in changes.Split(' '))
        {
            if (change[0] is '-')
                parts.RemoveAll(p => p.StartsWith(change[1..] + "=", StringComparison.Ordinal));
            else
                parts.AddRange(change.Split('&', StringSplitOptions.RemoveEmptyEntries));
        }
        Expect(string.Join('&', parts), says);
    }

    [Theory]
    [InlineData("https://acme.blob.core.windows.net/models?" + Good, "it is an address. Set it to what stands behind '?' there")]
    [InlineData("secret", "it is no shared access signature")]
    [InlineData("sig=secret#x", "it is no shared access signature")]
    [InlineData("sig=secret secret", "it is no shared access signature")]
    [InlineData("sig=secret\nx-ms-header: secret", "it is no shared access signature")]
    [InlineData("BlobEndpoint=secret;SharedAccessSignature=secret", "it is no shared access signature")]
    public void Refused_as_a_whole(string text, string says) => Expect(text, says);

    [Theory]
    [InlineData(null)]
    [InlineData("")]
    [InlineData(" \n")]
    public void Without_one_a_credential_is_asked_for(string? text)
    {
        Assert.Null(Read(text));
        var refusal = Assert.Throws<RegistryException>(() =>
            RegistryLocation.Parse("https://acme.blob.core.windows.net/models").Open(name => name == DelegationSas.Variable ? text : null));
        Assert.Equal(AzureCredentials.Variable, refusal.Path);
    }

    [Fact]
    public void A_store_is_not_opened_with_one_that_is_refused()
    {
        var refusal = Assert.Throws<RegistryException>(() => RegistryLocation.Parse("https://acme.blob.core.windows.net/models").Open(
            name => name == DelegationSas.Variable ? Good.Replace("2026", "2020") : "azure-cli"));
        Assert.Equal((RegistryErrorKind.Denied, DelegationSas.Variable), (refusal.Kind, refusal.Path));
        Assert.Contains("it ended at 2020-03-05T18:00:00Z. Make one with user delegation: az storage", refusal.Message);
    }

    [Fact]
    public async Task After_its_end_nothing_is_sent()
    {
        var location = (BlobLocation)RegistryLocation.Parse("https://acme.blob.core.windows.net/models");
        var sent = 0;
        var options = BlobService.Options();
        options.Transport = new Http.AnswerTransport((request, _) =>
        {
            sent++;
            Assert.EndsWith("sig=c2VjcmV0%2Fsecret%2Bsecret%3D", request.Uri.Query);
            return Task.FromResult<global::Azure.Response>(new Http.StubResponse(404, ("x-ms-error-code", "BlobNotFound")));
        });
        var store = new AzureBlobStore(location.Connect(options, Read(Good)!));
        Assert.Null(await store.ReadAsync("a", TestContext.Current.CancellationToken));
        clock.Advance(TimeSpan.FromHours(6));
        var refusal = await Assert.ThrowsAsync<RegistryException>(() => store.ReadAsync("a", TestContext.Current.CancellationToken));
        Assert.Equal((RegistryErrorKind.Denied, 1), (refusal.Kind, sent));
        Assert.Contains("it ended at 2026-03-05T18:00:00Z", refusal.Message);
    }

    [Fact]
    public async Task The_source_of_a_copy_carries_it_once_however_often_it_is_asked_for()
    {
        var location = (BlobLocation)RegistryLocation.Parse("https://acme.blob.core.windows.net/models");
        var sources = new List<string>();
        var options = BlobService.Options();
        options.Retry.Delay = TimeSpan.FromMilliseconds(1);
        options.Transport = new Http.AnswerTransport((request, _) =>
        {
            sources.Add(request.Headers.TryGetValue("x-ms-copy-source", out var source) ? source : "none");
            return Task.FromResult<global::Azure.Response>(sources.Count < 3
                ? new Http.StubResponse(503, ("x-ms-error-code", "ServerBusy"))
                : new Http.StubResponse(202, ("x-ms-copy-status", "success"), ("ETag", "\"x\"")));
        });
        var store = new AzureBlobStore(location.Connect(options, Read(Good)!));
        Assert.True(await store.TryCopyAsync("a/ä?b", "c", TestContext.Current.CancellationToken));
        Assert.Equal(Enumerable.Repeat($"https://acme.blob.core.windows.net/models/a/%C3%A4%3Fb?{Good}", 3), sources);
    }

    DelegationSas? Read(string? text) => DelegationSas.Read(name => name == DelegationSas.Variable ? text : null, clock);

    void Expect(string text, string says)
    {
        var refusal = Assert.Throws<RegistryException>(() => Read(text));
        Assert.Equal((RegistryErrorKind.Denied, DelegationSas.Variable), (refusal.Kind, refusal.Path));
        Assert.StartsWith($"{DelegationSas.Variable}: {says}", refusal.Message);
        Assert.DoesNotContain("secret", refusal.ToString());
    }
}
