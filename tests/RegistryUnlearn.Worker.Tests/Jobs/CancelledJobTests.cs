using System.Text.Json.Nodes;
using RegistryUnlearn.Conformance;
using RegistryUnlearn.Faults;
using RegistryUnlearn.Registry;
using RegistryUnlearn.Unlearning.Methods;
using RegistryUnlearn.Worker.Jobs;

namespace RegistryUnlearn.Worker.Tests.Jobs;

/// <summary>A job that is cancelled while a worker has it stops at the next step and publishes nothing.</summary>
public sealed class CancelledJobTests
{
    static string Request { get; } = TinyRegistry.Request(r => r["audit"] = JsonNode.Parse("""{ "compare": ["neggrad+"], "gates": [] }"""));

    static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("prepare", 0)]
    [InlineData("unlearn", 3)]
    [InlineData("audit", 1)]
    public async Task It_stops_in_any_stage(string stage, int steps)
    {
        using var lab = await Lab.CreateAsync();
        var commit = new CommitProtocol(lab.Store, new JobStore(lab.Store, new FixedClock()), new FixedClock());
        var job = await lab.SubmitAsync(Request);
        var canceller = new Canceller(stage, steps, () => commit.CancelAsync(job, Stop));
        var refusal = await Assert.ThrowsAsync<JobCancelledException>(() => lab.Runner().RunAsync(job, canceller, Stop));
        Assert.Equal($"{job}: the job was cancelled, nothing was published. To carry it out after all: registry-unlearn jobs retry {job}",
            refusal.Message);
        Assert.DoesNotContain("publish", canceller.Stages.SkipLast(stage is "audit" ? 1 : 0));
        Assert.Equal(1, Assert.Single(await lab.VersionsAsync()));
        Assert.DoesNotContain((await lab.FilesAsync()).Keys, p => p.Contains("/blobs/"));
        Assert.True(lab.IsTidy);

        await Assert.ThrowsAsync<JobCancelledException>(() => lab.RunAsync(job));
        await commit.RetryAsync(job, Stop);
        Assert.Equal(2, (await lab.RunAsync(job)).Result.Version);
    }

    [Fact]
    public async Task A_worker_whose_job_was_cancelled_and_retried_stops_and_leaves_it_to_wait()
    {
        using var lab = await Lab.CreateAsync();
        var commit = new CommitProtocol(lab.Store, new JobStore(lab.Store, new FixedClock()), new FixedClock());
        var job = await lab.SubmitAsync(Request);
        var canceller = new Canceller("audit", 1, async () =>
        {
            await commit.CancelAsync(job, Stop);
            await commit.RetryAsync(job, Stop);
        });
        await Assert.ThrowsAsync<JobCancelledException>(() => lab.Runner().RunAsync(job, canceller, Stop));
        var state = await lab.StateAsync(Request);
        Assert.Equal((JobStatus.Submitted, 1), (state.Status, state.Retry));
    }

    /// <summary>Cancels once in a stage, after a number of steps of the method.</summary>
    sealed class Canceller(string stage, int steps, Func<Task> cancel) : IJobProgress
    {
        Func<Task>? pending = cancel;

        public List<string> Stages { get; } = [];

        public void Stage(string name)
        {
            Stages.Add(name);
            CancelAt(0);
        }

        public void Step(string what, int done, int total, StepTrace trace) => CancelAt(done);

        public void Note(string text)
        {
        }

        void CancelAt(int done)
        {
            if (pending is null || Stages[^1] != stage || done != steps)
                return;
            pending().GetAwaiter().GetResult();
            pending = null;
        }
    }
}
