using Microsoft.Extensions.Logging;
using RegistryUnlearn.Registry;
using RegistryUnlearn.Registry.Azure;

namespace RegistryUnlearn.Worker.Hosting.Sources;

/// <summary>
/// Hints from a Storage Queue. A message is held, and its hold renewed, while its job is at work here; deleted when the job has ended;
/// handed back when another worker has the job. Messages that say nothing, or that were handed out too often, go to the poison queue.
/// </summary>
public sealed class QueueSource(HintQueue messages, int concurrency, TimeProvider clock, ILogger<QueueSource> logger) : IJobSource
{
    /// <summary>Deliveries after which a message is not tried again (the default of Azure Functions).</summary>
    public const int MaxDeliveries = 5;

    readonly SemaphoreSlim gate = new(1);
    readonly Dictionary<string, Held> held = [];
    bool waits = true;

    /// <summary>How long others wait for a message of this worker that it says no more about. <value>60 seconds.</value></summary>
    public TimeSpan Hold { get; init; } = TimeSpan.FromSeconds(60);

    /// <summary>Between two looks into an empty queue. <value>2 seconds.</value></summary>
    public TimeSpan Pause { get; init; } = TimeSpan.FromSeconds(2);

    public async Task RunAsync(ReconcileQueue queue, bool once, CancellationToken stop)
    {
        waits = !once;
        using var end = CancellationTokenSource.CreateLinkedTokenSource(stop);
        var renewing = RenewAsync(end.Token);
        try
        {
            while (!stop.IsCancellationRequested)
            {
                var received = await TryReceiveAsync(queue, stop);
                if (received is 0 && once && held.Count is 0)
                    return;
                if (received is 0)
                    await Task.Delay(Pause, clock, stop);
            }
        }
        finally
        {
            await end.CancelAsync();
            await renewing;
            await HandBackAsync();
        }
    }

    public async Task LookedAtAsync(JobId job, ReconcileResult result, CancellationToken cancellation)
    {
        if (waits && result is ReconcileResult.RetryAfter { Reason: not ("held" or "taken-over" or "lease-lost") })
            return;
        await gate.WaitAsync(cancellation);
        try
        {
            foreach (var one in held.Values.Where(h => h.Jobs.Contains(job)).ToList())
                await TellAsync(one, job, result, cancellation);
        }
        finally
        {
            gate.Release();
        }
    }

    /// <summary>A message that the service does not take back comes again by itself; the others of the job are told all the same.</summary>
    async Task TellAsync(Held one, JobId job, ReconcileResult result, CancellationToken cancellation)
    {
        try
        {
            if (result is ReconcileResult.RetryAfter retry)
                await ReleaseAsync(one, retry.Delay, cancellation);
            else if (one.Jobs.Remove(job) && one.Jobs.Count is 0)
                await EndAsync(one, result is ReconcileResult.Terminal { Reason: "poison" }, cancellation);
        }
        catch (RegistryException e)
        {
            logger.LogWarning("A message could not be ended and will come back by itself: {Message}", e.Message);
        }
    }

    /// <summary>Receives no more than this worker can work on soon, so that the rest stays for others.</summary>
    async Task<int> TryReceiveAsync(ReconcileQueue queue, CancellationToken stop)
    {
        await gate.WaitAsync(stop);
        try
        {
            var room = concurrency - held.Count;
            if (room <= 0)
                return 0;
            var received = await messages.ReceiveAsync(room, Hold, stop);
            foreach (var message in received)
                await TryTakeAsync(message, queue, stop);
            return received.Count;
        }
        catch (RegistryException e)
        {
            logger.LogWarning("The queue could not be read: {Message}", e.Message);
            return 0;
        }
        finally
        {
            gate.Release();
        }
    }

    /// <summary>One that could not be moved or deleted comes again; those that came with it are taken.</summary>
    async Task TryTakeAsync(HeldMessage message, ReconcileQueue queue, CancellationToken stop)
    {
        try
        {
            await TakeAsync(message, queue, stop);
        }
        catch (RegistryException e)
        {
            logger.LogWarning("A message could not be put aside and will come back by itself: {Message}", e.Message);
        }
    }

    async Task TakeAsync(HeldMessage message, ReconcileQueue queue, CancellationToken stop)
    {
        JobHints hints;
        try
        {
            hints = JobHints.Parse(message.Body.Span);
        }
        catch (FormatException e)
        {
            logger.LogError("Message {Message} goes to the poison queue: {Reason}", message.Id, e.Message);
            await messages.PoisonAsync(message, stop);
            return;
        }
        using var lines = logger.BeginScope(ScopeOf(hints.Jobs));
        if (message.Deliveries > MaxDeliveries)
        {
            logger.LogError(
                "Message {Message} goes to the poison queue: it was handed out {Deliveries} times; the listing still finds its job",
                message.Id, message.Deliveries - 1);
            await messages.PoisonAsync(message, stop);
        }
        else if (hints.Jobs.Count is 0)
            await messages.DeleteAsync(message, stop);
        else
        {
            held[message.Id] = new(message, [.. hints.Jobs]);
            foreach (var job in hints.Jobs)
                queue.Add(job);
        }
    }

    async Task RenewAsync(CancellationToken stop)
    {
        try
        {
            while (true)
            {
                await Task.Delay(Hold / 3, clock, stop);
                await gate.WaitAsync(stop);
                try
                {
                    foreach (var one in held.Values.ToList())
                        await RenewAsync(one, stop);
                }
                finally
                {
                    gate.Release();
                }
            }
        }
        catch (OperationCanceledException)
        {
            // The worker stops.
        }
    }

    async Task RenewAsync(Held one, CancellationToken stop)
    {
        using var lines = logger.BeginScope(ScopeOf(one.Jobs));
        try
        {
            if (await messages.HoldAsync(one.Message, Hold, stop) is { } renewed)
                held[one.Message.Id] = one with { Message = renewed };
            else
                held.Remove(one.Message.Id);
        }
        catch (RegistryException e)
        {
            logger.LogWarning("A message could not be held on and may reach another worker: {Message}", e.Message);
        }
    }

    async Task ReleaseAsync(Held one, TimeSpan delay, CancellationToken cancellation)
    {
        held.Remove(one.Message.Id);
        await messages.HoldAsync(one.Message, delay, cancellation);
    }

    async Task EndAsync(Held one, bool isPoison, CancellationToken cancellation)
    {
        held.Remove(one.Message.Id);
        await (isPoison ? messages.PoisonAsync(one.Message, cancellation) : messages.DeleteAsync(one.Message, cancellation));
    }

    /// <summary>A worker that stops leaves its messages to the others at once.</summary>
    async Task HandBackAsync()
    {
        await gate.WaitAsync();
        try
        {
            foreach (var one in held.Values.ToList())
                await TryReleaseAsync(one);
        }
        finally
        {
            gate.Release();
        }
    }

    async Task TryReleaseAsync(Held one)
    {
        using var lines = logger.BeginScope(ScopeOf(one.Jobs));
        try
        {
            await ReleaseAsync(one, TimeSpan.Zero, CancellationToken.None);
        }
        catch (RegistryException e)
        {
            logger.LogWarning("A message could not be handed back and will come back by itself: {Message}", e.Message);
        }
    }

    static JobScope ScopeOf(IEnumerable<JobId> jobs) => new(string.Join(' ', jobs));

    /// <param name="Jobs">Those that have not ended.</param>
    sealed record Held(HeldMessage Message, HashSet<JobId> Jobs);
}
