using System.Text;
using RegistryUnlearn.Conformance;

namespace RegistryUnlearn.Registry.Tests;

public sealed class JobTests : IDisposable
{
    const string Request = """{"method":"ltu"}""";

    static readonly Digest Model = Digest.Of("model"u8);

    readonly TempFolder local = new();
    readonly MemoryStore store = new();
    readonly FixedClock clock = new();
    readonly JobStore jobs;
    readonly CommitProtocol commit;

    public JobTests()
    {
        jobs = new(store, clock);
        commit = new(store, jobs, clock);
    }

    static CancellationToken Stop => TestContext.Current.CancellationToken;

    public void Dispose() => local.Dispose();

    [Fact]
    public async Task The_same_request_twice_is_one_job()
    {
        var first = await jobs.SubmitAsync(Model, Request, Stop);
        clock.Now += TimeSpan.FromHours(1);
        var second = await jobs.SubmitAsync(Model, """{ "method" : "ltu" }""", Stop);
        Assert.Equal(first, second);
        Assert.Equal([first.State.JobId], await jobs.ListAsync(Stop).ToListAsync(Stop));
        Assert.Equal(JobStore.RequestDocument(Model, Request), await jobs.ReadRequestAsync(first.State.JobId, Stop));
    }

    [Fact]
    public async Task A_state_is_spelled_this_way()
    {
        var job = (await jobs.SubmitAsync(Model, Request, Stop)).State.JobId;
        Assert.Equal($$"""
            {
              "schemaVersion": 1,
              "jobId": "{{job}}",
              "status": "submitted",
              "attempt": 0,
              "strikes": 0,
              "retry": 0,
              "submitted": "2026-03-05T12:30:00Z",
              "updated": "2026-03-05T12:30:00Z",
              "closed": false
            }

            """, Encoding.UTF8.GetString((await store.ReadAsync($".registry-unlearn/jobs/{job}/state.json", Stop))!.Content.Span));
    }

    [Fact]
    public async Task A_changed_request_is_refused()
    {
        var job = (await jobs.SubmitAsync(Model, Request, Stop)).State.JobId;
        var path = $".registry-unlearn/requests/{job}.json";
        await store.TryReplaceAsync(path, "{}"u8.ToArray(), (await store.ReadAsync(path, Stop))!.ETag, Stop);
        Assert.Equal(RegistryErrorKind.Corrupt, (await Assert.ThrowsAsync<RegistryException>(() => jobs.ReadRequestAsync(job, Stop))).Kind);
        Assert.Equal(RegistryErrorKind.Corrupt, (await Assert.ThrowsAsync<RegistryException>(() =>
            jobs.SubmitAsync(Model, Request, Stop))).Kind);
    }

    [Fact]
    public async Task A_stale_state_is_not_written()
    {
        var submitted = await jobs.SubmitAsync(Model, Request, Stop);
        var running = await jobs.TryUpdateAsync(submitted, submitted.State.Started(), Stop);
        Assert.Null(await jobs.TryUpdateAsync(submitted, submitted.State.Started() with { Stage = "unlearn" }, Stop));
        var next = await jobs.TryUpdateAsync(running!, running!.State with
        {
            Stage = "audit",
            Checkpoint = new("1.0", new Dictionary<string, RunCheckpoint> { ["unlearn"] = new(Model, 7) }),
        }, Stop);
        var read = await jobs.ReadAsync(submitted.State.JobId, Stop);
        Assert.Equal((next!.ETag, "audit", 7), (read.ETag, read.State.Stage, read.State.Checkpoint!.Runs["unlearn"].Step));
    }

    [Theory]
    [InlineData(JobStatus.Submitted, "Running Failed Cancelled")]
    [InlineData(JobStatus.Running, "Running Failed Cancelled")]
    [InlineData(JobStatus.Committing, "Committing Succeeded")]
    [InlineData(JobStatus.Succeeded, "")]
    [InlineData(JobStatus.Failed, "")]
    [InlineData(JobStatus.Cancelled, "")]
    public async Task A_job_goes_forward_only(JobStatus from, string allowed)
    {
        var state = (await jobs.SubmitAsync(Model, Request, Stop)).State with { Status = from };
        Assert.Equal(allowed.Split(' ', StringSplitOptions.RemoveEmptyEntries),
            Enum.GetValues<JobStatus>().Where(to => state.MayBecome(state with { Status = to })).Select(to => to.ToString()));
    }

    [Fact]
    public async Task An_intent_is_not_changed_once_it_stands()
    {
        var intent = new CommitIntent(ModelName.Parse("m"), 2, Model, ParentPolicy.Keep);
        var running = (await jobs.SubmitAsync(Model, Request, Stop)).State with { Status = JobStatus.Running };
        var committing = running with { Status = JobStatus.Committing, Commit = intent };
        Assert.True(running.MayBecome(committing));
        Assert.False(committing.MayBecome(committing with { Commit = intent with { Version = 3 } }));
        Assert.False(committing.MayBecome(committing with { Retry = 1 }));
        var tracked = new TrackedJob(committing, new ETag("any"));
        await Assert.ThrowsAsync<InvalidOperationException>(() => jobs.TryUpdateAsync(tracked, running, Stop));
    }

    [Fact]
    public async Task Blobs_are_verified_whenever_they_are_read()
    {
        var job = (await jobs.SubmitAsync(Model, Request, Stop)).State;
        var blobs = jobs.BlobsOf(job);
        var (digest, size) = await blobs.PutFileAsync(local.Write("checkpoint", "weights"), Stop);
        Assert.Equal((Digest.Of("weights"u8), 7L), (digest, size));
        Assert.Equal(digest, await blobs.PutAsync("weights"u8.ToArray(), Stop));
        await blobs.DownloadAsync(digest, Path.Combine(local.Path, "copy"), Stop);
        Assert.Equal("weights", await File.ReadAllTextAsync(Path.Combine(local.Path, "copy"), Stop));

        var path = Assert.Single(await store.ListAsync($".registry-unlearn/jobs/{job.JobId}/blobs/0/sha256/{digest.Hex[..2]}/",
            Stop).ToListAsync(Stop)).Path;
        await store.TryReplaceAsync(path, "weightz"u8.ToArray(), (await store.ReadAsync(path, Stop))!.ETag, Stop);
        Func<Task>[] readings =
        [
            () => blobs.ReadAsync(digest, Stop),
            () => blobs.DownloadAsync(digest, Path.Combine(local.Path, "again"), Stop),
            () => blobs.PutAsync("weights"u8.ToArray(), Stop),
            () => blobs.PutFileAsync(Path.Combine(local.Path, "checkpoint"), Stop),
        ];
        foreach (var reading in readings)
            Assert.Equal(RegistryErrorKind.Corrupt, (await Assert.ThrowsAsync<RegistryException>(reading)).Kind);
        Assert.False(File.Exists(Path.Combine(local.Path, "again")));
    }

    [Fact]
    public async Task A_failed_job_leaves_no_blobs_and_can_be_asked_for_again()
    {
        var running = await RunningAsync();
        await jobs.BlobsOf(running.State).PutAsync("checkpoint"u8.ToArray(), Stop);
        var failed = await commit.FailAsync(running.State.JobId, new("data-missing", "The data set is gone. Put it back."), Stop);
        Assert.Equal(failed, await commit.FailAsync(running.State.JobId, new("other", "Other."), Stop));
        Assert.Equal((JobStatus.Failed, "data-missing", clock.Now), (failed.Status, failed.Error!.Reason, failed.Finished));
        Assert.Empty(await store.ListAsync(".registry-unlearn/jobs/" + running.State.JobId + "/blobs/", Stop).ToListAsync(Stop));
        Assert.Equal("failed", Assert.Single(await new AuditLog(store).ReadAsync(Stop).ToListAsync(Stop)).Entry.Event);

        var read = await jobs.ReadAsync(running.State.JobId, Stop);
        var again = (await jobs.TryUpdateAsync(read, read.State.Started(), Stop))!.State;
        Assert.Equal((JobStatus.Running, 2, 1, null), (again.Status, again.Attempt, again.Retry, again.Error));
        var digest = await jobs.BlobsOf(again).PutAsync("checkpoint"u8.ToArray(), Stop);
        await jobs.BlobsOf(failed).DeleteAllAsync(Stop);
        Assert.Equal("checkpoint"u8.ToArray(), await jobs.BlobsOf(again).ReadAsync(digest, Stop));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_cancelled_job_leaves_no_blobs_publishes_nothing_and_can_be_retried(bool hasBegun)
    {
        var job = (hasBegun ? await RunningAsync() : await jobs.SubmitAsync(Model, Request, Stop)).State.JobId;
        await jobs.BlobsOf((await jobs.ReadAsync(job, Stop)).State).PutAsync("checkpoint"u8.ToArray(), Stop);
        var cancelled = await commit.CancelAsync(job, Stop);
        Assert.Equal(cancelled, await commit.CancelAsync(job, Stop));
        Assert.Equal((JobStatus.Cancelled, clock.Now, true), (cancelled.Status, cancelled.Finished, cancelled.HasEnded));
        Assert.Empty(await store.ListAsync($".registry-unlearn/jobs/{job}/blobs/", Stop).ToListAsync(Stop));
        Assert.Contains("Cancelled", (await Assert.ThrowsAsync<RegistryException>(() =>
            commit.PublishAsync(job, Plan("model.onnx"), Stop))).Message, StringComparison.Ordinal);
        Assert.Equal(cancelled, await commit.FailAsync(job, new("late", "Too late."), Stop));

        clock.Now += TimeSpan.FromMinutes(1);
        var retried = await commit.RetryAsync(job, Stop);
        Assert.Equal((JobStatus.Submitted, 0, 1, (DateTimeOffset?)null),
            (retried.Status, retried.Attempt, retried.Retry, retried.Finished));
        Assert.Equal((JobStatus.Running, 1, 1), (retried.Started().Status, retried.Started().Attempt, retried.Started().Retry));
        Assert.Equal(["cancelled", "retried"],
            (await new AuditLog(store).ReadAsync(Stop).ToListAsync(Stop)).Select(l => l.Entry.Event));
    }

    [Fact]
    public async Task What_is_being_published_or_has_ended_is_not_cancelled_and_what_has_not_failed_is_not_retried()
    {
        var running = await RunningAsync();
        var job = running.State.JobId;
        Assert.Contains("the job is Running.", (await RefusalAsync(() => commit.RetryAsync(job, Stop))).Message, StringComparison.Ordinal);
        for (var at = 1; (await jobs.ReadAsync(job, Stop)).State.Status is JobStatus.Running; at++)
        {
            var faulty = new FaultyStore(store, Fault.KillBefore, at);
            await Assert.ThrowsAsync<KilledException>(() => new CommitProtocol(faulty, new JobStore(faulty, clock), clock)
                .PublishAsync(job, Plan("model.onnx"), Stop));
        }
        Assert.Contains("is being published", (await RefusalAsync(() => commit.CancelAsync(job, Stop))).Message, StringComparison.Ordinal);
        await commit.ResumeAsync(job, Stop);
        Assert.Contains("it has ended in m@1. Retire", (await RefusalAsync(() => commit.CancelAsync(job, Stop))).Message,
            StringComparison.Ordinal);
        Assert.Equal("published", Assert.Single(await new AuditLog(store).ReadAsync(Stop).ToListAsync(Stop)).Entry.Event);

        static async Task<RegistryException> RefusalAsync(Func<Task> call)
        {
            var refusal = await Assert.ThrowsAsync<RegistryException>(call);
            Assert.Equal(RegistryErrorKind.Conflict, refusal.Kind);
            return refusal;
        }
    }

    [Fact]
    public async Task Only_a_running_job_publishes()
    {
        var job = (await jobs.SubmitAsync(Model, Request, Stop)).State.JobId;
        Assert.Null(await commit.ResumeAsync(job, Stop));
        Assert.Equal(RegistryErrorKind.Conflict, (await Assert.ThrowsAsync<RegistryException>(() =>
            commit.PublishAsync(job, Plan("model.onnx"), Stop))).Kind);
    }

    /// <summary>Whichever write of its publication comes next, a job ends cancelled without a version, or published.</summary>
    [Fact]
    public async Task A_cancellation_comes_before_publication_or_is_refused()
    {
        var outcomes = new List<bool>();
        for (var at = 1; outcomes.Count < at; at++)
        {
            var fresh = new MemoryStore();
            var states = new JobStore(fresh, clock);
            var submitted = await states.SubmitAsync(Model, Request, Stop);
            var job = submitted.State.JobId;
            await states.TryUpdateAsync(submitted, submitted.State.Started(), Stop);
            Exception? refusal = null;
            var interrupted = new InterruptedStore(fresh, at, async () =>
                refusal = await Record.ExceptionAsync(() => new CommitProtocol(fresh, states, clock).CancelAsync(job, Stop)));
            var failure = await Record.ExceptionAsync(() =>
                new CommitProtocol(interrupted, new JobStore(interrupted, clock), clock).PublishAsync(job, Plan("model.onnx"), Stop));
            if (!interrupted.WasReached)
                break;
            var status = (await states.ReadAsync(job, Stop)).State.Status;
            Assert.Equal(refusal is null ? JobStatus.Cancelled : JobStatus.Succeeded, status);
            Assert.Equal(refusal is null, failure is RegistryException { Kind: RegistryErrorKind.Conflict });
            var versions = await new ModelRegistry(fresh).ListVersionsAsync(ModelName.Parse("m"), Stop);
            Assert.Equal(refusal is null ? 0 : 1, versions.Count);
            outcomes.Add(refusal is null);
        }
        // Staging, claiming and fixing come first; what follows cannot be stopped.
        Assert.Equal(outcomes.OrderDescending(), outcomes);
        Assert.Contains(true, outcomes);
        Assert.Contains(false, outcomes);
    }

    [Fact]
    public async Task Files_that_speak_of_the_version_are_made_once_it_has_its_number()
    {
        var running = await RunningAsync();
        await store.TryCreateAsync("m/6/model.onnx", "older"u8.ToArray(), Stop);
        var plan = Plan("model.onnx") with
        {
            Seal = manifest => [new(local.Write("seal", $"{manifest.Version}: {manifest.Files[0].Digest}"), "a.txt", "seal", "text/plain")],
        };
        var result = await commit.PublishAsync(running.State.JobId, plan, Stop);
        var version = await new ModelRegistry(store).ResolveAsync(ModelReference.Parse("m@7"), Stop);
        Assert.Equal((7, result.Digest), (result.Version, version.Digest));
        Assert.Equal(["a.txt", "model.onnx"], version.Manifest.Files.Select(f => f.Path));
        Assert.Equal($"7: {Digest.Of("model.onnx"u8)}",
            Encoding.UTF8.GetString((await store.ReadAsync("m/7/a.txt", Stop))!.Content.Span));
    }

    [Fact]
    public async Task A_file_that_falls_onto_another_is_refused()
    {
        var running = await RunningAsync();
        var plan = Plan("model.onnx") with { Seal = _ => [new(local.Write("seal", "x"), "model.onnx", "seal", "text/plain")] };
        var refusal = await Assert.ThrowsAsync<RegistryException>(() => commit.PublishAsync(running.State.JobId, plan, Stop));
        Assert.Contains("has 'model.onnx' twice", refusal.Message, StringComparison.Ordinal);
        Assert.Equal(JobStatus.Running, (await jobs.ReadAsync(running.State.JobId, Stop)).State.Status);
    }

    [Theory]
    [InlineData("weights.bin", "files lacks model.onnx")]
    [InlineData("model.onnx|manifest.json", "files names the manifest itself")]
    [InlineData("model.onnx|model.onnx", "has 'model.onnx' twice")]
    [InlineData("model.onnx|../x", "a path must not step out of its folder")]
    public async Task A_plan_that_breaks_a_rule_claims_nothing(string files, string message)
    {
        var running = await RunningAsync();
        var refusal = await Assert.ThrowsAsync<RegistryException>(() =>
            commit.PublishAsync(running.State.JobId, Plan(files.Split('|')), Stop));
        Assert.Contains(message, refusal.Message, StringComparison.Ordinal);
        Assert.Empty(await store.ListAsync(".registry-unlearn/models/", Stop).ToListAsync(Stop));
    }

    [Fact]
    public async Task A_foreign_file_in_the_new_version_is_never_overwritten_and_its_removal_lets_the_job_end()
    {
        var running = await RunningAsync();
        var job = running.State.JobId;
        for (var at = 1; (await jobs.ReadAsync(job, Stop)).State.Status is JobStatus.Running; at++)
        {
            var faulty = new FaultyStore(store, Fault.KillBefore, at);
            await Assert.ThrowsAsync<KilledException>(() => new CommitProtocol(faulty, new JobStore(faulty, clock), clock)
                .PublishAsync(job, Plan("model.onnx"), Stop));
        }
        Assert.Equal(1, (await jobs.ReadAsync(job, Stop)).State.Commit!.Version);
        Assert.NotNull(await store.TryCreateAsync("m/1/model.onnx", "foreign"u8.ToArray(), Stop));
        var refusal = await Assert.ThrowsAsync<RegistryException>(() => commit.ResumeAsync(job, Stop));
        Assert.Equal((RegistryErrorKind.Conflict, "m/1/model.onnx"), (refusal.Kind, refusal.Path));
        await store.DeleteAsync("m/1/model.onnx", Stop);
        Assert.Equal(1, (await commit.ResumeAsync(running.State.JobId, Stop))!.Version);
    }

    async Task<TrackedJob> RunningAsync()
    {
        var submitted = await jobs.SubmitAsync(Model, Request, Stop);
        return (await jobs.TryUpdateAsync(submitted, submitted.State.Started(), Stop))!;
    }

    PublishPlan Plan(params string[] files) => new()
    {
        Model = ModelName.Parse("m"),
        Files = [.. files.Select((f, i) => new PublishFile(local.Write($"file{i}", f), f, "model", "application/octet-stream"))],
        Created = clock.Now,
    };
}
