using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using RegistryUnlearn.Conformance;
using RegistryUnlearn.Registry;
using RegistryUnlearn.Unlearning.Data;

namespace RegistryUnlearn.Faults;

/// <summary>
/// Samples with marked ids and marked values are asked to be forgotten, by the command as a process of its own. However the job ends, the
/// marks are in the data set and the stored request alone: in no log line, answer, version, state, blob or temporary file.
/// </summary>
public sealed class ErasureHygieneTests
{
    static readonly string[] Ids = ["424242001", "424242002", "424242003", "424242004"];

    /// <summary>Steps that take a while, so that there is time to kill.</summary>
    const int ManySteps = 4000;

    [Theory]
    [InlineData("{}", 0)]
    [InlineData("""
        {
          "audit": { "compare": ["neggrad+"], "gates": [] },
          "method": { "name": "ltu", "options": { "steps": 3, "target": "quantile", "preservation": "none" } }
        }
        """, 0)]
    [InlineData("""{ "audit": { "gates": [{ "metric": "test.accuracy", "atLeast": 2 }] } }""", 3)]
    [InlineData("""{ "forget": { "ids": ["424242001", "424242999"] } }""", 2)]
    [InlineData("""{ "retain": { "ids": ["424242001", "424242002"] } }""", 2)]
    [InlineData("""{ "publish": { "parent": "delete", "alias": "production" } }""", 0)]
    public async Task Marks_appear_nowhere_however_the_job_ends(string changes, int code)
    {
        using var site = new Site(changes);
        var run = await site.RunAsync("run", site.Request, "--registry", site.Registry, "--signing-key", site.Key, "--verbose");
        Assert.True(run.Code == code, run.Error);
        foreach (var command in new[] { "models lineage tiny", "audit list", "gc" })
            await site.RunAsync([.. command.Split(' '), "--registry", site.Registry]);
        var job = Path.GetFileName(Assert.Single(Directory.GetDirectories(Path.Combine(site.Registry, ".registry-unlearn/jobs"))));
        Assert.Equal(0, (await site.RunAsync("jobs", "show", job, "--registry", site.Registry)).Code);
        if (code is 0)
        {
            Assert.Equal(0, (await site.RunAsync("models", "show", "tiny@2", "--registry", site.Registry)).Code);
            Assert.Equal(0, (await site.RunAsync(
                "verify", "tiny@2", "--registry", site.Registry, "--public-key", site.PublicKey)).Code);
        }
        site.MustHoldNoMark(withTemp: true);
        Assert.Empty(Directory.GetFileSystemEntries(site.WorkFolder));
    }

    [Theory]
    [InlineData("{}", JobStatus.Succeeded)]
    [InlineData("""{ "audit": { "gates": [{ "metric": "test.accuracy", "atLeast": 2 }] } }""", JobStatus.Failed)]
    [InlineData("""{ "forget": { "ids": ["424242001", "424242999"] } }""", JobStatus.Failed)]
    public async Task Marks_appear_nowhere_when_a_worker_does_the_job(string changes, JobStatus status)
    {
        using var site = new Site(changes);
        Assert.Equal(0, (await site.RunAsync("submit", site.Request, "--registry", site.Registry)).Code);
        var worked = await site.RunAsync("worker", "--registry", site.Registry, "--once", "--signing-key", site.Key, "--verbose");
        Assert.True(worked.Code is 0, worked.Error);
        var listed = await site.RunAsync("jobs", "list", "--registry", site.Registry);
        Assert.Contains(status.ToString(), listed.Output);
        site.MustHoldNoMark(withTemp: true);
    }

    /// <summary>Pools are trained on the samples, and inversion looks at them: neither may show them.</summary>
    [Fact]
    public async Task Marks_appear_nowhere_when_models_are_trained_and_attacked_for_an_audit()
    {
        using var site = new Site("""{ "publish": { "parent": "keep" } }""");
        var recipe = Path.Combine(Path.GetDirectoryName(site.Request)!, "recipe.json");
        File.WriteAllText(recipe, """{ "oracles": 4, "references": 4, "unlearned": 4, "epochs": 2 }""");
        var trained = await site.RunAsync("audit", "oracles", site.Request, "--registry", site.Registry, "--recipe", recipe, "--verbose",
            "--output", "json");
        Assert.True(trained.Code is 0, trained.Error);
        var request = JsonNode.Parse(File.ReadAllText(site.Request))!;
        request["audit"]!["pool"] = JsonNode.Parse(trained.Output)!["id"]!.GetValue<string>();
        File.WriteAllText(site.Request, request.ToJsonString());
        var run = await site.RunAsync("run", site.Request, "--registry", site.Registry, "--verbose");
        Assert.True(run.Code is 0, run.Error);
        string[] inversion =
        [
            "audit", "inversion", site.Request, "--registry", site.Registry, "--child", "tiny@2", "--iterations", "10", "--restarts", "1",
        ];
        var attacked = await site.RunAsync([.. inversion, "--verbose"]);
        Assert.True(attacked.Code is 0, attacked.Error);
        var refused = await site.RunAsync([.. inversion, "--pictures", Path.Combine(site.Registry, "pictures")]);
        Assert.Contains("lies in the registry; give a folder elsewhere", refused.Error);
        Assert.Equal(2, refused.Code);
        site.MustHoldNoMark(withTemp: true);
        Assert.Empty(Directory.GetFileSystemEntries(site.WorkFolder));
    }

    /// <summary>The page is made of these answers and of files that are the same for every registry.</summary>
    [Theory]
    [InlineData("{}", JobStatus.Succeeded)]
    [InlineData("""{ "forget": { "ids": ["424242001", "424242999"] } }""", JobStatus.Failed)]
    public async Task Marks_appear_nowhere_in_what_a_worker_serves(string changes, JobStatus status)
    {
        using var site = new Site(changes);
        using var worker = site.Serve(out var client);
        Assert.True(await worker.UntilAsync(() => Answers(client, "/healthz/ready")), worker.Error);
        var job = JsonNode.Parse(await site.AskAsync(client, HttpMethod.Post, "/api/jobs", File.ReadAllText(site.Request)))!["job"];
        // The events of a job end with it.
        await site.AskAsync(client, HttpMethod.Get, $"/api/jobs/{job}/events");
        var ended = JsonNode.Parse(await site.AskAsync(client, HttpMethod.Get, $"/api/jobs/{job}"))!;
        Assert.Equal(status.ToString(), (string?)ended["job"]!["status"], ignoreCase: true);
        foreach (var path in new[] { "/", "/api/worker", "/api/jobs", "/api/models", "/api/models/tiny/lineage", "/healthz/live" })
            await site.AskAsync(client, HttpMethod.Get, path);
        if (status is JobStatus.Succeeded)
            Assert.Contains("<html", await site.AskAsync(client, HttpMethod.Get, "/models/tiny/2/report"));
        await site.EndAsync(worker);
        site.MustHoldNoMark(withTemp: true);

        static bool Answers(HttpClient client, string path)
        {
            try
            {
                return client.GetAsync(path).GetAwaiter().GetResult().IsSuccessStatusCode;
            }
            catch (HttpRequestException)
            {
                return false;
            }
        }
    }

    [Fact]
    public async Task Marks_appear_nowhere_after_a_kill_and_after_the_job_was_taken_up_again()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "there is no SIGKILL here");
        using var site = new Site(Long);
        await site.StopAsync(running => running.Kill());
        // Local copies of the killed worker hold the samples until the job is run again or gc removes them.
        Assert.NotEmpty(Directory.GetFiles(site.WorkFolder, "train.npz", SearchOption.AllDirectories));
        Assert.Contains(Directory.GetFiles(site.Registry, "*", SearchOption.AllDirectories), f => f.Contains("/blobs/"));
        site.MustHoldNoMark(withTemp: false);
        var again = await site.RunAsync("run", site.Request, "--registry", site.Registry);
        Assert.True(again.Code is 0, again.Error);
        site.MustHoldNoMark(withTemp: true);
        Assert.Empty(Directory.GetFileSystemEntries(site.WorkFolder));
    }

    [Fact]
    public async Task Marks_appear_nowhere_after_a_kill_a_cancellation_and_gc()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "there is no SIGKILL here");
        using var site = new Site(Long);
        await site.StopAsync(running => running.Kill());
        var job = Path.GetFileName(Assert.Single(Directory.GetDirectories(Path.Combine(site.Registry, ".registry-unlearn/jobs"))));
        Assert.Equal(0, (await site.RunAsync("jobs", "cancel", job, "--registry", site.Registry)).Code);
        Assert.Equal(0, (await site.RunAsync("gc", "--registry", site.Registry, "--delete")).Code);
        site.MustHoldNoMark(withTemp: true);
        Assert.Empty(Directory.GetFileSystemEntries(site.WorkFolder));
    }

    [Fact]
    public async Task A_worker_whose_job_is_cancelled_by_another_process_stops_and_leaves_nothing()
    {
        using var site = new Site(Long);
        var (code, error) = await site.StopAsync(running =>
        {
            var job = Path.GetFileName(Directory.GetDirectories(Path.Combine(site.Registry, ".registry-unlearn/jobs")).Single());
            Assert.Equal(0, site.RunAsync("jobs", "cancel", job, "--registry", site.Registry).GetAwaiter().GetResult().Code);
        });
        Assert.True(code is 5, error);
        Assert.False(Directory.Exists(Path.Combine(site.Registry, "tiny/2")));
        Assert.DoesNotContain(Directory.GetFiles(site.Registry, "*", SearchOption.AllDirectories), f => f.Contains("/blobs/"));
        site.MustHoldNoMark(withTemp: true);
    }

    static string Long => $$"""{ "method": { "name": "finetune", "options": { "steps": {{ManySteps}}, "batch": 8 } } }""";

    /// <summary>A registry whose training data has the marks, and everything that was said about it.</summary>
    sealed class Site : IDisposable
    {
        const float Mark = 0.42424203f;

        readonly List<(string Name, byte[] Bytes)> marks =
        [
            ("an id as text", "424242"u8.ToArray()),
            ("an id as UTF-16", Encoding.Unicode.GetBytes("424242")),
            .. Ids.Select(id => ("an id as a number", Number(long.Parse(id)))),
            ("values of a sample", Values(2)),
            ("a value as text", "0.424242"u8.ToArray()),
        ];

        readonly TempFolder folder = new();
        readonly List<string> said = [];

        public Site(string changes)
        {
            foreach (var path in new[] { Registry, Temp })
                Directory.CreateDirectory(path);
            var store = new FolderStore(Registry);
            TinyRegistry.FillAsync(store).GetAwaiter().GetResult();
            File.WriteAllBytes(Data, MarkedData());
            var request = JsonNode.Parse(TinyRegistry.Request(r =>
            {
                r["forget"]!["ids"] = new JsonArray([.. Ids.Select(i => (JsonNode)i)]);
                foreach (var (name, value) in JsonNode.Parse(changes)!.AsObject())
                    r[name] = value!.DeepClone();
            }))!;
            File.WriteAllText(Request, request.ToJsonString());
            using var key = Lineage.SigningKey.Create(Lineage.SigningCurve.P256);
            Worker.Keys.KeyFiles.Write(key, Key, null);
            var pem = File.ReadAllText(Key);
            using var secret = ECDsa.Create();
            secret.ImportFromPem(pem);
            marks.Add(("the signing key", secret.ExportParameters(includePrivateParameters: true).D!));
            marks.Add(("the signing key as text", Encoding.ASCII.GetBytes(pem.Split('\n')[1])));
        }

        public string Registry => Path.Combine(folder.Path, "registry");

        public string Request => Path.Combine(folder.Path, "request.json");

        public string Key => Path.Combine(folder.Path, "signing.pem");

        public string PublicKey => Path.Combine(folder.Path, "signing.pub.pem");

        public string WorkFolder => Path.Combine(Temp, "registry-unlearn-" + Environment.UserName);

        string Temp => Path.Combine(folder.Path, "temp");

        string Data => Path.Combine(Registry, "datasets/train.npz");

        public async Task<(int Code, string Output, string Error)> RunAsync(params string[] args)
        {
            var run = await RealProcess.RunAsync(Temp, args);
            lock (said)
                said.AddRange([run.Output, run.Error]);
            return run;
        }

        /// <summary>Runs the request until the job has a checkpoint, then stops it.</summary>
        public async Task<(int Code, string Error)> StopAsync(Action<RealProcess> stop)
        {
            using var running = RealProcess.Start(
                Temp, "run", Request, "--registry", Registry, "--checkpoint-interval", "0", "--verbose");
            Assert.True(await running.UntilAsync(HasCheckpoint), running.Error);
            stop(running);
            var (code, output, error) = await running.EndAsync();
            lock (said)
                said.AddRange([output, error]);
            return (code, error);
        }

        /// <summary>A worker with its page on a free port, and a client with its key.</summary>
        public RealProcess Serve(out HttpClient client)
        {
            const string key = "0123456789abcdef0123456789abcdef";
            using var free = new TcpListener(IPAddress.Loopback, 0);
            free.Start();
            var address = $"http://127.0.0.1:{((IPEndPoint)free.LocalEndpoint).Port}";
            free.Stop();
            client = new() { BaseAddress = new Uri(address) };
            client.DefaultRequestHeaders.Add("X-Registry-Unlearn-Key", key);
            return RealProcess.Start(Temp,
                new() { ["REGISTRY_UNLEARN_WORKER__HTTP__KEY"] = key, ["REGISTRY_UNLEARN_WORKER__PollSeconds"] = "0.2" },
                ["worker", "--registry", Registry, "--http", address, "--signing-key", Key, "--verbose"]);
        }

        public async Task<string> AskAsync(HttpClient client, HttpMethod method, string path, string? json = null)
        {
            using var request = new HttpRequestMessage(method, path);
            if (json is not null)
                request.Content = new StringContent(json, Encoding.UTF8, "application/json");
            using var response = await client.SendAsync(request);
            var body = await response.Content.ReadAsStringAsync();
            Assert.True(response.IsSuccessStatusCode, $"{path}: {body}");
            lock (said)
                said.AddRange([response.Headers.ToString(), body]);
            return body;
        }

        public async Task EndAsync(RealProcess worker)
        {
            worker.Terminate();
            var (code, output, error) = await worker.EndAsync();
            Assert.True(code == 0, error);
            lock (said)
                said.AddRange([output, error]);
        }

        bool HasCheckpoint()
        {
            var jobs = Path.Combine(Registry, ".registry-unlearn/jobs");
            return Directory.Exists(jobs) && Directory.GetFiles(jobs, "state.json", SearchOption.AllDirectories) is [var state]
                && File.ReadAllText(state).Contains("\"checkpoint\"");
        }

        /// <summary>Looks into every file and everything said; the data and the stored request show that looking finds.</summary>
        public void MustHoldNoMark(bool withTemp)
        {
            var requests = Path.Combine(Registry, ".registry-unlearn/requests");
            var known = Directory.GetFiles(requests).Append(Data).ToList();
            foreach (var file in known)
                Assert.NotNull(FirstMark(File.ReadAllBytes(file)));
            var files = Directory.GetFiles(Registry, "*", SearchOption.AllDirectories)
                .Concat(withTemp ? Directory.GetFiles(Temp, "*", SearchOption.AllDirectories) : []).Except(known)
                // The runtime leaves pipes, which have no length and whose reading would not end.
                .Where(f => new FileInfo(f).Length > 0).ToList();
            Assert.NotEmpty(files);
            foreach (var file in files)
            {
                Assert.DoesNotContain("424242", file);
                Assert.True(FirstMark(File.ReadAllBytes(file)) is not { } mark, $"{file} holds {FirstMark(File.ReadAllBytes(file))}");
            }
            Assert.NotEmpty(said);
            foreach (var text in said)
                Assert.True(FirstMark(Encoding.UTF8.GetBytes(text)) is null, text);
        }

        /// <summary>A mark in bytes, or in what they hold as base64.</summary>
        string? FirstMark(byte[] content)
        {
            var texts = Regex.Matches(Encoding.Latin1.GetString(content), "[A-Za-z0-9+/]{12,}={0,2}")
                .Select(m => m.Value).Where(v => v.Length % 4 == 0).Select(Convert.FromBase64String);
            foreach (var bytes in texts.Prepend(content))
            {
                foreach (var (name, mark) in marks)
                {
                    if (bytes.AsSpan().IndexOf(mark) >= 0)
                        return name;
                }
            }
            return null;
        }

        /// <summary>The first four of forty samples are marked.</summary>
        static byte[] MarkedData()
        {
            var rng = Rng.For(2, "train", 0);
            var inputs = new float[TinyRegistry.Samples * TinyRegistry.Features];
            rng.FillNormal(inputs);
            inputs.AsSpan(0, Ids.Length * TinyRegistry.Features).Fill(Mark);
            var labels = new long[TinyRegistry.Samples];
            for (var i = 0; i < labels.Length; i++)
                labels[i] = i % TinyRegistry.Classes;
            return TinyRegistry.Npz(
                NpyArray.Of<float>("x", [TinyRegistry.Samples, TinyRegistry.Features], inputs),
                NpyArray.Of<long>("y", [TinyRegistry.Samples], labels),
                NpyArray.OfStrings("id", [.. Ids, .. Enumerable.Range(0, TinyRegistry.Samples - Ids.Length).Select(i => $"other-{i}")]));
        }

        static byte[] Number(long value)
        {
            var bytes = new byte[sizeof(int)];
            BinaryPrimitives.WriteInt32LittleEndian(bytes, (int)value);
            return bytes;
        }

        static byte[] Values(int count)
        {
            var bytes = new byte[count * sizeof(float)];
            for (var i = 0; i < count; i++)
                BinaryPrimitives.WriteSingleLittleEndian(bytes.AsSpan(i * sizeof(float)), Mark);
            return bytes;
        }

        public void Dispose() => folder.Dispose();
    }
}
