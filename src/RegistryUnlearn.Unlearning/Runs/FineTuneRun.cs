using RegistryUnlearn.Training.Buffers;
using RegistryUnlearn.Unlearning.Data;
using RegistryUnlearn.Unlearning.Methods;

namespace RegistryUnlearn.Unlearning.Runs;

/// <summary>Trains on retained samples by cross-entropy; methods differ in what they do to the parameters before, and to the gradient.</summary>
sealed class FineTuneRun : StoppedRun
{
    readonly CrossEntropyGradient gradient;
    readonly CyclicBatches batches;

    /// <summary>What the gradient is multiplied with, element by element; null for 1.</summary>
    readonly TensorBlock? factors;

    readonly float sparsity;

    /// <param name="prepare">Changes the parameters before the first step; they are in the host's memory.</param>
    /// <param name="damp">
    /// Writes what the gradient is multiplied with, which is 1 at first; 0 keeps a parameter as it is. Null for no such factors.
    /// </param>
    /// <param name="sparsity">Weight of ‖θ‖₁ beside the loss at the first step; it falls to zero along a line.</param>
    public FineTuneRun(
        UnlearningTask task, int steps, int batch, OptimizerOptions optimizer, StopOptions stop, Action<TensorBlock>? prepare = null,
        Action<TensorBlock>? damp = null, float sparsity = 0) : base(task, steps, optimizer, stop)
    {
        this.sparsity = sparsity;
        try
        {
            gradient = new CrossEntropyGradient(task, Parameters, Direction);
            batches = new CyclicBatches(task.Retained, task.Batch(batch), task.Seed, "finetune");
            if (prepare is not null)
                Change(Parameters, prepare);
            if (damp is null)
                return;
            factors = new TensorBlock(task.Original.Layout, task.Device);
            Change(factors, block =>
            {
                for (var i = 0; i < block.TensorCount; i++)
                    block[i].Fill(1);
                damp(block);
            });
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    /// <summary>Factors that leave everything beside the chosen parameters as it is.</summary>
    public static Action<TensorBlock> Only(IReadOnlySet<int> chosen) => factors =>
    {
        for (var i = 0; i < factors.TensorCount; i++)
            if (!chosen.Contains(i))
                factors[i].Clear();
    };

    protected override StepTrace ComputeDirection()
    {
        var loss = gradient.Run(Task.Retained.Data, batches.At(Step));
        if (factors is not null)
            Algebra.Multiply(Direction, factors);
        if (sparsity > 0)
            Algebra.AddSigns(Direction, Parameters, sparsity * (1 - (float)Step / Steps));
        return new(loss, null, null, null, null);
    }

    public override void Dispose()
    {
        gradient?.Dispose();
        factors?.Dispose();
        base.Dispose();
    }
}
