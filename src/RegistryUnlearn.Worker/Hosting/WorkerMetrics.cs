using System.Diagnostics;
using System.Diagnostics.Metrics;
using RegistryUnlearn.Worker.Hosting.Progress;

namespace RegistryUnlearn.Worker.Hosting;

/// <summary>
/// What an operator watches, under the meter and the activity source <see cref="Name"/>. Durations and ages in seconds. Attributes hold
/// words of a small set, never ids.
/// </summary>
public sealed class WorkerMetrics : IDisposable
{
    public const string Name = "RegistryUnlearn.Worker";

    readonly Meter meter = new(Name);
    readonly Counter<long> reconciles;
    readonly Histogram<double> duration;
    readonly UpDownCounter<int> active;
    readonly Counter<long> leaseLosses;
    readonly Counter<long> conflicts;

    public WorkerMetrics(ReconcileQueue queue, JobFeed feed)
    {
        reconciles = meter.CreateCounter<long>("registry_unlearn.reconcile", "{look}", "Looks at jobs, by result and reason.");
        duration = meter.CreateHistogram<double>("registry_unlearn.reconcile.duration", "s", "Time a look took, by result.");
        active = meter.CreateUpDownCounter<int>("registry_unlearn.worker.active", "{job}", "Jobs that are looked at right now.");
        leaseLosses = meter.CreateCounter<long>("registry_unlearn.lease.losses", "{loss}", "Jobs lost to another worker while working.");
        conflicts = meter.CreateCounter<long>("registry_unlearn.registry.conflicts", "{conflict}",
            "Conditional writes that someone else had been faster with.");
        meter.CreateObservableGauge("registry_unlearn.queue.length", () => queue.Waiting.Count, "{job}", "Jobs that wait for a look.");
        meter.CreateObservableGauge("registry_unlearn.queue.age", () => queue.Waiting.Age.TotalSeconds, "s",
            "How long the first waiting job has waited.");
        meter.CreateObservableGauge("registry_unlearn.checkpoint.age",
            () => feed.Live.Select(j => j.CheckpointAge.TotalSeconds).DefaultIfEmpty(0).Max(), "s",
            "Work that a crash would cost now, the most of all jobs at work.");
        meter.CreateObservableCounter("registry_unlearn.steps", () => feed.StepsTaken, "{step}",
            "Steps taken by methods; its rate is the speed.");
    }

    /// <summary>One activity per look at a job.</summary>
    public static ActivitySource Activities { get; } = new(Name);

    public void Began() => active.Add(1);

    public void Ended(ReconcileResult? result, TimeSpan took)
    {
        active.Add(-1);
        var (word, reason) = result switch
        {
            ReconcileResult.Done => ("done", "done"),
            ReconcileResult.RetryAfter retry => ("retry", retry.Reason),
            ReconcileResult.Terminal terminal => ("terminal", terminal.Reason),
            _ => ("error", "registry"),
        };
        reconciles.Add(1, new KeyValuePair<string, object?>("result", word), new KeyValuePair<string, object?>("reason", reason));
        duration.Record(took.TotalSeconds, new KeyValuePair<string, object?>("result", word));
    }

    public void LeaseLost() => leaseLosses.Add(1);

    public void Conflict() => conflicts.Add(1);

    public void Dispose() => meter.Dispose();
}
