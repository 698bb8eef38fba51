using RegistryUnlearn.Training.Buffers;
using RegistryUnlearn.Unlearning.Data;
using RegistryUnlearn.Unlearning.Methods;

namespace RegistryUnlearn.Unlearning.Runs;

/// <summary>Ordinary training by cross-entropy on the retained samples, epoch by epoch.</summary>
sealed class EpochRun : GradientRun
{
    readonly CrossEntropyGradient gradient;
    readonly EpochBatches batches;

    /// <param name="batch">Samples per step; the last batch of an epoch may be smaller.</param>
    /// <param name="prepare">Changes the parameters before the first step; they are in the host's memory.</param>
    /// <exception cref="DataException">The model insists on a batch size that does not go with this.</exception>
    public EpochRun(UnlearningTask task, int epochs, int batch, OptimizerOptions optimizer, Action<TensorBlock>? prepare = null)
        : base(task, StepsOf(task, epochs, batch), optimizer)
    {
        try
        {
            gradient = new CrossEntropyGradient(task, Parameters, Direction);
            batches = new EpochBatches(task.Retained, batch, task.Seed);
            if (prepare is not null)
                Change(Parameters, prepare);
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    static int StepsOf(UnlearningTask task, int epochs, int batch)
    {
        var file = task.Retained.Data.File;
        if (task.Model.FixedBatch is { } fixedBatch && (batch != fixedBatch || task.Retained.Count % fixedBatch != 0))
            throw new DataException(file, null, $"the model takes batches of exactly {fixedBatch}",
                $"set batch to {fixedBatch} and use a multiple of {fixedBatch} samples, "
                + "or export the model with a dynamic batch dimension");
        var steps = (long)epochs * ((task.Retained.Count - 1) / batch + 1);
        return steps <= int.MaxValue ? (int)steps : throw new DataException(file, null,
            $"{epochs} epochs are {steps} steps, more than {int.MaxValue}", "give fewer epochs or a larger batch");
    }

    protected override StepTrace ComputeDirection() => new(gradient.Run(Task.Retained.Data, batches.At(Step)), null, null, null, null);

    public override void Dispose()
    {
        gradient?.Dispose();
        base.Dispose();
    }
}
