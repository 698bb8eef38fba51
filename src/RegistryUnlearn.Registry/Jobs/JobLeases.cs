using System.Collections.Concurrent;

namespace RegistryUnlearn.Registry;

/// <summary>Who works on which job; see <see cref="Leases"/>. Thread-safe.</summary>
/// <param name="holder">Name of this worker, different from that of any other.</param>
public sealed class JobLeases(IObjectStore store, TimeProvider clock, string holder)
{
    readonly Leases leases = new(store, clock, holder);

    /// <inheritdoc cref="Leases.TryAcquireAsync"/>
    public Task<LeaseAnswer> TryAcquireAsync(JobId job, TimeSpan duration, CancellationToken cancellation = default) =>
        leases.TryAcquireAsync(RegistryLayout.JobLease(job), duration, cancellation);

    /// <summary>Removes the lease of a job that has ended, whoever left it; harmless when there is none.</summary>
    public Task RemoveAsync(JobId job, CancellationToken cancellation = default) =>
        store.DeleteAsync(RegistryLayout.JobLease(job), cancellation);
}

/// <summary>
/// Who works on what, so that workers do not do the same work twice. A lease protects nothing: whatever is written is safe without
/// it. A lease that does not change for its duration, on the clock of whoever watches it, has lost its holder; no two clocks are compared.
/// Thread-safe.
/// </summary>
sealed class Leases(IObjectStore store, TimeProvider clock, string holder)
{
    readonly ConcurrentDictionary<string, Sighting> seen = new();

    /// <summary>Takes the lease if it is free, was given back, is this worker's or has lost its holder.</summary>
    /// <param name="duration">How long the lease lasts unless it is renewed.</param>
    public async Task<LeaseAnswer> TryAcquireAsync(string path, TimeSpan duration, CancellationToken cancellation = default)
    {
        var start = clock.GetTimestamp();
        var stored = await store.ReadAsync(path, cancellation);
        var last = stored is null ? null : RegistryJson.Deserialize<LeaseRecord>(stored.Content.Span, path);
        if (last is { Holder: { } other } && other != holder && Remaining(path, stored!.ETag, last) is { Ticks: > 0 } remaining)
            return new LeaseAnswer.Held(other, remaining);
        var next = new LeaseRecord((last?.Term ?? 0) + 1, 0, duration.TotalSeconds, holder);
        var bytes = RegistryJson.Serialize(next);
        if (await store.WriteOrFindAsync(path, bytes, stored?.ETag, cancellation) is not { } tag)
            return new LeaseAnswer.Held("another worker", duration);
        seen.TryRemove(path, out _);
        return new LeaseAnswer.Acquired(new JobLease(store, clock, path, next, tag, start));
    }

    /// <summary>How long the lease must still stand unchanged before it counts as lost.</summary>
    TimeSpan Remaining(string path, ETag tag, LeaseRecord record)
    {
        var sighting = seen.AddOrUpdate(path,
            _ => new(tag, clock.GetTimestamp()),
            (_, known) => known.ETag == tag ? known : new(tag, clock.GetTimestamp()));
        return TimeSpan.FromSeconds(record.Seconds) - clock.GetElapsedTime(sighting.Since);
    }

    readonly record struct Sighting(ETag ETag, long Since);
}

/// <summary>The answer to the wish for a lease.</summary>
public abstract record LeaseAnswer
{
    LeaseAnswer()
    {
    }

    public sealed record Acquired(JobLease Lease) : LeaseAnswer;

    /// <param name="For">When it is worth asking again.</param>
    public sealed record Held(string By, TimeSpan For) : LeaseAnswer;
}

/// <summary>A lease that this worker holds. Not thread-safe: one thread renews and gives back.</summary>
public sealed class JobLease
{
    readonly IObjectStore store;
    readonly TimeProvider clock;
    readonly string path;
    LeaseRecord record;
    ETag tag;
    long renewed;

    internal JobLease(IObjectStore store, TimeProvider clock, string path, LeaseRecord record, ETag tag, long renewed) =>
        (this.store, this.clock, this.path, this.record, this.tag, this.renewed) = (store, clock, path, record, tag, renewed);

    /// <summary>Until when nobody else can have taken the lease, from now.</summary>
    public TimeSpan Remaining => TimeSpan.FromSeconds(record.Seconds) - clock.GetElapsedTime(renewed);

    /// <summary>Extends the lease by its duration; false when another worker has it.</summary>
    public async Task<bool> RenewAsync(CancellationToken cancellation = default)
    {
        var start = clock.GetTimestamp();
        var next = record with { Renewal = record.Renewal + 1 };
        if (await store.ReplaceOrFindAsync(path, RegistryJson.Serialize(next), tag, cancellation) is not { } replaced)
            return false;
        (record, tag, renewed) = (next, replaced, start);
        return true;
    }

    /// <summary>Removes the lease of a job that has ended.</summary>
    public Task EndAsync(CancellationToken cancellation = default) => store.DeleteAsync(path, cancellation);

    /// <summary>Gives the lease back, so that another worker need not wait for its end. Harmless when it was lost.</summary>
    public async Task ReleaseAsync(CancellationToken cancellation = default)
    {
        var free = record with { Holder = null, Renewal = record.Renewal + 1 };
        await store.ReplaceOrFindAsync(path, RegistryJson.Serialize(free), tag, cancellation);
    }
}

/// <param name="Term">Counts the acquisitions.</param>
/// <param name="Renewal">Counts the changes within a term, so that each changes the object.</param>
/// <param name="Seconds">How long the lease lasts after a renewal.</param>
/// <param name="Holder">Null when it was given back.</param>
sealed record LeaseRecord(long Term, long Renewal, double Seconds, string? Holder = null);
