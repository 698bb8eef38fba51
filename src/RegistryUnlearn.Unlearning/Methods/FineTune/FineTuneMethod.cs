using RegistryUnlearn.Unlearning.Data;
using RegistryUnlearn.Unlearning.Runs;

namespace RegistryUnlearn.Unlearning.Methods.FineTune;

/// <param name="Steps">1..1,000,000</param>
/// <param name="Batch">Samples per step, 1..65,536</param>
public sealed record FineTuneOptions(int Steps, int Batch, OptimizerOptions Optimizer, StopOptions Stop);

/// <summary>Goes on training on retained samples only and trusts that what is not repeated fades (FT).</summary>
public sealed class FineTuneMethod : IUnlearningMethod
{
    public string Name => "finetune";

    public string Summary => "trains on retained samples only; a baseline that forgets little";

    public object ReadOptions(OptionReader reader) => new FineTuneOptions(
        reader.Int("steps", 60, 1, 1_000_000),
        reader.Int("batch", 64, 1, 65_536),
        OptimizerOptions.Read(reader, new(OptimizerKind.Adamw, 0.001f, 0.9f, 0, Schedule.Linear)),
        StopOptions.Read(reader));

    public MethodRun Start(UnlearningTask task, object options) => new Run(task, (FineTuneOptions)options);

    sealed class Run : StoppedRun
    {
        readonly CrossEntropyGradient gradient;
        readonly CyclicBatches batches;

        public Run(UnlearningTask task, FineTuneOptions options) : base(task, options.Steps, options.Optimizer, options.Stop)
        {
            try
            {
                gradient = new CrossEntropyGradient(task, Parameters, Direction);
                batches = new CyclicBatches(task.Retained, task.Batch(options.Batch), task.Seed, "finetune");
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
