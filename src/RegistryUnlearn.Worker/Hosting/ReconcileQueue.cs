using RegistryUnlearn.Registry;

namespace RegistryUnlearn.Worker.Hosting;

/// <summary>
/// Ids of jobs to look at. An id waits at most once, and is never handed out twice at the same time: one that comes while it is worked on
/// is handed out again afterwards. Thread-safe.
/// </summary>
public sealed class ReconcileQueue(TimeProvider clock) : IDisposable
{
    readonly Lock gate = new();
    readonly Queue<JobId> order = new();
    readonly Dictionary<JobId, long> waiting = [];
    readonly HashSet<JobId> taken = [];
    readonly HashSet<JobId> again = [];
    readonly Dictionary<JobId, ITimer> delayed = [];
    readonly SemaphoreSlim ready = new(0);
    bool disposed;

    /// <summary>Nothing waits and nothing is worked on; what is put off does not count.</summary>
    public bool IsIdle
    {
        get
        {
            lock (gate)
                return waiting.Count == 0 && taken.Count == 0;
        }
    }

    /// <summary>Something is handed out and not done.</summary>
    public bool IsAtWork
    {
        get
        {
            lock (gate)
                return taken.Count > 0;
        }
    }

    /// <summary>How many ids wait, and how long the first of them has waited.</summary>
    public (int Count, TimeSpan Age) Waiting
    {
        get
        {
            lock (gate)
                return (waiting.Count, order.TryPeek(out var first) ? clock.GetElapsedTime(waiting[first]) : TimeSpan.Zero);
        }
    }

    public void Add(JobId job)
    {
        lock (gate)
        {
            if (disposed)
                return;
            if (delayed.Remove(job, out var timer))
                timer.Dispose();
            if (taken.Contains(job))
                again.Add(job);
            else if (waiting.TryAdd(job, clock.GetTimestamp()))
            {
                order.Enqueue(job);
                ready.Release();
            }
        }
    }

    /// <summary>Adds an id later, unless it is added before.</summary>
    public void AddAfter(JobId job, TimeSpan delay)
    {
        lock (gate)
        {
            if (disposed || waiting.ContainsKey(job))
                return;
            if (delayed.Remove(job, out var timer))
                timer.Dispose();
            delayed[job] = clock.CreateTimer(_ => Add(job), null, delay < TimeSpan.Zero ? TimeSpan.Zero : delay, Timeout.InfiniteTimeSpan);
        }
    }

    /// <summary>Waits for the next id; whoever takes it says <see cref="Done"/>.</summary>
    public async Task<JobId> TakeAsync(CancellationToken cancellation)
    {
        await ready.WaitAsync(cancellation);
        lock (gate)
        {
            var job = order.Dequeue();
            waiting.Remove(job);
            taken.Add(job);
            return job;
        }
    }

    public void Done(JobId job)
    {
        lock (gate)
        {
            taken.Remove(job);
            if (again.Remove(job))
                Add(job);
        }
    }

    public void Dispose()
    {
        lock (gate)
        {
            disposed = true;
            foreach (var timer in delayed.Values)
                timer.Dispose();
            delayed.Clear();
        }
        ready.Dispose();
    }
}
