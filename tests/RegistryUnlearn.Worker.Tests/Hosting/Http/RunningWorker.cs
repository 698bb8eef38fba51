using System.Net;
using System.Net.Http.Json;
using System.Net.Sockets;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using System.Text.Json.Nodes;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Logging;
using RegistryUnlearn.Conformance;
using RegistryUnlearn.Faults;
using RegistryUnlearn.Registry;
using RegistryUnlearn.Worker.Hosting;
using RegistryUnlearn.Worker.Jobs;

namespace RegistryUnlearn.Worker.Tests.Hosting.Http;

/// <summary>A worker on a tiny registry in memory, with its web server on a free port of this machine.</summary>
sealed class RunningWorker : IAsyncDisposable
{
    public const string Key = "0123456789abcdef0123456789abcdef";
    public const int LongSteps = 1_000_000;
    public const string KeyHeader = "X-Registry-Unlearn-Key";

    static readonly TimeSpan Patience = TimeSpan.FromMinutes(2);

    readonly TempFolder work = new();
    readonly CancellationTokenSource stop = new();
    readonly Task running;

    RunningWorker(IObjectStore store, string? key, string host, TestAuthority? authority, TimeSpan poll, ServerTls? tls)
    {
        Store = store;
        var port = FreePort();
        var scheme = tls is null ? "http" : "https";
        Address = new Uri($"{scheme}://127.0.0.1:{port}");
        Client = new(Handler(tls)) { BaseAddress = Address };
        var options = new WorkerOptions
        {
            Name = "tester",
            Registry = "memory",
            PollInterval = poll,
            Reconcile = new() { Worker = "tester" },
            Http = new()
            {
                Url = new Uri($"{scheme}://{host}:{port}"),
                Tls = tls,
                Key = key,
                Authority = authority is null ? null : TestAuthority.Address,
                Audience = authority is null ? null : TestAuthority.Audience,
            },
        };
        var jobs = new JobOptions { WorkFolder = Path.Combine(work.Path, "jobs"), CommitmentKey = new byte[32] };
        running = Task.Run(() => WorkerHost.RunAsync(options, new ConfigurationBuilder().Build(), store, jobs, TimeProvider.System,
            configureLogging: logging =>
            {
                logging.ClearProviders();
                authority?.Stand(logging.Services);
            }, stop: stop.Token));
    }

    public IObjectStore Store { get; }

    public Uri Address { get; }

    public HttpClient Client { get; }

    /// <param name="host">Where it listens; 0.0.0.0 makes it one that other machines could reach.</param>
    /// <param name="authority">Whose tokens it believes; null for nobody's.</param>
    /// <param name="poll">Between two looks through the registry; null for a second.</param>
    /// <param name="tls">What it shows over https; null for http.</param>
    public static async Task<RunningWorker> StartAsync(
        string? key = Key, string host = "127.0.0.1", TestAuthority? authority = null, TimeSpan? poll = null, ServerTls? tls = null)
    {
        var store = new MemoryStore();
        await TinyRegistry.FillAsync(store);
        var worker = new RunningWorker(store, key, host, authority, poll ?? TimeSpan.FromSeconds(1), tls);
        await worker.UntilAsync(async () => (await worker.Client.GetAsync("/healthz/ready")).IsSuccessStatusCode);
        return worker;
    }

    /// <summary>A request for a job that does not end while a test looks at it.</summary>
    public static string LongRequest(int seed) => TinyRegistry.Request(r =>
    {
        r["seed"] = seed;
        r["method"] = new JsonObject
        {
            ["name"] = "match",
            ["options"] = new JsonObject { ["steps"] = LongSteps, ["target"] = "quantile", ["preservation"] = "none" },
        };
    });

    /// <summary>A request with the key.</summary>
    public static HttpRequestMessage Write(HttpMethod method, string path, string? json = null) => new(method, path)
    {
        Headers = { { KeyHeader, Key } },
        Content = json is null ? null : new StringContent(json, Encoding.UTF8, "application/json"),
    };

    /// <summary>Submits a request with the key; the job's id.</summary>
    public async Task<string> SubmitAsync(string request)
    {
        var answer = await Client.SendAsync(Write(HttpMethod.Post, "/api/jobs", request));
        Assert.Equal(HttpStatusCode.Accepted, answer.StatusCode);
        return (await answer.Content.ReadFromJsonAsync<JsonObject>())!["job"]!.GetValue<string>();
    }

    public async Task<JsonObject> JobAsync(string job) => (await Client.GetFromJsonAsync<JsonObject>($"/api/jobs/{job}"))!;

    /// <summary>Waits until a job has got there; how it stands then.</summary>
    public async Task<JsonObject> UntilAsync(string job, Func<JsonObject, bool> isThere)
    {
        JsonObject? view = null;
        await UntilAsync(async () =>
        {
            view = await JobAsync(job);
            Assert.False(HasEnded(view) && !isThere(view), $"the job has ended elsewhere: {view["job"]}");
            return isThere(view);
        });
        return view!;
    }

    public static bool HasEnded(JsonObject view) => view["job"]!["finished"] is not null;

    /// <summary>As SIGTERM does; returns when the worker has ended.</summary>
    public async Task StopAsync()
    {
        await stop.CancelAsync();
        await running;
    }

    async Task UntilAsync(Func<Task<bool>> happened)
    {
        using var patience = new CancellationTokenSource(Patience);
        while (true)
        {
            Assert.False(running.IsCompleted, $"the worker has ended: {running.Exception}");
            try
            {
                if (await happened())
                    return;
            }
            catch (HttpRequestException)
            {
                // It does not listen yet.
            }
            await Task.Delay(50, patience.Token);
        }
    }

    /// <summary>Trusts the worker's certificate and no other.</summary>
    static SocketsHttpHandler Handler(ServerTls? tls)
    {
        var handler = new SocketsHttpHandler { UseCookies = false, AllowAutoRedirect = false };
        if (tls is not null)
        {
            handler.SslOptions.CertificateChainPolicy = new X509ChainPolicy
            {
                TrustMode = X509ChainTrustMode.CustomRootTrust,
                CustomTrustStore = { tls.Certificate },
                RevocationMode = X509RevocationMode.NoCheck,
            };
        }
        return handler;
    }

    static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }

    public async ValueTask DisposeAsync()
    {
        await StopAsync();
        Client.Dispose();
        stop.Dispose();
        work.Dispose();
    }
}
