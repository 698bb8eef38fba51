using Microsoft.Extensions.Time.Testing;
using RegistryUnlearn.Registry;
using RegistryUnlearn.Worker.Hosting;

namespace RegistryUnlearn.Worker.Tests.Hosting;

public sealed class ReconcileQueueTests : IDisposable
{
    static readonly JobId A = JobId.From(Digest.Of("a"u8));
    static readonly JobId B = JobId.From(Digest.Of("b"u8));

    readonly FakeTimeProvider clock = new();
    readonly ReconcileQueue queue;

    public ReconcileQueueTests() => queue = new(clock);

    static CancellationToken Stop => TestContext.Current.CancellationToken;

    public void Dispose() => queue.Dispose();

    [Fact]
    public async Task An_id_waits_once_in_the_order_of_arrival()
    {
        queue.Add(A);
        queue.Add(B);
        queue.Add(A);
        Assert.Equal([A, B], [await queue.TakeAsync(Stop), await queue.TakeAsync(Stop)]);
        Assert.False(queue.TakeAsync(Stop).IsCompleted);
    }

    [Fact]
    public async Task An_id_that_is_worked_on_comes_again_afterwards()
    {
        queue.Add(A);
        await queue.TakeAsync(Stop);
        queue.Add(A);
        queue.Add(A);
        Assert.Equal(0, queue.Waiting.Count);
        Assert.True(queue.IsAtWork);
        queue.Done(A);
        Assert.Equal((1, false), (queue.Waiting.Count, queue.IsAtWork));
        Assert.Equal(A, await queue.TakeAsync(Stop));
        queue.Done(A);
        Assert.True(queue.IsIdle);
    }

    [Fact]
    public void What_is_put_off_comes_when_its_time_has_come()
    {
        queue.AddAfter(A, TimeSpan.FromSeconds(10));
        clock.Advance(TimeSpan.FromSeconds(9));
        Assert.Equal(0, queue.Waiting.Count);
        clock.Advance(TimeSpan.FromSeconds(1));
        Assert.Equal(1, queue.Waiting.Count);
        clock.Advance(TimeSpan.FromSeconds(3));
        Assert.Equal(TimeSpan.FromSeconds(3), queue.Waiting.Age);
    }

    [Fact]
    public async Task A_hint_is_faster_than_what_was_put_off()
    {
        queue.AddAfter(A, TimeSpan.FromSeconds(10));
        queue.Add(A);
        await queue.TakeAsync(Stop);
        queue.Done(A);
        clock.Advance(TimeSpan.FromSeconds(11));
        Assert.Equal(0, queue.Waiting.Count);
    }

    [Fact]
    public async Task Many_threads_get_every_id_and_none_at_the_same_time()
    {
        var ids = Enumerable.Range(0, 50).Select(i => JobId.From(Digest.Of(BitConverter.GetBytes(i)))).ToList();
        var busy = ids.ToDictionary(id => id, _ => 0);
        var seen = 0;
        using var end = CancellationTokenSource.CreateLinkedTokenSource(Stop);
        var taking = Enumerable.Range(0, 8).Select(_ => Task.Run(async () =>
        {
            while (true)
            {
                var id = await queue.TakeAsync(end.Token);
                lock (busy)
                {
                    Assert.Equal(1, ++busy[id]);
                    seen++;
                }
                await Task.Yield();
                lock (busy)
                    busy[id]--;
                queue.Done(id);
            }
        }, Stop)).ToList();
        Parallel.For(0, 1000, i => queue.Add(ids[i % ids.Count]));
        while (!queue.IsIdle)
            await Task.Delay(5, Stop);
        await end.CancelAsync();
        foreach (var task in taking)
            await Assert.ThrowsAnyAsync<OperationCanceledException>(() => task);
        Assert.InRange(seen, ids.Count, 1000);
    }
}
