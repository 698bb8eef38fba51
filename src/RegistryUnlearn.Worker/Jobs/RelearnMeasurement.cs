using RegistryUnlearn.Auditing;
using RegistryUnlearn.Training.Buffers;
using RegistryUnlearn.Unlearning.Data;
using RegistryUnlearn.Unlearning.Probes;

namespace RegistryUnlearn.Worker.Jobs;

/// <summary>
/// Measures how fast models learn the forget set again, against unseen samples of the same true classes under the same labels. Both sides
/// are taught up to the loss that the original has on its side's forget samples.
/// </summary>
sealed class RelearnMeasurement : IDisposable
{
    /// <summary>Share of the original's loss on unseen samples below which the loss to be reached does not go: it takes too long.</summary>
    const double LeastTarget = 0.1;

    readonly RelearnProbe probe;
    readonly RelearnSamples forget, control;
    readonly double target;

    RelearnMeasurement(PreparedJob job, RelearnProbe probe, RelearnSamples forget, RelearnSamples control)
    {
        (this.probe, this.forget, this.control) = (probe, forget, control);
        var original = job.Task.Original;
        target = Math.Max(probe.Loss(original, forget), LeastTarget * probe.Loss(original, control));
    }

    /// <summary>Null where no unseen sample is of a class of the forget set.</summary>
    public static RelearnMeasurement? Of(PreparedJob job)
    {
        var unseen = job.AuditSets.GetValueOrDefault(AuditSets.Test) ?? job.AuditSets.GetValueOrDefault(AuditSets.Holdout);
        var forgotten = job.Task.Forget!;
        if (unseen is null)
            return null;
        var pairs = Pairs(forgotten, unseen, job.Task.Seed);
        if (pairs.Count == 0)
            return null;
        var probe = new RelearnProbe(job.Task);
        var count = probe.Take(pairs.Count);
        int[] ours = [.. Enumerable.Range(0, count).Select(i => pairs[i % pairs.Count].Forget)];
        int[] theirs = [.. Enumerable.Range(0, count).Select(i => pairs[i % pairs.Count].Unseen)];
        // Labels by position belong to their own sample; single labels are those that the forget samples were trained with.
        var labels = LabelsOf(forgotten.Data, ours);
        return new(job, probe, new(forgotten.Data, ours, labels),
            new(unseen.Data, theirs, forgotten.Data.LabelSize == 1 ? labels : LabelsOf(unseen.Data, theirs)));
    }

    /// <summary>Null when a training diverged, or when there was nothing to be learned again.</summary>
    public RelearnTime? Measure(TensorBlock parameters) =>
        target > 0 && probe.Steps(parameters, forget, target) is { } steps && probe.Steps(parameters, control, target) is { } others
            ? new(steps, others, forget.Rows.Distinct().Count())
            : null;

    public void Dispose() => probe.Dispose();

    /// <summary>Forget samples in random order, each with an unseen one of its true class that no other has.</summary>
    static List<(int Forget, int Unseen)> Pairs(Subset forget, Subset unseen, ulong seed)
    {
        int[] ours = forget.Rows.ToArray(), theirs = unseen.Rows.ToArray();
        Rng.For(seed, "relearn/forget", 0).Shuffle(ours.AsSpan());
        Rng.For(seed, "relearn/control", 0).Shuffle(theirs.AsSpan());
        var free = theirs.GroupBy(row => Class(unseen.Data, row)).ToDictionary(g => g.Key, g => new Queue<int>(g));
        var pairs = new List<(int, int)>();
        foreach (var row in ours)
            if (free.TryGetValue(Class(forget.Data, row), out var left) && left.TryDequeue(out var other))
                pairs.Add((row, other));
        return pairs;

        static long Class(DataSet data, int row) => data.LabelSize == 1 ? data.TrueLabels[row] : 0;
    }

    static long[] LabelsOf(DataSet data, int[] rows)
    {
        var labels = new long[rows.Length * data.LabelSize];
        for (var i = 0; i < rows.Length; i++)
            data.LabelsOf(rows[i]).CopyTo(labels.AsSpan(i * data.LabelSize));
        return labels;
    }
}
