using System.Globalization;
using RegistryUnlearn.Registry;
using RegistryUnlearn.Worker.Jobs;

namespace RegistryUnlearn.Worker.Maintenance;

/// <summary>Finds and removes what ended jobs and killed workers left, in the registry and on this machine.</summary>
public sealed class Housekeeping(IObjectStore store, TimeProvider clock, JobOptions options)
{
    /// <summary>Kept by default: more than any job should stand still.</summary>
    public static readonly TimeSpan DefaultGrace = TimeSpan.FromDays(7);

    /// <summary>Removing writes a line to the audit log; local copies of jobs that run here are not touched.</summary>
    /// <inheritdoc cref="GarbageCollector.CollectAsync"/>
    public async Task<IReadOnlyList<Garbage>> CollectAsync(TimeSpan grace, bool delete, CancellationToken cancellation = default)
    {
        var collector = new GarbageCollector(store, new JobStore(store, clock), clock);
        var found = new List<Garbage>(await collector.CollectAsync(grace, delete, cancellation));
        foreach (var (path, files, bytes) in WorkFolder.Abandoned(options.WorkFolder, delete))
            found.Add(new("local copies", path, "the worker that made them is gone", files, bytes));
        if (delete && found.Count > 0)
        {
            var details = new Dictionary<string, string>
            {
                ["objects"] = found.Sum(g => g.Objects).ToString(CultureInfo.InvariantCulture),
                ["bytes"] = found.Sum(g => g.Bytes).ToString(CultureInfo.InvariantCulture),
            };
            await new AuditLog(store).AppendAsync(new(clock.GetUtcNow(), "collected", "garbage", details), cancellation);
        }
        return found;
    }
}
