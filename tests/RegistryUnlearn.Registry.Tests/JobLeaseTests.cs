using Microsoft.Extensions.Time.Testing;

namespace RegistryUnlearn.Registry.Tests;

public sealed class JobLeaseTests
{
    static readonly JobId Job = JobId.From(Digest.Of("job"u8));
    static readonly TimeSpan Duration = TimeSpan.FromSeconds(30);

    readonly MemoryStore store = new();
    readonly FakeTimeProvider clock = new();

    static CancellationToken Stop => TestContext.Current.CancellationToken;

    JobLeases Worker(string name) => new(store, clock, name);

    async Task<JobLease> AcquireAsync(JobLeases worker) =>
        Assert.IsType<LeaseAnswer.Acquired>(await worker.TryAcquireAsync(Job, Duration, Stop)).Lease;

    [Fact]
    public async Task Of_many_one_gets_it()
    {
        var answers = await Task.WhenAll(Enumerable.Range(0, 32).Select(i =>
            Task.Run(() => Worker($"w{i}").TryAcquireAsync(Job, Duration, Stop), Stop)));
        Assert.Single(answers.OfType<LeaseAnswer.Acquired>());
        Assert.All(answers.OfType<LeaseAnswer.Held>(), held => Assert.InRange(held.For, TimeSpan.Zero, Duration));
    }

    [Fact]
    public async Task It_is_held_while_it_is_renewed_and_lost_when_it_is_not()
    {
        JobLeases a = Worker("a"), b = Worker("b");
        var lease = await AcquireAsync(a);
        Assert.Equal(new LeaseAnswer.Held("a", Duration), await b.TryAcquireAsync(Job, Duration, Stop));
        clock.Advance(TimeSpan.FromSeconds(20));
        Assert.Equal(new LeaseAnswer.Held("a", TimeSpan.FromSeconds(10)), await b.TryAcquireAsync(Job, Duration, Stop));
        Assert.True(await lease.RenewAsync(Stop));
        Assert.Equal(Duration, lease.Remaining);
        clock.Advance(TimeSpan.FromSeconds(20));
        Assert.Equal(new LeaseAnswer.Held("a", Duration), await b.TryAcquireAsync(Job, Duration, Stop));
        clock.Advance(TimeSpan.FromSeconds(30));
        Assert.True(lease.Remaining < TimeSpan.Zero);
        await AcquireAsync(b);
        Assert.False(await lease.RenewAsync(Stop));
    }

    /// <summary>Nobody waits for a worker that gave its lease back, and a restart under the same name goes on at once.</summary>
    [Fact]
    public async Task It_is_free_when_it_was_given_back_or_is_ones_own()
    {
        var lease = await AcquireAsync(Worker("a"));
        await AcquireAsync(Worker("a"));
        Assert.False(await lease.RenewAsync(Stop));
        await lease.ReleaseAsync(Stop);
        Assert.IsType<LeaseAnswer.Held>(await Worker("b").TryAcquireAsync(Job, Duration, Stop));
        await (await AcquireAsync(Worker("a"))).ReleaseAsync(Stop);
        await AcquireAsync(Worker("b"));
    }

    /// <summary>The duration of whoever holds it counts, not that of whoever wants it.</summary>
    [Fact]
    public async Task It_lasts_as_long_as_its_holder_said()
    {
        await AcquireAsync(Worker("a"));
        var impatient = Worker("b");
        await impatient.TryAcquireAsync(Job, TimeSpan.FromSeconds(1), Stop);
        clock.Advance(TimeSpan.FromSeconds(29));
        Assert.Equal(new LeaseAnswer.Held("a", TimeSpan.FromSeconds(1)),
            await impatient.TryAcquireAsync(Job, TimeSpan.FromSeconds(1), Stop));
    }

    [Theory]
    [InlineData("")]
    [InlineData("[]")]
    [InlineData("{\"holder\":7}")]
    public async Task A_damaged_one_is_named(string content)
    {
        var path = $".registry-unlearn/leases/{Job}.json";
        await store.TryCreateAsync(path, System.Text.Encoding.UTF8.GetBytes(content), Stop);
        var refusal = await Assert.ThrowsAsync<RegistryException>(() => Worker("a").TryAcquireAsync(Job, Duration, Stop));
        Assert.Equal((RegistryErrorKind.Invalid, path), (refusal.Kind, refusal.Path));
    }
}
