using RegistryUnlearn.Conformance;
using RegistryUnlearn.Registry;
using RegistryUnlearn.Worker.Jobs;
using RegistryUnlearn.Worker.Maintenance;

namespace RegistryUnlearn.Worker.Tests;

public sealed class HousekeepingTests : IDisposable
{
    readonly TempFolder work = new();

    public void Dispose() => work.Dispose();

    [Fact]
    public async Task Local_copies_of_killed_workers_go_and_those_of_running_ones_stay()
    {
        var stop = TestContext.Current.CancellationToken;
        var store = new MemoryStore();
        var housekeeping = new Housekeeping(store, new FixedClock(), new JobOptions { WorkFolder = Path.Combine(work.Path, "jobs") });
        Assert.Empty(await housekeeping.CollectAsync(Housekeeping.DefaultGrace, delete: true, stop));
        using var running = WorkFolder.Open(Path.Combine(work.Path, "jobs"), "running");
        work.Write("jobs/killed-1-1/in-use", "");
        work.Write("jobs/killed-1-1/data/train.npz", "samples");
        var expected = new Garbage("local copies", Path.Combine(work.Path, "jobs/killed-1-1"), "the worker that made them is gone", 1, 7);
        Assert.Equal([expected], await housekeeping.CollectAsync(Housekeeping.DefaultGrace, delete: false, stop));
        Assert.Equal([expected], await housekeeping.CollectAsync(Housekeeping.DefaultGrace, delete: true, stop));
        Assert.Equal(running.Path, Assert.Single(Directory.GetDirectories(Path.Combine(work.Path, "jobs"))));
        var line = Assert.Single(await new AuditLog(store).ReadAsync(stop).ToListAsync(stop));
        Assert.Equal(("collected", "1", "7"), (line.Entry.Event, line.Entry.Details["objects"], line.Entry.Details["bytes"]));
    }
}
