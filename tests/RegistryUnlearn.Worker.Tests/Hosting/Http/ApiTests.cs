using System.Net;
using System.Net.Http.Json;
using System.Text;
using System.Text.Json.Nodes;
using RegistryUnlearn.Faults;
using RegistryUnlearn.Worker.Hosting.Http;

namespace RegistryUnlearn.Worker.Tests.Hosting.Http;

/// <summary>What the API answers, to the well-meaning and to others.</summary>
public sealed class ApiTests(ApiTests.Site site) : IClassFixture<ApiTests.Site>
{
    const string Zeros = "0000000000000000000000000000000000000000000000000000000000000000";

    static CancellationToken Stop => TestContext.Current.CancellationToken;

    HttpClient Client => site.Worker.Client;

    [Fact]
    public async Task A_finished_job_is_told_in_full()
    {
        var view = await site.Worker.JobAsync(site.Job);
        Assert.Equal("succeeded", Text(view["job"]!["status"]));
        Assert.Equal("tiny@2", Text(view["job"]!["result"]));
        Assert.Equal("""{"model":"tiny@1","method":"finetune","forgetCount":4,"forgetGroups":0,"parentPolicy":"keep","alias":"production","seed":5}""",
            view["request"]!.ToJsonString());
        var run = Assert.Single(view["progress"]!["runs"]!.AsArray())!;
        Assert.Equal((6, 6, 6), ((int)run["step"]!, (int)run["steps"]!, run["points"]!.AsArray().Count));

        var rows = await Client.GetFromJsonAsync<JsonArray>("/api/jobs", Stop);
        Assert.Contains(rows!, r => Text(r!["job"]?["job"]) == site.Job && Text(r["request"]?["model"]) == "tiny@1");
    }

    [Fact]
    public async Task Events_end_with_the_job()
    {
        var events = await Client.GetStringAsync($"/api/jobs/{site.Job}/events", Stop);
        Assert.StartsWith("event: job\ndata: {", events);
        var view = JsonNode.Parse(events.Split("data: ")[^1]);
        Assert.Equal("succeeded", Text(view!["job"]!["status"]));
    }

    [Fact]
    public async Task Lineage_names_parents_jobs_and_aliases()
    {
        const string expected = """{"version":2,"status":"published","aliases":["production"]}""";
        var model = (await Client.GetFromJsonAsync<JsonObject>("/api/models/tiny/lineage", Stop))!;
        var versions = model["versions"]!.AsArray();
        Assert.Equal(["adopted", "published"], versions.Select(v => Text(v!["status"])));
        Assert.Equal(expected, new JsonObject(versions[1]!.AsObject().Take(3).Select(f => KeyValuePair.Create(f.Key, f.Value?.DeepClone())))
            .ToJsonString());
        Assert.Equal((1, site.Job, true), ((int)versions[1]!["parent"]!, Text(versions[1]!["job"]), (bool)versions[1]!["report"]!));
        Assert.False((bool)versions[0]!["report"]!);
        var listed = (await Client.GetFromJsonAsync<JsonArray>("/api/models", Stop))!.Single(m => Text(m!["model"]) == "tiny");
        Assert.True(JsonNode.DeepEquals(model, listed));
    }

    [Fact]
    public async Task A_report_is_shown_as_if_it_were_hostile()
    {
        using var answer = await Client.GetAsync("/models/tiny/2/report", Stop);
        Assert.Equal("text/html; charset=utf-8", answer.Content.Headers.ContentType!.ToString());
        Assert.Equal("sandbox; default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'none'; "
            + "frame-ancestors 'none'", Assert.Single(answer.Headers.GetValues("Content-Security-Policy")));
        Assert.Contains("<h1>successor of tiny@1</h1>", await answer.Content.ReadAsStringAsync(Stop));
    }

    [Fact]
    public async Task A_report_that_was_changed_is_not_shown()
    {
        await using var worker = await RunningWorker.StartAsync();
        await worker.UntilAsync(await worker.SubmitAsync(TinyRegistry.Request()), RunningWorker.HasEnded);
        await worker.Store.DeleteAsync("tiny/2/report.html", Stop);
        Assert.Equal(404, (int)(await worker.Client.GetAsync("/models/tiny/2/report", Stop)).StatusCode);
        await worker.Store.TryCreateAsync("tiny/2/report.html", "<script>alert(1)</script>"u8.ToArray(), Stop);
        using var answer = await worker.Client.GetAsync("/models/tiny/2/report", Stop);
        Assert.Equal(HttpStatusCode.Conflict, answer.StatusCode);
        Assert.DoesNotContain("alert", await answer.Content.ReadAsStringAsync(Stop));
    }

    [Theory]
    [InlineData("/models/tiny/1/report", 404)]
    [InlineData("/models/tiny/99/report", 404)]
    [InlineData("/models/other/1/report", 404)]
    [InlineData("/models/tiny/0/report", 400)]
    [InlineData("/models/tiny/-1/report", 400)]
    [InlineData("/models/tiny/02/report", 400)]
    [InlineData("/models/tiny/99999999999/report", 400)]
    [InlineData("/models/tiny/2%2F..%2F1/report", 400)]
    [InlineData("/models/..%2F..%2Fetc/1/report", 400)]
    [InlineData("/models/%2E%2E/1/report", 404)]
    [InlineData("/models/tiny@2:x/2/report", 400)]
    [InlineData("/models/.registry-unlearn/1/report", 400)]
    [InlineData("/models/tiny%00/2/report", 400)]
    [InlineData("/api/models/other/lineage", 404)]
    [InlineData("/api/models/..%2Ftiny/lineage", 400)]
    [InlineData("/api/models/%3Cscript%3E/lineage", 400)]
    [InlineData("/api/jobs/" + Zeros, 404)]
    [InlineData("/api/jobs/" + Zeros + "/events", 404)]
    [InlineData("/api/jobs/0000", 400)]
    [InlineData("/api/jobs/" + Zeros + "0", 400)]
    [InlineData("/api/jobs/A000000000000000000000000000000000000000000000000000000000000000", 400)]
    [InlineData("/api/jobs/..%2Fjobs%2F" + Zeros, 400)]
    [InlineData("/api/jobs/%0A/events", 400)]
    [InlineData("/..%2Fappsettings.json", 404)]
    [InlineData("/%2E%2E/%2E%2E/etc/passwd", 404)]
    public async Task Names_are_checked(string path, int expected)
    {
        using var answer = await Client.GetAsync(new Uri(site.Worker.Address.GetLeftPart(UriPartial.Authority) + path,
            new UriCreationOptions { DangerousDisablePathAndQueryCanonicalization = true }), Stop);
        Assert.Equal(expected, (int)answer.StatusCode);
    }

    [Theory]
    [InlineData("application/json", "{", 400, "the request is not JSON (line 1, byte 2)")]
    [InlineData("application/json", """{"schemaVersion": 2, "unknown": 1}""", 400, "unknown is unknown")]
    [InlineData("text/plain", "{}", 415, null)]
    [InlineData("application/x-www-form-urlencoded", "a=b", 415, null)]
    public async Task Bodies_are_checked(string type, string body, int expected, string? says)
    {
        using var request = RunningWorker.Write(HttpMethod.Post, "/api/jobs");
        request.Content = new StringContent(body, Encoding.UTF8, type);
        using var answer = await Client.SendAsync(request, Stop);
        Assert.Equal(expected, (int)answer.StatusCode);
        if (says is not null)
            Assert.Contains(says, Text((await answer.Content.ReadFromJsonAsync<JsonObject>(Stop))!["detail"]));
    }

    [Fact]
    public async Task An_oversized_body_is_refused_unread()
    {
        using var request = RunningWorker.Write(HttpMethod.Post, "/api/jobs", new string(' ', (16 << 20) + 1));
        request.Headers.ExpectContinue = true;
        using var answer = await Client.SendAsync(request, Stop);
        Assert.Equal(HttpStatusCode.RequestEntityTooLarge, answer.StatusCode);
    }

    [Fact]
    public async Task No_answer_names_a_sample()
    {
        foreach (var path in new[]
        {
            "/api/jobs", $"/api/jobs/{site.Job}", $"/api/jobs/{site.Job}/events", "/api/models", "/api/models/tiny/lineage",
            "/models/tiny/2/report",
        })
        {
            Assert.DoesNotMatch("train-[0-9]", await Client.GetStringAsync(path, Stop));
        }
    }

    [Fact]
    public async Task What_is_damaged_does_not_hide_the_rest()
    {
        await using var worker = await RunningWorker.StartAsync();
        await worker.UntilAsync(await worker.SubmitAsync(TinyRegistry.Request()), RunningWorker.HasEnded);
        await worker.Store.TryCreateAsync($".registry-unlearn/jobs/{Zeros}/state.json", "damaged"u8.ToArray(), Stop);
        await worker.Store.TryCreateAsync("broken/1/manifest.json", "damaged"u8.ToArray(), Stop);

        var jobs = (await worker.Client.GetFromJsonAsync<JsonArray>("/api/jobs", Stop))!;
        Assert.Equal(2, jobs.Count);
        Assert.Equal("succeeded", Text(jobs[0]!["job"]!["status"]));
        Assert.Contains($"{Zeros}/state.json", Text(jobs[1]!["damage"]));
        var models = (await worker.Client.GetFromJsonAsync<JsonArray>("/api/models", Stop))!;
        Assert.Equal(["broken", "tiny"], models.Select(m => Text(m!["model"])));
        Assert.Contains("broken/1/manifest.json", Text(models[0]!["error"]));
    }

    [Fact]
    public async Task A_cancelled_job_waits_again_when_it_is_retried()
    {
        await using var worker = await RunningWorker.StartAsync();
        var job = await worker.SubmitAsync(RunningWorker.LongRequest(5));
        await worker.UntilAsync(job, view => Text(view["job"]!["stage"]) == "unlearn");
        Assert.Equal("cancelled", await PostAsync("cancel"));
        Assert.Equal("cancelled", Text((await worker.JobAsync(job))["job"]!["status"]));
        Assert.Equal("submitted", await PostAsync("retry"));
        await worker.UntilAsync(job, view => Text(view["job"]!["status"]) == "running");
        var listed = Assert.Single((await worker.Client.GetFromJsonAsync<JsonArray>("/api/jobs", Stop))!);
        Assert.Equal("running", Text(listed!["job"]!["status"]));

        async Task<string> PostAsync(string verb)
        {
            using var answer = await worker.Client.SendAsync(RunningWorker.Write(HttpMethod.Post, $"/api/jobs/{job}/{verb}"), Stop);
            return Text((await answer.Content.ReadFromJsonAsync<JsonObject>(Stop))!["status"]);
        }
    }

    [Fact]
    public async Task Watchers_do_not_hold_up_the_end_of_the_worker()
    {
        await using var worker = await RunningWorker.StartAsync();
        var job = await worker.SubmitAsync(RunningWorker.LongRequest(5));
        using var answer = await worker.Client.GetAsync($"/api/jobs/{job}/events", HttpCompletionOption.ResponseHeadersRead, Stop);
        await using var events = await answer.Content.ReadAsStreamAsync(Stop);
        Assert.NotEqual(-1, events.ReadByte());
        await worker.StopAsync().WaitAsync(TimeSpan.FromSeconds(30), Stop);
        await events.CopyToAsync(Stream.Null, Stop);
    }

    [Theory]
    [InlineData("/srv/registry", "/srv/registry")]
    [InlineData("C:\\registry", "C:\\registry")]
    [InlineData("UseDevelopmentStorage=true", "UseDevelopmentStorage=true")]
    [InlineData("https://account.blob.core.windows.net/models/a?sv=1&sig=secret", "https://account.blob.core.windows.net/models/a")]
    [InlineData("https://user:secret@host.example/x#y", "https://host.example/x")]
    [InlineData("http://127.0.0.1:10000/devstoreaccount1/c", "http://127.0.0.1:10000/devstoreaccount1/c")]
    public void Where_a_registry_lies_is_told_without_secrets(string registry, string shown) =>
        Assert.Equal(shown, WorkerApi.WithoutSecrets(registry));

    static string Text(JsonNode? node) => node?.GetValue<string>() ?? "";

    public sealed class Site : IAsyncLifetime
    {
        internal RunningWorker Worker { get; private set; } = null!;

        public string Job { get; private set; } = "";

        public async ValueTask InitializeAsync()
        {
            Worker = await RunningWorker.StartAsync();
            Job = await Worker.SubmitAsync(TinyRegistry.Request());
            await Worker.UntilAsync(Job, RunningWorker.HasEnded);
        }

        public ValueTask DisposeAsync() => Worker.DisposeAsync();
    }
}
