using System.Text;
using System.Text.Json.Nodes;
using Microsoft.Extensions.Time.Testing;
using RegistryUnlearn.Conformance;
using RegistryUnlearn.Faults;
using RegistryUnlearn.Registry;
using RegistryUnlearn.Worker.Hosting;

namespace RegistryUnlearn.Worker.Tests.Hosting;

public sealed class JobReconcilerTests
{
    readonly FakeTimeProvider clock = new(new DateTimeOffset(2026, 3, 5, 12, 30, 0, TimeSpan.Zero));

    static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_job_is_carried_out_once_whoever_looks_and_however_often()
    {
        using var lab = await WorkerLab.CreateAsync(clock);
        var job = await lab.SubmitAsync();
        Assert.IsType<ReconcileResult.Done>(await lab.Worker("a").ReconcileAsync(job, Stop));
        var after = await TinyRegistry.FilesAsync(lab.Store, "");
        Assert.IsType<ReconcileResult.Done>(await lab.Worker("a").ReconcileAsync(job, Stop));
        Assert.IsType<ReconcileResult.Done>(await lab.Worker("b").ReconcileAsync(job, Stop));
        Assert.Equivalent(after, await TinyRegistry.FilesAsync(lab.Store, ""), strict: true);
        var state = await lab.StateAsync(job);
        Assert.Equal((JobStatus.Succeeded, 1, true), (state.Status, state.Attempt, state.Closed));
        Assert.DoesNotContain(after.Keys, path => path.Contains("/leases/"));
    }

    [Fact]
    public async Task An_id_that_nobody_asked_for_is_no_job()
    {
        using var lab = await WorkerLab.CreateAsync(clock);
        var result = await lab.Worker("a").ReconcileAsync(JobId.From(Digest.Of("nobody"u8)), Stop);
        Assert.Equal(new ReconcileResult.Terminal("unknown-job"), result);
    }

    [Fact]
    public async Task A_submission_that_broke_off_before_its_state_is_a_job_all_the_same()
    {
        using var lab = await WorkerLab.CreateAsync(clock);
        var job = await lab.SubmitAsync();
        await lab.Store.DeleteAsync($".registry-unlearn/jobs/{job}/state.json", Stop);
        Assert.IsType<ReconcileResult.Done>(await lab.Worker("a").ReconcileAsync(job, Stop));
    }

    [Fact]
    public async Task A_job_that_another_worker_has_is_left_to_it()
    {
        using var lab = await WorkerLab.CreateAsync(clock);
        var job = await lab.SubmitAsync();
        var other = new JobLeases(lab.Store, clock, "b");
        var lease = Assert.IsType<LeaseAnswer.Acquired>(await other.TryAcquireAsync(job, TimeSpan.FromSeconds(30), Stop)).Lease;
        var worker = lab.Worker("a");
        Assert.Equal(new ReconcileResult.RetryAfter(TimeSpan.FromSeconds(30), "held"), await worker.ReconcileAsync(job, Stop));
        Assert.Equal(0, (await lab.StateAsync(job)).Attempt);
        await lease.ReleaseAsync(Stop);
        Assert.IsType<ReconcileResult.Done>(await worker.ReconcileAsync(job, Stop));
    }

    [Theory]
    [InlineData("gate-failed", """{ "audit": { "gates": [ { "metric": "forget.mean-loss", "atLeast": 1000 } ] } }""")]
    [InlineData("registry-notfound", """{ "data": { "train": { "path": "datasets/absent.npz" } } }""")]
    [InlineData("data", """{ "forget": { "ids": ["train-3", "nobody-7"] } }""")]
    public async Task What_would_fail_again_ends_the_job_at_once(string reason, string change)
    {
        using var lab = await WorkerLab.CreateAsync(clock);
        var job = await lab.SubmitAsync(TinyRegistry.Request(request =>
        {
            foreach (var (field, value) in JsonNode.Parse(change)!.AsObject().ToList())
                request[field] = value!.DeepClone();
        }));
        Assert.Equal(new ReconcileResult.Terminal(reason), await lab.Worker("a").ReconcileAsync(job, Stop));
        var state = await lab.StateAsync(job);
        Assert.Equal((JobStatus.Failed, reason, 1, true), (state.Status, state.Error?.Reason, state.Attempt, state.Closed));
    }

    [Fact]
    public async Task A_job_that_gets_nowhere_is_tried_ever_more_rarely_and_given_up_after_five_attempts()
    {
        using var lab = await WorkerLab.CreateAsync(clock);
        var job = await lab.SubmitAsync();
        var broken = new ChangedStore(lab.Store)
        {
            OnRead = path => path.EndsWith("train.npz")
                ? throw new RegistryException(RegistryErrorKind.Unavailable, path, "the disk is gone") : Task.CompletedTask,
        };
        var worker = lab.Worker("a", broken);
        var delays = new List<double>();
        var result = await worker.ReconcileAsync(job, Stop);
        while (result is ReconcileResult.RetryAfter retry)
        {
            Assert.Equal("registry-unavailable", retry.Reason);
            Assert.Equal(retry, await worker.ReconcileAsync(job, Stop));
            delays.Add(retry.Delay.TotalSeconds);
            clock.Advance(retry.Delay);
            result = await worker.ReconcileAsync(job, Stop);
        }
        Assert.Equal([5, 10, 20, 40], delays);
        Assert.Equal(new ReconcileResult.Terminal("poison"), result);
        var state = await lab.StateAsync(job);
        Assert.Equal((JobStatus.Failed, 5), (state.Status, state.Attempt));
        Assert.Contains("the disk is gone", state.Error!.Message);
        Assert.Contains($"jobs retry {job}", state.Error.Message);
    }

    [Fact]
    public async Task A_job_that_kills_its_workers_is_given_up_too()
    {
        using var lab = await WorkerLab.CreateAsync(clock);
        var job = await lab.SubmitAsync();
        for (var attempt = 1; attempt <= 5; attempt++)
            await lab.BeginElsewhereAsync(job);
        Assert.Equal(new ReconcileResult.Terminal("poison"), await lab.Worker("a").ReconcileAsync(job, Stop));
        Assert.Contains("killed", (await lab.StateAsync(job)).Error!.Message);
    }

    /// <summary>Restarts of a service are no fault of the job's; nor is a crash after which it got further.</summary>
    [Fact]
    public async Task A_worker_that_stops_leaves_a_checkpoint_and_a_free_job()
    {
        using WorkerLab lab = await WorkerLab.CreateAsync(clock), unbroken = await WorkerLab.CreateAsync(clock);
        await unbroken.Worker("a").ReconcileAsync(await unbroken.SubmitAsync(), Stop);
        var job = await lab.SubmitAsync();
        for (var step = 1; step <= 5; step++)
        {
            using var stopping = CancellationTokenSource.CreateLinkedTokenSource(Stop);
            var store = new ChangedStore(lab.Store)
            {
                OnWrite = path => path.Contains("/blobs/") ? stopping.CancelAsync() : Task.CompletedTask,
            };
            var stopped = await lab.Worker($"worker-{step}", store).ReconcileAsync(job, stopping.Token);
            Assert.Equal(new ReconcileResult.RetryAfter(TimeSpan.Zero, "stopped"), stopped);
            var state = await lab.StateAsync(job);
            Assert.Equal((JobStatus.Running, step, 0), (state.Status, state.Attempt, state.Strikes));
            Assert.InRange(state.Checkpoint!.Runs["unlearn"].Step, 1, 6);
        }
        Assert.IsType<ReconcileResult.Done>(await lab.Worker("last").ReconcileAsync(job, Stop));
        Assert.Equivalent(await ModelAsync(unbroken), await ModelAsync(lab), strict: true);
    }

    [Fact]
    public async Task A_worker_whose_job_another_has_begun_stops_and_writes_nothing_more_of_it()
    {
        using var lab = await WorkerLab.CreateAsync(clock);
        var job = await lab.SubmitAsync();
        var takenAt = 0;
        var store = new ChangedStore(lab.Store);
        store.OnWrite = async path =>
        {
            if (path.Contains("/blobs/") && takenAt++ == 0)
                await lab.BeginElsewhereAsync(job);
        };
        Assert.Equal("taken-over", await RetryReasonAsync(lab.Worker("slow", store), job));
        var state = await lab.StateAsync(job);
        Assert.Equal((JobStatus.Running, 2, null), (state.Status, state.Attempt, state.Checkpoint));
        Assert.Equal(1, takenAt);
    }

    /// <summary>
    /// What goes wrong with an attempt that is not the newest says nothing about the job, least of all that it is to be given up.
    /// </summary>
    [Fact]
    public async Task A_worker_that_fails_after_another_has_begun_leaves_the_job_alone()
    {
        using var lab = await WorkerLab.CreateAsync(clock);
        var job = await lab.SubmitAsync();
        var taken = 0;
        var store = new ChangedStore(lab.Store);
        store.OnWrite = async path =>
        {
            if (!path.Contains("/blobs/"))
                return;
            while (taken++ < 5)
                await lab.BeginElsewhereAsync(job);
            throw new RegistryException(RegistryErrorKind.Unavailable, path, "the disk is gone");
        };
        Assert.Equal("taken-over", await RetryReasonAsync(lab.Worker("slow", store), job));
        var state = await lab.StateAsync(job);
        Assert.Equal((JobStatus.Running, 6, 6, null), (state.Status, state.Attempt, state.Strikes, state.NotBefore));
    }

    [Fact]
    public async Task A_worker_that_loses_its_lease_stops_at_once()
    {
        using var lab = await WorkerLab.CreateAsync(TimeProvider.System);
        var job = await lab.SubmitAsync(TinyRegistry.Request(r =>
            r["method"] = JsonNode.Parse("""{ "name": "finetune", "options": { "steps": 100000, "batch": 8 } }""")));
        var stolen = 0;
        var store = new ChangedStore(lab.Store);
        store.OnWrite = async path =>
        {
            if (!path.Contains("/blobs/") || stolen++ > 0)
                return;
            var lease = $".registry-unlearn/leases/{job}.json";
            await lab.Store.TryReplaceAsync(lease, """{"term":9,"renewal":0,"seconds":30,"holder":"thief"}"""u8.ToArray(),
                (await lab.Store.ReadAsync(lease, Stop))!.ETag, Stop);
        };
        var worker = lab.Worker("slow", store, TimeSpan.FromSeconds(0.6));
        Assert.Equal("lease-lost", await RetryReasonAsync(worker, job));
        Assert.Equal((JobStatus.Running, 1), ((await lab.StateAsync(job)).Status, (await lab.StateAsync(job)).Strikes));
        Assert.Contains("thief", Encoding.UTF8.GetString(
            (await lab.Store.ReadAsync($".registry-unlearn/leases/{job}.json", Stop))!.Content.Span));
    }

    [Fact]
    public async Task A_worker_whose_lease_the_registry_says_nothing_about_stops_when_it_may_be_lost()
    {
        using var lab = await WorkerLab.CreateAsync(TimeProvider.System);
        var job = await lab.SubmitAsync(TinyRegistry.Request(r =>
            r["method"] = JsonNode.Parse("""{ "name": "finetune", "options": { "steps": 100000, "batch": 8 } }""")));
        var (silence, writes) = (new TaskCompletionSource(), 0);
        var store = new ChangedStore(lab.Store)
        {
            OnWrite = path => path.Contains("/leases/") && Interlocked.Increment(ref writes) > 1 ? silence.Task : Task.CompletedTask,
        };
        var worker = lab.Worker("slow", store, TimeSpan.FromSeconds(0.6));
        Assert.Equal("lease-lost", await RetryReasonAsync(worker, job));
        silence.SetResult();
    }

    /// <summary>The version stands, the mark that the job is done does not; or the job is done, and its lease stays.</summary>
    [Theory]
    [InlineData("registry-unavailable", "state.json", "\"closed\":true")]
    [InlineData("lease-left", "leases/", ChangedStore.Removal)]
    public async Task A_job_whose_end_the_registry_does_not_take_is_looked_at_again(string reason, string file, string change)
    {
        using var lab = await WorkerLab.CreateAsync(clock);
        var job = await lab.SubmitAsync();
        var isDown = true;
        var store = new ChangedStore(lab.Store)
        {
            OnChange = (path, content) => isDown && path.Contains(file) && content.Replace(" ", "").Contains(change)
                ? throw new RegistryException(RegistryErrorKind.Unavailable, path, "the network is gone") : Task.CompletedTask,
        };
        var worker = lab.Worker("a", store);
        Assert.Equal(new ReconcileResult.RetryAfter(TimeSpan.FromSeconds(5), reason), await worker.ReconcileAsync(job, Stop));
        isDown = false;
        Assert.IsType<ReconcileResult.Done>(await worker.ReconcileAsync(job, Stop));
        Assert.True((await lab.StateAsync(job)).Closed);
        Assert.Null(await lab.Store.ReadAsync($".registry-unlearn/leases/{job}.json", Stop));
    }

    /// <summary>
    /// A worker that was held up in storing a checkpoint stores it after another one has ended the job and removed all blobs.
    /// </summary>
    [Fact]
    public async Task A_worker_that_is_late_leaves_nothing_behind()
    {
        using var lab = await WorkerLab.CreateAsync(clock);
        var job = await lab.SubmitAsync();
        var isFirst = true;
        var store = new ChangedStore(lab.Store)
        {
            OnChange = async (path, _) =>
            {
                if (!path.Contains("/blobs/") || !isFirst)
                    return;
                isFirst = false;
                await lab.Store.DeleteAsync($".registry-unlearn/leases/{job}.json", Stop);
                Assert.IsType<ReconcileResult.Done>(await lab.Worker("fast").ReconcileAsync(job, Stop));
            },
        };
        Assert.Equal("taken-over", await RetryReasonAsync(lab.Worker("slow", store), job));
        Assert.Empty(await TinyRegistry.FilesAsync(lab.Store, $".registry-unlearn/jobs/{job}/blobs/"));
        Assert.Equal(1, (await new AuditLog(lab.Store).VerifyAsync(Stop)).Lines);
    }

    [Theory]
    [InlineData(JobStatus.Failed)]
    [InlineData(JobStatus.Cancelled)]
    public async Task What_an_ended_job_left_undone_is_done(JobStatus status)
    {
        using var lab = await WorkerLab.CreateAsync(clock);
        var job = await lab.SubmitAsync();
        var tracked = await lab.Jobs.ReadAsync(job, Stop);
        await lab.Jobs.BlobsOf(tracked.State).PutAsync("left"u8.ToArray(), Stop);
        await lab.Jobs.TryUpdateAsync(tracked, tracked.State with
        {
            Status = status,
            Error = status is JobStatus.Failed ? new("data", "why") : null,
            Finished = clock.GetUtcNow(),
        }, Stop);
        var word = status is JobStatus.Failed ? "data" : "cancelled";
        Assert.Equal(new ReconcileResult.Terminal(word), await lab.Worker("a").ReconcileAsync(job, Stop));
        Assert.True((await lab.StateAsync(job)).Closed);
        Assert.Empty(await TinyRegistry.FilesAsync(lab.Store, $".registry-unlearn/jobs/{job}/blobs/"));
        Assert.Equal(1, (await new AuditLog(lab.Store).VerifyAsync(Stop)).Lines);
    }

    /// <summary>Why the worker wants to look at the job again.</summary>
    static async Task<string> RetryReasonAsync(JobReconciler worker, JobId job) =>
        Assert.IsType<ReconcileResult.RetryAfter>(await worker.ReconcileAsync(job, Stop)).Reason;

    static async Task<byte[]> ModelAsync(WorkerLab lab) => (await lab.Store.ReadAsync("tiny/2/model.onnx", Stop))!.Content.ToArray();

    /// <summary>Does something of the test's before reading, before changing or after writing.</summary>
    sealed class ChangedStore(IObjectStore inner) : StoreDecorator(inner)
    {
        public const string Removal = "removal";

        public Func<string, Task> OnRead { get; init; } = _ => Task.CompletedTask;

        public Func<string, Task> OnWrite { get; set; } = _ => Task.CompletedTask;

        /// <summary>Given the path and the text; no text for a stream or a copy.</summary>
        public Func<string, string, Task> OnChange { get; init; } = (_, _) => Task.CompletedTask;

        protected override async Task<T> ReadingAsync<T>(string path, Func<Task<T>> operation)
        {
            await OnRead(path);
            return await operation();
        }

        protected override async Task<T> WritingAsync<T>(StoreWrite write, Func<Task<T>> operation, T conflict)
        {
            await OnChange(write.Path, write.IsRemoval ? Removal : Encoding.UTF8.GetString(write.Content.Span));
            var result = await operation();
            if (!write.IsRemoval)
                await OnWrite(write.Path);
            return result;
        }
    }
}
