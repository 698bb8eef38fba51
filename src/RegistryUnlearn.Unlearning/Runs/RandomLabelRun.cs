using RegistryUnlearn.Training.Buffers;
using RegistryUnlearn.Unlearning.Data;
using RegistryUnlearn.Unlearning.Methods;

namespace RegistryUnlearn.Unlearning.Runs;

/// <summary>
/// Trains by cross-entropy on retained samples and, with random labels other than their own, on samples to forget. The labels are drawn
/// anew in every pass over the samples to forget.
/// </summary>
sealed class RandomLabelRun : StoppedRun
{
    readonly float forgetWeight;
    readonly Subset forget;
    readonly TensorBlock forgetGradient;
    readonly CrossEntropyGradient onRetained, onForget;
    readonly CyclicBatches retainedBatches, forgetBatches;

    /// <summary>What the direction is multiplied with, element by element; null for 1.</summary>
    readonly TensorBlock? factors;

    /// <param name="forgetWeight">Of the mean loss on samples to forget, beside that on retained ones.</param>
    /// <param name="damp">Writes what the direction is multiplied with; null for no such factors.</param>
    public RandomLabelRun(
        UnlearningTask task, int steps, int batch, float forgetWeight, OptimizerOptions optimizer, StopOptions stop,
        Action<TensorBlock>? damp = null) : base(task, steps, optimizer, stop)
    {
        this.forgetWeight = forgetWeight;
        forget = task.Forget ?? throw new ArgumentException("the task has no samples to forget", nameof(task));
        try
        {
            forgetGradient = new TensorBlock(task.Original.Layout, task.Device);
            onRetained = new CrossEntropyGradient(task, Parameters, Direction);
            onForget = new CrossEntropyGradient(task, Parameters, forgetGradient);
            retainedBatches = new CyclicBatches(task.Retained, task.Batch(batch), task.Seed, "retained");
            forgetBatches = new CyclicBatches(forget, task.Batch(batch), task.Seed, "forget");
            if (damp is null)
                return;
            factors = new TensorBlock(task.Original.Layout, task.Device);
            Change(factors, damp);
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    protected override StepTrace ComputeDirection()
    {
        var remember = onRetained.Run(Task.Retained.Data, retainedBatches.At(Step));
        int[] rows = [.. forgetBatches.At(Step)];
        var forgetting = onForget.Run(forget.Data, rows, labels => Relabel(rows, labels));
        Algebra.Mix(Direction, 1, forgetGradient, forgetWeight);
        if (factors is not null)
            Algebra.Multiply(Direction, factors);
        return new(remember, forgetting, null, null, null);
    }

    /// <summary>Every label but the sample's own with equal chance; positions without a label stay so.</summary>
    void Relabel(int[] rows, Span<long> labels)
    {
        var pass = (long)Step * rows.Length / forget.Count;
        var perSample = labels.Length / rows.Length;
        for (var i = 0; i < rows.Length; i++)
        {
            var rng = Rng.For(Task.Seed, $"relabel/{pass}", rows[i]);
            foreach (ref var label in labels.Slice(i * perSample, perSample))
            {
                var step = 1 + rng.NextInt32(Task.Classes - 1);
                if (label >= 0)
                    label = (label + step) % Task.Classes;
            }
        }
    }

    public override void Dispose()
    {
        onRetained?.Dispose();
        onForget?.Dispose();
        forgetGradient?.Dispose();
        factors?.Dispose();
        base.Dispose();
    }
}
