using System.Net;
using System.Text;
using RegistryUnlearn.Faults;
using RegistryUnlearn.Registry;
using RegistryUnlearn.Worker.Jobs;

namespace RegistryUnlearn.Worker.Tests.Hosting.Http;

/// <summary>The webhook.</summary>
public sealed class EventsTests(EventsTests.Listening listening) : IClassFixture<EventsTests.Listening>
{
    const string Zeros = "0000000000000000000000000000000000000000000000000000000000000000";

    static CancellationToken Stop => TestContext.Current.CancellationToken;

    static string Created(string job) => $$"""
        [{
          "id": "1", "topic": "t", "eventType": "Microsoft.Storage.BlobCreated", "eventTime": "2026-03-05T12:30:00Z", "dataVersion": "",
          "metadataVersion": "1", "data": { "api": "PutBlob" },
          "subject": "/blobServices/default/containers/c/blobs/.registry-unlearn/requests/{{job}}.json"
        }]
        """;

    [Fact]
    public async Task The_handshake_of_Event_Grid_is_answered()
    {
        var (status, body) = await PostAsync("""
            [{
              "id": "1", "topic": "t", "subject": "", "eventType": "Microsoft.EventGrid.SubscriptionValidationEvent", "dataVersion": "1",
              "eventTime": "2026-03-05T12:30:00Z", "metadataVersion": "1", "data": { "validationCode": "512d38b6" }
            }]
            """);
        Assert.Equal((HttpStatusCode.OK, """{"validationResponse":"512d38b6"}"""), (status, body));
    }

    [Fact]
    public async Task The_handshake_of_CloudEvents_is_answered()
    {
        using var request = new HttpRequestMessage(HttpMethod.Options, "/events");
        request.Headers.Add("WebHook-Request-Origin", "eventgrid.azure.net");
        using var answer = await listening.Worker.Client.SendAsync(request, Stop);
        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
        Assert.Equal("eventgrid.azure.net", Assert.Single(answer.Headers.GetValues("WebHook-Allowed-Origin")));
        Assert.Equal(["POST"], answer.Content.Headers.Allow);
    }

    /// <summary>The worker's next listing is an hour away: only the event can have told it. Told again, it finds nothing to do.</summary>
    [Fact]
    public async Task An_event_makes_the_worker_look_however_often_it_comes()
    {
        var job = await new JobRunner(listening.Worker.Store, TimeProvider.System, new JobOptions())
            .SubmitAsync(TinyRegistry.Request(r => r["seed"] = 4711), "request", Stop);
        for (var time = 1; time <= 3; time++)
            Assert.Equal((HttpStatusCode.OK, """{"jobs":1}"""), await PostAsync(Created(job.ToString())));
        await listening.Worker.UntilAsync(job.ToString(), RunningWorker.HasEnded);
        Assert.Equal((HttpStatusCode.OK, """{"jobs":1}"""), await PostAsync(Created(job.ToString())));
        var jobs = new JobStore(listening.Worker.Store, TimeProvider.System);
        var state = (await jobs.ReadAsync(job, Stop)).State;
        Assert.Equal((JobStatus.Succeeded, 1), (state.Status, state.Attempt));
    }

    [Fact]
    public async Task A_forged_event_is_no_job()
    {
        Assert.Equal((HttpStatusCode.OK, """{"jobs":1}"""), await PostAsync(Created(Zeros)));
        Assert.Null(await new JobStore(listening.Worker.Store, TimeProvider.System).TryReadAsync(JobId.Parse(Zeros), Stop));
    }

    [Theory]
    [InlineData("hello", 400)]
    [InlineData("{}", 400)]
    [InlineData("", 400)]
    public async Task What_is_no_event_is_refused(string body, int expected) => Assert.Equal(expected, (int)(await PostAsync(body)).Status);

    [Fact]
    public async Task A_body_that_is_too_long_is_refused() =>
        Assert.Equal(413, (int)(await PostAsync($"[\"{new string('x', 1 << 20)}\"]")).Status);

    [Fact]
    public async Task Nobody_is_believed_without_the_key()
    {
        using var answer = await listening.Worker.Client.PostAsync(
            "/events", new StringContent(Created(Zeros), Encoding.UTF8, "application/json"), Stop);
        Assert.Equal(HttpStatusCode.Unauthorized, answer.StatusCode);
    }

    async Task<(HttpStatusCode Status, string Body)> PostAsync(string body)
    {
        using var answer = await listening.Worker.Client.SendAsync(RunningWorker.Write(HttpMethod.Post, "/events", body), Stop);
        return (answer.StatusCode, await answer.Content.ReadAsStringAsync(Stop));
    }

    public sealed class Listening : IAsyncLifetime
    {
        internal RunningWorker Worker { get; private set; } = null!;

        public async ValueTask InitializeAsync() => Worker = await RunningWorker.StartAsync(poll: TimeSpan.FromHours(1));

        public ValueTask DisposeAsync() => Worker.DisposeAsync();
    }
}
