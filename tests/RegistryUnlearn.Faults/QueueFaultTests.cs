using Azure.Core;
using Azure.Storage.Queues;
using RegistryUnlearn.Registry;
using RegistryUnlearn.Registry.Azure;
using RegistryUnlearn.Registry.Azure.Tests.Http;

namespace RegistryUnlearn.Faults;

/// <summary>
/// Every kind of request to a queue meets every kind of fault between a worker and the queue service, at its first attempt or at all. The
/// job is done once, and its message is gone in the end, if need be after it has come again. Half of them, evenly, in a short form; all of them
/// with <c>REGISTRY_UNLEARN_FAULT_RUNS=200</c>.
/// </summary>
public sealed class QueueFaultTests(QueueEmulator emulator) : IClassFixture<QueueEmulator>
{
    static readonly TimeSpan Patience = TimeSpan.FromMinutes(2);

    /// <summary>What is asked of a queue while a job is carried out.</summary>
    public enum Asked
    {
        Send,
        Receive,
        HoldOn,
        Delete,
        CreatePoison,
        SendPoison,
        Other,
    }

    static readonly Asked[] OfJob = [Asked.Send, Asked.Receive, Asked.HoldOn, Asked.Delete];
    static readonly Asked[] OfPoison = [Asked.Receive, Asked.CreatePoison, Asked.SendPoison, Asked.Delete];

    [Fact]
    public Task A_job_is_done_once_and_its_message_goes() => EachAsync(OfJob, async (asked, fault, lasts) =>
    {
        var what = $"{fault} {(lasts ? "of" : "at first of")} {asked}";
        var location = await emulator.NewQueueAsync();
        await using var site = await QueueSite.CreateAsync();
        var faults = new OneRequest(asked, fault, lasts);
        var faulty = QueueEmulator.Connect(location, faults.Transport);
        var job = await site.SubmitAsync();
        try
        {
            await faulty.SendAsync(job, CancellationToken.None);
        }
        catch (RegistryException e) when (lasts && asked is Asked.Send && e.Kind is RegistryErrorKind.Unavailable)
        {
            await faulty.SendAsync(job, CancellationToken.None);
        }
        // The job takes as long as it takes the worker to hold its message on once.
        await site.StartWorkerAsync("faulty", faulty, asked is Asked.HoldOn ? faults.Struck : null);
        await faults.Struck.WaitAsync(Patience);
        await site.StartWorkerAsync("whole", QueueEmulator.Connect(location));
        await UntilEmptyAsync(location, what);
        await site.AssertDoneOnceAsync(job, what);
        Assert.True(0 == await CountAsync(location.Poison), what);
    });

    [Fact]
    public Task What_nobody_can_use_is_put_aside_and_the_next_job_done() => EachAsync(OfPoison, async (asked, fault, lasts) =>
    {
        const string useless = "please forget me";
        var what = $"{fault} {(lasts ? "of" : "at first of")} {asked}, useless";
        var location = await emulator.NewQueueAsync();
        await using var site = await QueueSite.CreateAsync();
        var faults = new OneRequest(asked, fault, lasts);
        await QueueEmulator.ConnectQueue(location).SendMessageAsync(useless);
        await site.StartWorkerAsync("faulty", QueueEmulator.Connect(location, faults.Transport));
        await faults.Struck.WaitAsync(Patience);
        var job = await site.SubmitAsync();
        await QueueEmulator.Connect(location).SendAsync(job, CancellationToken.None);
        await site.StartWorkerAsync("whole", QueueEmulator.Connect(location));
        await UntilEmptyAsync(location, what);
        await site.AssertDoneOnceAsync(job, what);
        var aside = (await QueueEmulator.ConnectQueue(location.Poison).PeekMessagesAsync(32)).Value;
        Assert.True(aside.Length > 0 && aside.All(m => m.MessageText == useless), what);
    });

    /// <summary>
    /// Messages of one job of which one could not be deleted: the others are not kept, and the worker goes on receiving.
    /// </summary>
    [Fact]
    public async Task A_worker_keeps_no_message_of_a_job_that_has_ended()
    {
        var location = await emulator.NewQueueAsync();
        await using var site = await QueueSite.CreateAsync();
        var job = await site.SubmitAsync();
        var faults = new OneRequest(Asked.Delete, HttpFault.ErrorBeforeSend, lasts: true);
        var whole = QueueEmulator.Connect(location);
        await whole.SendAsync(job, CancellationToken.None);
        await whole.SendAsync(job, CancellationToken.None);
        await site.StartWorkerAsync("faulty", QueueEmulator.Connect(location, faults.Transport));
        await UntilEmptyAsync(location, "two messages of a job");
        await site.AssertDoneOnceAsync(job, "two messages of a job");
    }

    /// <summary>Until the queue holds nothing, be it seen or not.</summary>
    static async Task UntilEmptyAsync(QueueLocation location, string what)
    {
        for (var end = DateTime.UtcNow + Patience; await CountAsync(location) > 0; await Task.Delay(50))
            Assert.True(DateTime.UtcNow < end, $"{what}: messages are left");
    }

    static async Task<int> CountAsync(QueueLocation location)
    {
        QueueClient queue = QueueEmulator.ConnectQueue(location);
        return await queue.ExistsAsync() ? (await queue.GetPropertiesAsync()).Value.ApproximateMessagesCount : 0;
    }

    static Task EachAsync(Asked[] requests, Func<Asked, HttpFault, bool, Task> test)
    {
        var all = (from lasts in new[] { false, true }
                   from fault in Enum.GetValues<HttpFault>()
                   from asked in requests
                   select (asked, fault, lasts)).ToList();
        // Of every two one, and of the next two the other: each kind of request has its turn.
        var chosen = Extent.FaultRuns >= 200 ? all : all.Where((_, i) => i % 2 == i / 4 % 2);
        return Parallel.ForEachAsync(chosen, new ParallelOptions { MaxDegreeOfParallelism = 4 },
            async (row, _) => await test(row.asked, row.fault, row.lasts));
    }

    /// <summary>A fault of the first request of a kind; of its first attempt, or of all.</summary>
    sealed class OneRequest
    {
        readonly TaskCompletionSource struck = new(TaskCreationOptions.RunContinuationsAsynchronously);
        int number;

        public OneRequest(Asked asked, HttpFault fault, bool lasts) => Transport = new(attempt =>
        {
            if (KindOf(attempt.Request) != asked || (!lasts && attempt.Attempt > 0))
                return null;
            if (Interlocked.CompareExchange(ref number, attempt.Number, 0) is not 0 and var first && first != attempt.Number)
                return null;
            struck.TrySetResult();
            return fault;
        })
        {
            // Longer than a message is held.
            Delay = QueueSite.Hold * 1.3,
        };

        public FaultTransport Transport { get; }

        /// <summary>The fault has happened.</summary>
        public Task Struck => struck.Task;

        static Asked KindOf(Request request)
        {
            var parts = request.Uri.Path!.TrimEnd('/').Split('/');
            var isPoison = request.Uri.Path.Contains("-poison", StringComparison.Ordinal);
            return (request.Method.Method, parts.Contains("messages"), isPoison) switch
            {
                ("POST", true, false) => Asked.Send,
                ("GET", true, false) => Asked.Receive,
                ("PUT", true, false) => Asked.HoldOn,
                ("DELETE", true, false) => Asked.Delete,
                ("PUT", false, true) => Asked.CreatePoison,
                ("POST", true, true) => Asked.SendPoison,
                _ => Asked.Other,
            };
        }
    }
}
