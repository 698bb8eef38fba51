using RegistryUnlearn.Training.Buffers;
using RegistryUnlearn.Unlearning.Data;
using RegistryUnlearn.Unlearning.Runs;

namespace RegistryUnlearn.Unlearning.Methods.NegGradPlus;

/// <param name="Alpha">Weight of remembering, 0..1; forgetting has 1 − α.</param>
/// <param name="Steps">1..1,000,000</param>
/// <param name="Batch">Samples per step and side, 1..65,536</param>
/// <param name="Anchor">Weight of ½‖θ − θ₀‖² beside the loss on retained samples, 0..100</param>
public sealed record NegGradPlusOptions(float Alpha, int Steps, int Batch, float Anchor, OptimizerOptions Optimizer, StopOptions Stop);

/// <summary>
/// NG+: descends α · (CE on retained + anchor) − (1 − α) · CE on forget, jointly per batch (Kurmanji et al., NeurIPS 2023; in the form of
/// Cadet et al., Deep Unlearn, 2024).
/// </summary>
public sealed class NegGradPlusMethod : IUnlearningMethod
{
    public string Name => "neggrad+";

    public string Summary => "descends on retained and ascends on forget samples; a fair baseline that tends to over-forget";

    public string Needs => "retained samples; a holdout to stop in time";

    public string NotFor => "single samples and strict audits: the loss on forgotten samples grows beyond that of unseen ones";

    public object ReadOptions(OptionReader reader) => new NegGradPlusOptions(
        reader.Float("alpha", 0.95f, 0, 1),
        reader.Int("steps", 60, 1, 1_000_000),
        reader.Int("batch", 64, 1, 65_536),
        reader.Float("anchor", 0, 0, 100),
        OptimizerOptions.Read(reader, new(OptimizerKind.Adamw, 0.001f, 0.9f, 0, Schedule.Linear)),
        StopOptions.Read(reader));

    public MethodRun Start(UnlearningTask task, object options) => new Run(task, (NegGradPlusOptions)options);

    sealed class Run : StoppedRun
    {
        readonly NegGradPlusOptions options;
        readonly Subset forget;
        readonly TensorBlock forgetGradient;

        /// <summary>θ₀ where the parameters are; null without anchor.</summary>
        readonly TensorBlock? anchor;
        readonly CrossEntropyGradient onRetained;
        readonly CrossEntropyGradient onForget;
        readonly CyclicBatches retainedBatches;
        readonly CyclicBatches forgetBatches;

        public Run(UnlearningTask task, NegGradPlusOptions options) : base(task, options.Steps, options.Optimizer, options.Stop)
        {
            this.options = options;
            forget = task.Forget ?? throw new ArgumentException("the task has no samples to forget", nameof(task));
            try
            {
                forgetGradient = new TensorBlock(task.Original.Layout, task.Device);
                anchor = options.Anchor > 0 ? Parameters.Clone() : null;
                onRetained = new CrossEntropyGradient(task, Parameters, Direction);
                onForget = new CrossEntropyGradient(task, Parameters, forgetGradient);
                retainedBatches = new CyclicBatches(task.Retained, task.Batch(options.Batch), task.Seed, "retained");
                forgetBatches = new CyclicBatches(forget, task.Batch(options.Batch), task.Seed, "forget");
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
            var forgetting = onForget.Run(forget.Data, forgetBatches.At(Step));
            if (anchor is not null)
            {
                Algebra.Mix(Direction, 1, Parameters, options.Anchor);
                Algebra.Mix(Direction, 1, anchor, -options.Anchor);
            }
            Algebra.Mix(Direction, options.Alpha, forgetGradient, options.Alpha - 1);
            return new(remember, forgetting, null, null, null);
        }

        public override void Dispose()
        {
            onRetained?.Dispose();
            onForget?.Dispose();
            forgetGradient?.Dispose();
            anchor?.Dispose();
            base.Dispose();
        }
    }
}
