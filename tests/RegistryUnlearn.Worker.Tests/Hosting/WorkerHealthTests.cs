using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;
using RegistryUnlearn.Conformance;
using RegistryUnlearn.Registry;
using RegistryUnlearn.Worker.Hosting;
using RegistryUnlearn.Worker.Hosting.Http;

namespace RegistryUnlearn.Worker.Tests.Hosting;

/// <summary>What probes are told: whether the worker's loop turns, and whether the registry answers.</summary>
public sealed class WorkerHealthTests
{
    static readonly TimeSpan Poll = TimeSpan.FromSeconds(10);

    readonly FakeTimeProvider clock = new();
    readonly SwitchedStore store = new(new MemoryStore());

    static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_registry_that_refuses_makes_the_worker_unready_but_not_dead()
    {
        using var end = CancellationTokenSource.CreateLinkedTokenSource(Stop);
        using var queue = new ReconcileQueue(clock);
        var (health, listing) = New();
        var turning = listing.RunAsync(queue, once: false, end.Token);
        Assert.Equal((true, true), (health.IsAlive, await health.IsReadyAsync(Stop)));
        store.Answer = () => throw new RegistryException(RegistryErrorKind.Unavailable, "registry", "it does not answer.");
        for (var i = 0; i < 60; i++)
            clock.Advance(Poll);
        Assert.Equal((true, false), (health.IsAlive, await health.IsReadyAsync(Stop)));
        store.Answer = () => Task.CompletedTask;
        Assert.True(await health.IsReadyAsync(Stop));
        await end.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => turning);
    }

    [Fact]
    public async Task A_listing_that_hangs_makes_it_dead_after_a_while()
    {
        using var end = CancellationTokenSource.CreateLinkedTokenSource(Stop);
        using var queue = new ReconcileQueue(clock);
        var (health, listing) = New();
        store.Answer = () => Task.Delay(Timeout.Infinite, end.Token);
        var hanging = listing.RunAsync(queue, once: false, end.Token);
        clock.Advance(TimeSpan.FromMinutes(3));
        Assert.True(health.IsAlive);
        clock.Advance(TimeSpan.FromMinutes(1));
        Assert.False(health.IsAlive);
        await end.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => hanging);
    }

    [Fact]
    public void A_worker_that_never_began_to_look_is_dead_as_well()
    {
        var (health, _) = New();
        Assert.True(health.IsAlive);
        clock.Advance(TimeSpan.FromMinutes(4));
        Assert.False(health.IsAlive);
    }

    (WorkerHealth, RegistryListing) New()
    {
        var jobs = new JobStore(store, clock);
        var listing = new RegistryListing(jobs, Poll, clock, NullLogger<RegistryListing>.Instance);
        var options = new WorkerOptions { Name = "w", Registry = "memory", PollInterval = Poll, Reconcile = new() { Worker = "w" } };
        return (new(jobs, listing, options, clock), listing);
    }

    /// <summary>A store whose reading does first what a test says.</summary>
    sealed class SwitchedStore(IObjectStore inner) : StoreDecorator(inner)
    {
        public Func<Task> Answer { get; set; } = () => Task.CompletedTask;

        protected override async Task<T> ReadingAsync<T>(string path, Func<Task<T>> operation)
        {
            await Answer();
            return await operation();
        }

        protected override Task<T> WritingAsync<T>(StoreWrite write, Func<Task<T>> operation, T conflict) => operation();
    }
}
