using RegistryUnlearn.Training.Evaluation;
using RegistryUnlearn.Training.Runtime;
using RegistryUnlearn.Unlearning.Data;

namespace RegistryUnlearn.Unlearning.Methods.Ltu;

/// <summary>
/// Remembering batches: retained samples with their labels, and the preservation pool, in which the original's logits are the target:
/// retained and reference samples as they are, and moved views of reference, retained and forget samples.
/// </summary>
sealed class RememberBatches
{
    readonly UnlearningTask task;
    readonly Evaluator original;
    readonly PoolSource kept, reference;
    readonly PoolSource[] moved;
    readonly IReadOnlyList<View> views;
    readonly int retained, pool, perSource;
    readonly float preservation;

    /// <summary>Whether the pool has weight and the original's answers on it are in memory; else they are asked for again.</summary>
    readonly bool known;

    /// <param name="kept">The retained samples of the task.</param>
    /// <param name="reference">Samples never trained on that the original gets right.</param>
    /// <param name="moved">Sources of views; a source of one sample or more.</param>
    /// <param name="views">The views; not empty where there are sources.</param>
    public RememberBatches(
        UnlearningTask task, LtuOptions options, Evaluator original, OriginalAnswers kept, PoolSource reference, PoolSource[] moved,
        IReadOnlyList<View> views)
    {
        (this.task, this.original, this.reference, this.moved, this.views) = (task, original, reference, moved, views);
        this.kept = new(kept.Samples, kept);
        retained = options.Part(options.RetainedBatch);
        var pooled = options.Preservation is Preservation.Pool && options.PreservationWeight > 0;
        preservation = pooled ? options.PreservationWeight : 0;
        pool = pooled ? options.Part(options.HoldoutBatch) : 0;
        perSource = pooled ? options.Part(options.ViewBatch) : 0;
        known = preservation > 0 && kept.AreKept && reference.Answers.AreKept && moved.All(m => m.Answers.AreKept);
    }

    /// <summary>Samples in a batch.</summary>
    public int Size => retained + pool + perSource * moved.Length;

    /// <summary>Fills the batch with the given prefix; a function of (seed, step, prefix).</summary>
    /// <param name="rows">Rows of the retained samples, as many as a batch takes.</param>
    public void Fill(BoundStep step, string prefix, ReadOnlySpan<int> rows, int at)
    {
        var inputs = step[prefix + "input"].Inputs;
        var labels = step[prefix + LtuLosses.Labels].Longs;
        int size = task.Retained.Data.SampleSize, labelSize = task.Retained.Data.LabelSize;
        task.Retained.Data.Fill(rows, inputs[..(retained * size)], labels[..(retained * labelSize)]);
        labels[(retained * labelSize)..].Clear();
        var rng = Rng.For(task.Seed, "remember/" + prefix, at);
        var next = retained;
        var wanted = preservation > 0 ? step[prefix + LtuLosses.Reference].Floats : [];
        var width = wanted.Length / Size;
        for (var i = 0; i < retained && known; i++)
            kept.Answers.Copy(rows[i], null, wanted.Slice(i * width, width));
        for (var i = 0; i < pool; i++, next++)
        {
            var drawn = rng.NextInt32(reference.Samples.Count);
            reference.Samples.Fill(drawn, inputs.Slice(next * size, size));
            // Labels have no weight in the pool; those of positions say which of them count.
            if (labelSize > 1)
                reference.Samples.LabelsOf(drawn).CopyTo(labels[(next * labelSize)..]);
            if (known)
                reference.Answers.Copy(reference.Samples.RowOf(drawn), null, wanted.Slice(next * width, width));
        }
        foreach (var source in moved)
        {
            for (var i = 0; i < perSource; i++, next++)
            {
                var (drawn, view) = (rng.NextInt32(source.Samples.Count), views[rng.NextInt32(views.Count)]);
                source.Samples.Fill(drawn, view, inputs.Slice(next * size, size));
                if (known)
                    source.Answers.Copy(source.Samples.RowOf(drawn), view, wanted.Slice(next * width, width));
            }
        }
        SetWeights(step, prefix);
        if (preservation > 0 && !known)
            SetReference(step, prefix, size);
    }

    void SetWeights(BoundStep step, string prefix)
    {
        Span<float> label = step[prefix + LtuLosses.LabelWeights].Floats, distance = step[prefix + LtuLosses.ReferenceWeights].Floats;
        label.Clear();
        label[..retained].Fill(1f / retained);
        distance[..retained].Fill(preservation / retained);
        if (pool > 0)
            distance.Slice(retained, pool).Fill(preservation / pool);
        if (perSource > 0)
            distance[(retained + pool)..].Fill(preservation / (perSource * moved.Length));
    }

    void SetReference(BoundStep step, string prefix, int size)
    {
        var inputs = step[prefix + "input"];
        var target = step[prefix + LtuLosses.Reference].Floats;
        original.Logits(Size, (start, rows) => inputs.Inputs.Slice(start * size, rows.Length).CopyTo(rows), target);
    }
}

/// <summary>Samples of the preservation pool, with what the original says of the subset that they are from.</summary>
sealed record PoolSource(SampleSource Samples, OriginalAnswers Answers);
