using RegistryUnlearn.Unlearning.Data;
using RegistryUnlearn.Unlearning.Runs;

namespace RegistryUnlearn.Unlearning.Methods.Train;

/// <param name="Epochs">Passes over the data, 1..100,000</param>
/// <param name="Batch">Samples per step, 1..65,536; the last batch of an epoch may be smaller</param>
public sealed record TrainOptions(int Epochs, int Batch, OptimizerOptions Optimizer);

/// <summary>Ordinary training from the parameters as they are, by cross-entropy, epoch by epoch.</summary>
public sealed class TrainMethod : IUnlearningMethod
{
    public string Name => "train";

    public string Summary => "trains on the given samples from the parameters as they are; makes models and oracles";

    public object ReadOptions(OptionReader reader) => new TrainOptions(
        reader.Int("epochs", 60, 1, 100_000),
        reader.Int("batch", 64, 1, 65_536),
        OptimizerOptions.Read(reader, new(OptimizerKind.Sgd, 0.05f, 0.9f, 0, Schedule.Cosine)));

    public MethodRun Start(UnlearningTask task, object options)
    {
        var given = (TrainOptions)options;
        var file = task.Retained.Data.File;
        if (task.Model.FixedBatch is { } fixedBatch && (given.Batch != fixedBatch || task.Retained.Count % fixedBatch != 0))
            throw new DataException(file, null, $"the model takes batches of exactly {fixedBatch}",
                $"set batch to {fixedBatch} and use a multiple of {fixedBatch} samples, "
                + "or export the model with a dynamic batch dimension");
        var steps = (long)given.Epochs * ((task.Retained.Count - 1) / given.Batch + 1);
        if (steps > int.MaxValue)
            throw new DataException(file, null, $"{given.Epochs} epochs are {steps} steps, more than {int.MaxValue}",
                "give fewer epochs or a larger batch");
        return new Run(task, given, (int)steps);
    }

    sealed class Run : GradientRun
    {
        readonly CrossEntropyGradient gradient;
        readonly EpochBatches batches;

        public Run(UnlearningTask task, TrainOptions options, int steps) : base(task, steps, options.Optimizer)
        {
            try
            {
                gradient = new CrossEntropyGradient(task, Parameters, Direction);
                batches = new EpochBatches(task.Retained, options.Batch, task.Seed);
            }
            catch
            {
                Dispose();
                throw;
            }
        }

        protected override StepTrace ComputeDirection() => new(gradient.Run(Task.Retained.Data, batches.At(Step)), null, null, null, null);

        public override void Dispose()
        {
            gradient?.Dispose();
            base.Dispose();
        }
    }
}
