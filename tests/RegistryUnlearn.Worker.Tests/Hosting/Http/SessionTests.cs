using System.Globalization;
using System.Net;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Text.Json.Nodes;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Time.Testing;
using Microsoft.Net.Http.Headers;
using RegistryUnlearn.Conformance;
using RegistryUnlearn.Faults;
using RegistryUnlearn.Worker.Hosting.Http;
using RegistryUnlearn.Worker.Hosting.Settings;

namespace RegistryUnlearn.Worker.Tests.Hosting.Http;

/// <summary>A browser's session in place of a token, over TLS.</summary>
public sealed class SessionTests(SessionTests.Workers workers) : IClassFixture<SessionTests.Workers>
{
    static readonly DateTimeOffset Noon = new(2026, 3, 5, 12, 0, 0, TimeSpan.Zero);

    static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_token_becomes_a_cookie_that_ends_with_it()
    {
        var before = DateTimeOffset.UtcNow;
        var token = workers.Authority.Token(expires: TimeSpan.FromMinutes(20));
        using var began = await SignInAsync(token);
        Assert.Equal(HttpStatusCode.NoContent, began.StatusCode);
        var cookie = SetCookieHeaderValue.Parse(Assert.Single(began.Headers.GetValues("Set-Cookie")));
        Assert.Equal((true, true, Microsoft.Net.Http.Headers.SameSiteMode.Strict, "/"),
            (cookie.Secure, cookie.HttpOnly, cookie.SameSite, cookie.Path.Value));
        Assert.InRange(cookie.Expires!.Value, before.AddMinutes(19.9), DateTimeOffset.UtcNow.AddMinutes(20));
        var value = cookie.Value.Value!;
        Assert.Equal(cookie.Expires.Value.ToUnixTimeSeconds(), long.Parse(value.Split('.')[0], CultureInfo.InvariantCulture));
        Assert.All(token.Split('.'), part => Assert.DoesNotContain(part, value));

        Assert.Equal((200, true), await AskAsync(value));
        using var submitted = await workers.Token.Client.SendAsync(
            With(value, HttpMethod.Post, "/api/jobs", JsonContent.Create(JsonNode.Parse(TinyRegistry.Request()))), Stop);
        Assert.Equal(HttpStatusCode.Accepted, submitted.StatusCode);

        // A session is no token: it begins no longer one.
        using var again = await workers.Token.Client.SendAsync(With(value, HttpMethod.Post, "/api/session"), Stop);
        Assert.Equal(HttpStatusCode.BadRequest, again.StatusCode);

        using var ended = await workers.Token.Client.DeleteAsync("/api/session", Stop);
        Assert.StartsWith("registry-unlearn=; expires=Thu, 01 Jan 1970", Assert.Single(ended.Headers.GetValues("Set-Cookie")));
    }

    [Theory]
    [InlineData("later")]
    [InlineData("changed")]
    [InlineData("of another worker")]
    [InlineData("of a key")]
    [InlineData("without an end")]
    [InlineData("with more parts")]
    [InlineData("not")]
    public async Task A_cookie_that_was_given_elsewhere_or_is(string what)
    {
        var end = DateTimeOffset.UtcNow.AddMinutes(20);
        using var began = await SignInAsync(workers.Authority.Token(expires: TimeSpan.FromMinutes(20)));
        var good = SetCookieHeaderValue.Parse(Assert.Single(began.Headers.GetValues("Set-Cookie"))).Value.Value!;
        var parts = good.Split('.');
        var shown = what switch
        {
            "later" => $"{long.Parse(parts[0], CultureInfo.InvariantCulture) + 3600}.{parts[1]}",
            "changed" => good[..^1] + (good[^1] is '0' ? '1' : '0'),
            "of another worker" => new Sessions(new() { Url = workers.Token.Address }, TimeProvider.System).ForToken(end),
            "of a key" => Sessions.ForKey(RunningWorker.Key),
            "without an end" => parts[1],
            "with more parts" => good + ".x",
            _ => "hello",
        };
        Assert.Equal((401, false), await AskAsync(shown));
        Assert.Equal((200, true), await AskAsync(good));
    }

    [Fact]
    public void A_session_ends_to_the_second()
    {
        var clock = new FakeTimeProvider(Noon);
        var sessions = new Sessions(new() { Url = workers.Token.Address }, clock);
        var cookie = sessions.ForToken(Noon.AddSeconds(90.9));
        clock.Advance(TimeSpan.FromSeconds(89.9));
        Assert.True(sessions.IsGood(cookie));
        clock.Advance(TimeSpan.FromSeconds(0.1));
        Assert.False(sessions.IsGood(cookie));
    }

    /// <summary>Tokens are believed some minutes longer, since clocks differ: no session comes of that.</summary>
    [Fact]
    public async Task A_token_that_has_just_ended_begins_none()
    {
        var token = workers.Authority.Token(expires: TimeSpan.FromMinutes(-2));
        using var began = await SignInAsync(token);
        Assert.Equal(HttpStatusCode.BadRequest, began.StatusCode);
        Assert.False(began.Headers.Contains("Set-Cookie"));
        Assert.Contains("the token has ended", await began.Content.ReadAsStringAsync(Stop));
    }

    [Theory]
    [InlineData("nothing", "this needs a token of the authority: sign in on the page")]
    [InlineData("hello", "the token is none of the authority")]
    [InlineData("expired", "the token has ended; get a new one")]
    [InlineData("another audience", "the token is meant for somebody else")]
    [InlineData("another issuer", "the token is none of the authority")]
    public async Task A_refusal_says_why(string what, string says)
    {
        using var answer = await SignInAsync(what switch
        {
            "nothing" => null,
            "hello" => "hello",
            "expired" => workers.Authority.Token(expires: TimeSpan.FromMinutes(-30)),
            "another audience" => workers.Authority.Token(audience: "api://other"),
            _ => workers.Authority.Token(issuer: "https://login.example/other/v2.0"),
        });
        Assert.Equal(HttpStatusCode.Unauthorized, answer.StatusCode);
        Assert.Equal("Bearer", Assert.Single(answer.Headers.WwwAuthenticate).Scheme);
        Assert.StartsWith(says, (await answer.Content.ReadFromJsonAsync<JsonObject>(Stop))!["detail"]!.GetValue<string>());
        Assert.False(answer.Headers.Contains("Set-Cookie"));
    }

    [Fact]
    public async Task The_cookie_of_a_key_goes_over_TLS_only_too()
    {
        using var began = await workers.Both.Client.SendAsync(RunningWorker.Write(HttpMethod.Post, "/api/session"), Stop);
        Assert.Matches("^registry-unlearn=[0-9a-f]{64}; path=/; secure; samesite=strict; httponly$",
            Assert.Single(began.Headers.GetValues("Set-Cookie")));
        Assert.StartsWith("""{"signIn":"key-or-token","mayRead":false,""", await workers.Both.Client.GetStringAsync("/api/worker", Stop));
        Assert.StartsWith("""{"signIn":"token","mayRead":false,""", await workers.Token.Client.GetStringAsync("/api/worker", Stop));
    }

    async Task<HttpResponseMessage> SignInAsync(string? token)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, "/api/session");
        request.Headers.Add("Origin", workers.Token.Address.GetLeftPart(UriPartial.Authority));
        if (token is not null)
            request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", token);
        return await workers.Token.Client.SendAsync(request, Stop);
    }

    /// <summary>Whether somebody with a cookie may read, and is told that they may write.</summary>
    async Task<(int, bool)> AskAsync(string cookie)
    {
        using var jobs = await workers.Token.Client.SendAsync(With(cookie, HttpMethod.Get, "/api/jobs"), Stop);
        using var worker = await workers.Token.Client.SendAsync(With(cookie, HttpMethod.Get, "/api/worker"), Stop);
        return ((int)jobs.StatusCode, (await worker.Content.ReadFromJsonAsync<JsonObject>(Stop))!["mayWrite"]!.GetValue<bool>());
    }

    static HttpRequestMessage With(string cookie, HttpMethod method, string path, HttpContent? content = null) =>
        new(method, path) { Headers = { { "Cookie", $"registry-unlearn={cookie}" } }, Content = content };

    /// <summary>Workers that others reach: one that knows tokens only, and one with a key as well.</summary>
    public sealed class Workers : IAsyncLifetime
    {
        readonly TempFolder folder = new();

        internal TestAuthority Authority { get; } = new();

        internal RunningWorker Token { get; private set; } = null!;

        internal RunningWorker Both { get; private set; } = null!;

        public async ValueTask InitializeAsync()
        {
            var (certificate, key) = ServerCertificate.New();
            var settings = new Dictionary<string, string?>
            {
                ["Worker:Registry"] = "memory",
                ["Worker:Http:Url"] = "https://0.0.0.0:1",
                ["Worker:Http:Key"] = RunningWorker.Key,
                ["Worker:Http:Certificate"] = folder.Write("server.pem", certificate),
                ["Worker:Http:CertificateKey"] = folder.Write("server.key", key),
            };
            var tls = WorkerSettings.Read(new ConfigurationBuilder().AddInMemoryCollection(settings).Build(), "w").Http!.Tls!;
            Token = await RunningWorker.StartAsync(key: null, host: "0.0.0.0", authority: Authority, tls: tls);
            Both = await RunningWorker.StartAsync(host: "0.0.0.0", authority: Authority, tls: tls);
        }

        public async ValueTask DisposeAsync()
        {
            await Token.DisposeAsync();
            await Both.DisposeAsync();
            Authority.Dispose();
            folder.Dispose();
        }
    }
}
