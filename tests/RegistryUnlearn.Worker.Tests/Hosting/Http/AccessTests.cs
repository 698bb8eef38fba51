using System.Net;
using System.Net.Http.Json;
using System.Text.Json.Nodes;
using RegistryUnlearn.Faults;

namespace RegistryUnlearn.Worker.Tests.Hosting.Http;

/// <summary>Who may do what over HTTP.</summary>
public sealed class AccessTests(AccessTests.Workers workers) : IClassFixture<AccessTests.Workers>
{
    const string Unknown = "/api/jobs/0000000000000000000000000000000000000000000000000000000000000000";

    static CancellationToken Stop => TestContext.Current.CancellationToken;

    /// <summary>Columns: method, path, key shown, answer of a worker that only this machine reaches, of one that others reach.</summary>
    public static TheoryData<string, string, string?, int, int> Rows { get; } = new()
    {
        { "GET", "/", null, 200, 200 },
        { "GET", "/app.js", null, 200, 200 },
        { "GET", "/healthz/live", null, 200, 200 },
        { "GET", "/api/worker", null, 200, 200 },
        { "GET", "/api/jobs", null, 200, 401 },
        { "GET", "/api/jobs", "wrong", 200, 401 },
        { "GET", "/api/jobs", RunningWorker.Key, 200, 200 },
        { "GET", "/api/models", null, 200, 401 },
        { "GET", "/api/models/tiny/lineage", null, 200, 401 },
        { "GET", "/api/models/tiny/lineage", RunningWorker.Key, 200, 200 },
        { "GET", "/models/tiny/1/report", null, 404, 401 },
        { "GET", "/models/tiny/1/report", RunningWorker.Key, 404, 404 },
        { "GET", Unknown, null, 404, 401 },
        { "GET", $"{Unknown}/events", null, 404, 401 },
        { "POST", "/api/jobs", null, 401, 401 },
        { "POST", "/api/jobs", "wrong", 401, 401 },
        { "POST", "/api/jobs", RunningWorker.Key + "0", 401, 401 },
        { "POST", "/api/jobs", RunningWorker.Key, 400, 400 },
        { "POST", $"{Unknown}/cancel", null, 401, 401 },
        { "POST", $"{Unknown}/cancel", RunningWorker.Key, 404, 404 },
        { "POST", $"{Unknown}/retry", null, 401, 401 },
        { "POST", $"{Unknown}/retry", RunningWorker.Key, 404, 404 },
        { "POST", "/api/session", null, 401, 401 },
        { "POST", "/api/session", "wrong", 401, 401 },
        { "POST", "/api/session", RunningWorker.Key, 204, 204 },
        { "DELETE", "/api/session", null, 204, 204 },
        { "GET", "/nothing", null, 404, 404 },
        { "GET", "/page/index.html", null, 404, 404 },
    };

    [Theory, MemberData(nameof(Rows))]
    public async Task Asked(string method, string path, string? key, int onLoopback, int elsewhere)
    {
        foreach (var (worker, expected) in new[] { (workers.Loopback, onLoopback), (workers.Reachable, elsewhere) })
        {
            using var request = new HttpRequestMessage(new HttpMethod(method), path);
            if (key is not null)
                request.Headers.Add(RunningWorker.KeyHeader, key);
            if (method == "POST")
                request.Content = JsonContent.Create(new { });
            using var answer = await worker.Client.SendAsync(request, Stop);
            Assert.Equal(expected, (int)answer.StatusCode);
            Assert.Equal("nosniff", Assert.Single(answer.Headers.GetValues("X-Content-Type-Options")));
            Assert.Contains("frame-ancestors 'none'", Assert.Single(answer.Headers.GetValues("Content-Security-Policy")));
            if (expected >= 400)
                Assert.NotEmpty((await answer.Content.ReadFromJsonAsync<JsonObject>(Stop))!["detail"]!.GetValue<string>());
        }
    }

    [Theory]
    [InlineData(403, "https://elsewhere.example")]
    [InlineData(403, "null")]
    [InlineData(403, "http://127.0.0.1:1")]
    [InlineData(403, "{own}", "https://elsewhere.example")]
    [InlineData(202, "{own}")]
    [InlineData(202)]
    public async Task A_page_from(int expected, params string[] origins)
    {
        using var request = RunningWorker.Write(HttpMethod.Post, "/api/jobs", TinyRegistry.Request(r => r["seed"] = 100 + origins.Length));
        request.Headers.Add("Origin", origins.Select(o => o.Replace("{own}", workers.Loopback.Address.GetLeftPart(UriPartial.Authority))));
        using var answer = await workers.Loopback.Client.SendAsync(request, Stop);
        Assert.Equal(expected, (int)answer.StatusCode);
    }

    [Theory]
    [InlineData("GET", "/api/jobs")]
    [InlineData("GET", "/")]
    [InlineData("POST", "/api/jobs")]
    public async Task A_foreign_name_for_this_machine_is_refused(string method, string path)
    {
        using var request = RunningWorker.Write(new HttpMethod(method), path);
        request.Headers.Host = "rebound.example";
        using var answer = await workers.Loopback.Client.SendAsync(request, Stop);
        Assert.Equal(HttpStatusCode.BadRequest, answer.StatusCode);
    }

    [Fact]
    public async Task A_session_stands_for_the_key()
    {
        var client = workers.Reachable.Client;
        using var began = await client.SendAsync(RunningWorker.Write(HttpMethod.Post, "/api/session"), Stop);
        var cookie = Assert.Single(began.Headers.GetValues("Set-Cookie"));
        Assert.Matches("^registry-unlearn=[0-9a-f]{64}; path=/; samesite=strict; httponly$", cookie);
        Assert.DoesNotContain(RunningWorker.Key, cookie);

        Assert.Equal((200, true), await DescribeAsync(cookie.Split(';')[0]));
        Assert.Equal((401, false), await DescribeAsync("registry-unlearn=" + new string('0', 64)));
        Assert.Equal((401, false), await DescribeAsync("registry-unlearn=" + RunningWorker.Key));

        using var ended = await client.DeleteAsync("/api/session", Stop);
        Assert.StartsWith("registry-unlearn=; expires=Thu, 01 Jan 1970", Assert.Single(ended.Headers.GetValues("Set-Cookie")));

        async Task<(int, bool)> DescribeAsync(string shown)
        {
            using var jobs = await client.SendAsync(With(shown, "/api/jobs"), Stop);
            using var worker = await client.SendAsync(With(shown, "/api/worker"), Stop);
            var view = await worker.Content.ReadFromJsonAsync<JsonObject>(Stop);
            return ((int)jobs.StatusCode, view!["mayWrite"]!.GetValue<bool>());
        }

        static HttpRequestMessage With(string cookie, string path) => new(HttpMethod.Get, path) { Headers = { { "Cookie", cookie } } };
    }

    [Fact]
    public async Task Whoever_may_not_read_learns_only_how_to_sign_in()
    {
        Assert.Equal("""{"signIn":"key","mayRead":false,"mayWrite":false,"name":null,"registry":null,"release":null}""",
            await workers.Reachable.Client.GetStringAsync("/api/worker", Stop));
        Assert.StartsWith("""{"signIn":"key","mayRead":true,"mayWrite":false,"name":"tester","registry":"memory","release":"0.""",
            await workers.Loopback.Client.GetStringAsync("/api/worker", Stop));
    }

    [Fact]
    public async Task Without_a_key_nobody_writes()
    {
        await using var worker = await RunningWorker.StartAsync(key: null);
        foreach (var path in new[] { "/api/jobs", $"{Unknown}/cancel", "/api/session" })
        {
            using var answer = await worker.Client.SendAsync(RunningWorker.Write(HttpMethod.Post, path, TinyRegistry.Request()), Stop);
            Assert.Equal(HttpStatusCode.Unauthorized, answer.StatusCode);
            Assert.Contains("Http:KeyFile", await answer.Content.ReadAsStringAsync(Stop));
        }
        Assert.StartsWith("""{"signIn":"none","mayRead":true,"mayWrite":false""", await worker.Client.GetStringAsync("/api/worker", Stop));
    }

    public sealed class Workers : IAsyncLifetime
    {
        internal RunningWorker Loopback { get; private set; } = null!;

        internal RunningWorker Reachable { get; private set; } = null!;

        public async ValueTask InitializeAsync()
        {
            Loopback = await RunningWorker.StartAsync();
            Reachable = await RunningWorker.StartAsync(host: "0.0.0.0");
        }

        public async ValueTask DisposeAsync()
        {
            await Loopback.DisposeAsync();
            await Reachable.DisposeAsync();
        }
    }
}
