using System.Collections.Concurrent;
using RegistryUnlearn.Registry;

namespace RegistryUnlearn.Worker.Hosting.Progress;

/// <summary>
/// What jobs are doing: those of this worker from memory, those of others from what they last wrote into the registry. Thread-safe.
/// </summary>
public sealed class JobFeed(JobStore jobs, TimeProvider clock)
{
    readonly ConcurrentDictionary<JobId, LiveJob> live = new();
    readonly JobProgressStore stored = new(jobs);

    long stepsOfEnded;

    /// <summary>Steps of all attempts of this worker so far.</summary>
    public long StepsTaken => Interlocked.Read(ref stepsOfEnded) + live.Values.Sum(j => j.StepsTaken);

    /// <summary>Jobs that this worker is working on.</summary>
    public IReadOnlyCollection<LiveJob> Live => [.. live.Values];

    /// <summary>Begins to tell of an attempt, until it is disposed of.</summary>
    public LiveJob Begin(JobState state, string worker)
    {
        var job = new LiveJob(state.JobId, state.Attempt + 1, worker, stored, clock, End);
        live[state.JobId] = job;
        return job;
    }

    void End(LiveJob ended)
    {
        if (live.TryRemove(new(ended.Job, ended)))
            Interlocked.Add(ref stepsOfEnded, ended.StepsTaken);
    }

    /// <summary>How far a job has come; null when nobody has told yet.</summary>
    public async Task<JobProgressDocument?> ReadAsync(JobId job, CancellationToken cancellation = default) =>
        live.TryGetValue(job, out var own) ? own.ToDocument() : await stored.ReadAsync(job, cancellation);
}
