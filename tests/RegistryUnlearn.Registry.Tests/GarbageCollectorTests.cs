using RegistryUnlearn.Conformance;

namespace RegistryUnlearn.Registry.Tests;

public sealed class GarbageCollectorTests : IDisposable
{
    const string Request = """{"method":"ltu"}""";

    static readonly TimeSpan Day = TimeSpan.FromDays(1);
    static readonly Digest Model = Digest.Of("model"u8);

    readonly TempFolder local = new();
    readonly FixedClock clock = new();
    readonly FolderStore store;
    readonly JobStore jobs;

    public GarbageCollectorTests()
    {
        store = new(Directory.CreateDirectory(Path.Combine(local.Path, "registry")).FullName, new() { Clock = clock });
        jobs = new(store, clock);
    }

    static CancellationToken Stop => TestContext.Current.CancellationToken;

    public void Dispose() => local.Dispose();

    /// <summary>Each job has the blobs "a" and "b" in its present retry; "a" is its checkpoint where it runs.</summary>
    [Theory]
    [InlineData(JobStatus.Submitted, 25, new[] { "a", "b" })]
    [InlineData(JobStatus.Running, 25, new[] { "b" })]
    [InlineData(JobStatus.Running, 23, new string[0])]
    [InlineData(JobStatus.Committing, 25, new string[0])]
    [InlineData(JobStatus.Succeeded, 25, new[] { "a", "b" })]
    [InlineData(JobStatus.Succeeded, 23, new string[0])]
    [InlineData(JobStatus.Failed, 25, new[] { "a", "b" })]
    [InlineData(JobStatus.Cancelled, 25, new[] { "a", "b" })]
    public async Task Blobs_that_no_state_refers_to_go_when_the_job_stands_still(JobStatus status, int hours, string[] expected)
    {
        var job = await JobAsync(status);
        clock.Now += TimeSpan.FromHours(hours);
        var before = await BlobsAsync();
        var found = await new GarbageCollector(store, jobs, clock).CollectAsync(Day, delete: false, Stop);
        Assert.Equal(before, await BlobsAsync());
        Assert.Equal(expected.Length, found.Sum(g => g.Objects));
        Assert.Equal(found, await new GarbageCollector(store, jobs, clock).CollectAsync(Day, delete: true, Stop));
        Assert.Equal(before.Except(expected.Select(e => PathOf(job, e))), await BlobsAsync());
        Assert.Empty(await new GarbageCollector(store, jobs, clock).CollectAsync(Day, delete: true, Stop));
        Assert.Equal(status, (await jobs.ReadAsync(job.JobId, Stop)).State.Status);
    }

    [Fact]
    public async Task Blobs_of_an_unknown_job_and_of_earlier_retries_go()
    {
        var running = await JobAsync(JobStatus.Running);
        await new JobBlobs(store, running.JobId, 1).PutAsync("later"u8.ToArray(), Stop);
        var unknown = JobId.From(Digest.Of("nobody"u8));
        await new JobBlobs(store, unknown, 0).PutAsync("orphan"u8.ToArray(), Stop);
        clock.Now += 2 * Day;
        var found = await new GarbageCollector(store, jobs, clock).CollectAsync(Day, delete: true, Stop);
        Assert.Equal(
            [
                ($".registry-unlearn/jobs/{running.JobId}/blobs/",
                    "the job stands still (Running), and its state does not refer to them", 2, 6L),
                ($".registry-unlearn/jobs/{unknown}/blobs/", "no job of this id is on record", 1, 6L),
            ],
            found.Select(g => (g.Place, g.Why, g.Objects, g.Bytes)).OrderByDescending(g => g.Objects));
        Assert.Equal([PathOf(running, "a")], await BlobsAsync());
    }

    [Fact]
    public async Task Temporary_files_go_when_nobody_writes_to_them()
    {
        await JobAsync(JobStatus.Running);
        var temp = Path.Combine(local.Path, "registry/.registry-unlearn/tmp");
        foreach (var (name, age) in new[] { ("old", 25), ("young", 23) })
        {
            File.WriteAllText(Path.Combine(temp, name), "bytes");
            File.SetLastWriteTimeUtc(Path.Combine(temp, name), clock.Now.UtcDateTime - TimeSpan.FromHours(age));
        }
        var found = Assert.Single(await new GarbageCollector(store, jobs, clock).CollectAsync(Day, delete: true, Stop));
        Assert.Equal(new Garbage("temporary files", ".registry-unlearn/tmp", "a process was killed while it wrote them", 1, 5), found);
        Assert.Equal("young", Path.GetFileName(Assert.Single(Directory.GetFiles(temp))));
    }

    [Fact]
    public async Task A_grace_period_that_workers_could_miss_is_refused() =>
        await Assert.ThrowsAsync<ArgumentOutOfRangeException>(() =>
            new GarbageCollector(store, jobs, clock).CollectAsync(TimeSpan.FromMinutes(59), delete: false, Stop));

    async Task<JobState> JobAsync(JobStatus status)
    {
        var submitted = await jobs.SubmitAsync(Model, Request, Stop);
        foreach (var blob in new[] { "a", "b" })
            await jobs.BlobsOf(submitted.State).PutAsync(System.Text.Encoding.ASCII.GetBytes(blob), Stop);
        var runs = new Dictionary<string, RunCheckpoint> { ["unlearn"] = new(Digest.Of("a"u8), 1) };
        var state = submitted.State with
        {
            Status = status,
            Checkpoint = status is JobStatus.Running ? new("1.0", runs) : null,
            Commit = status is JobStatus.Committing ? new(ModelName.Parse("m"), 2, Model, ParentPolicy.Keep) : null,
        };
        var path = $".registry-unlearn/jobs/{state.JobId}/state.json";
        await store.TryReplaceAsync(path, RegistryJson.Serialize(state), submitted.ETag, Stop);
        return state;
    }

    async Task<List<string>> BlobsAsync() => [.. (await store.ListAsync(".registry-unlearn/jobs/", Stop).ToListAsync(Stop))
        .Select(e => e.Path).Where(p => p.Contains("/blobs/", StringComparison.Ordinal)).Order(StringComparer.Ordinal)];

    static string PathOf(JobState job, string blob)
    {
        var hex = Digest.Of(System.Text.Encoding.ASCII.GetBytes(blob)).Hex;
        return $".registry-unlearn/jobs/{job.JobId}/blobs/{job.Retry}/sha256/{hex[..2]}/{hex}";
    }
}
