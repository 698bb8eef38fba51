using System.Net;
using System.Net.Http.Headers;
using System.Security.Cryptography;
using System.Text;
using RegistryUnlearn.Faults;

namespace RegistryUnlearn.Worker.Tests.Hosting.Http;

/// <summary>Bearer tokens: whom they must come from and be meant for.</summary>
public sealed class TokenTests(TokenTests.Workers workers) : IClassFixture<TokenTests.Workers>
{
    static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_token_of_the_authority_may_write_and_read()
    {
        Assert.Equal(HttpStatusCode.OK, await AskAsync(HttpMethod.Get, workers.Authority.Token()));
        Assert.Equal(HttpStatusCode.Accepted, await AskAsync(HttpMethod.Post, workers.Authority.Token()));
    }

    [Fact]
    public async Task The_key_is_believed_beside_it() => Assert.Equal(HttpStatusCode.OK,
        (await workers.Worker.Client.SendAsync(RunningWorker.Write(HttpMethod.Get, "/api/jobs"), Stop)).StatusCode);

    [Theory]
    [InlineData("none")]
    [InlineData("not a token")]
    [InlineData("no signature")]
    [InlineData("another issuer")]
    [InlineData("another audience")]
    [InlineData("expired")]
    [InlineData("another key")]
    [InlineData("changed")]
    public async Task Whatever_else_is_shown_is_refused(string what)
    {
        using var thief = RSA.Create(2048);
        var good = workers.Authority.Token();
        var shown = what switch
        {
            "none" => null,
            "not a token" => "hello",
            "no signature" => Encode("""{"alg":"none","typ":"JWT"}""") + "." + good.Split('.')[1] + ".",
            "another issuer" => workers.Authority.Token(issuer: "https://login.example/other/v2.0"),
            "another audience" => workers.Authority.Token(audience: "api://other"),
            "expired" => workers.Authority.Token(expires: TimeSpan.FromMinutes(-30)),
            "another key" => workers.Authority.Token(signer: thief),
            _ => good[..^5] + "AAAAA",
        };
        Assert.Equal(HttpStatusCode.Unauthorized, await AskAsync(HttpMethod.Get, shown));
        Assert.Equal(HttpStatusCode.Unauthorized, await AskAsync(HttpMethod.Post, shown));
    }

    async Task<HttpStatusCode> AskAsync(HttpMethod method, string? token)
    {
        using var request = new HttpRequestMessage(method, "/api/jobs");
        if (token is not null)
            request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", token);
        if (method == HttpMethod.Post)
            request.Content = new StringContent(TinyRegistry.Request(), Encoding.UTF8, "application/json");
        using var answer = await workers.Worker.Client.SendAsync(request, Stop);
        return answer.StatusCode;
    }

    static string Encode(string json) =>
        Convert.ToBase64String(Encoding.UTF8.GetBytes(json)).TrimEnd('=').Replace('+', '-').Replace('/', '_');

    /// <summary>A worker that others reach, with a key and an authority.</summary>
    public sealed class Workers : IAsyncLifetime
    {
        internal TestAuthority Authority { get; } = new();

        internal RunningWorker Worker { get; private set; } = null!;

        public async ValueTask InitializeAsync() =>
            Worker = await RunningWorker.StartAsync(host: "0.0.0.0", authority: Authority);

        public async ValueTask DisposeAsync()
        {
            await Worker.DisposeAsync();
            Authority.Dispose();
        }
    }
}
