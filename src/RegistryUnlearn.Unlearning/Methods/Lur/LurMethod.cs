using RegistryUnlearn.Onnx.Losses;
using RegistryUnlearn.Onnx.Steps;
using RegistryUnlearn.Training.Runtime;
using RegistryUnlearn.Unlearning.Data;
using RegistryUnlearn.Unlearning.Runs;

namespace RegistryUnlearn.Unlearning.Methods.Lur;

/// <param name="Alpha">Length of the virtual step, 0..1</param>
/// <param name="ForgetWeight">w in L_f = −w·CE, 0..1,000</param>
/// <param name="Order">Whether the derivative of the virtual step counts</param>
/// <param name="Steps">1..1,000,000</param>
/// <param name="Batch">Samples per step and side, 1..65,536</param>
public sealed record LurOptions(
    float Alpha, float ForgetWeight, MetaOrder Order, int Steps, int Batch, OptimizerOptions Optimizer, StopOptions Stop);

/// <summary>
/// LUR: descends L_f(θ) + L_r(θ − α∇L_f(θ)), the retained loss after a virtual step of forgetting, which rewards steps that agree with
/// remembering (Patel and Qiu, Learning to Unlearn while Retaining, ICCV 2025). L_r is the cross-entropy on retained samples, L_f its
/// negative on samples to forget.
/// </summary>
public sealed class LurMethod : IUnlearningMethod
{
    public string Name => "lur";

    public string Summary => "ascends on samples to forget and descends on what retained samples lose by it";

    public string Needs => "retained samples; a holdout to stop in time";

    public string NotFor => "single samples and strict audits: the loss on forgotten samples grows beyond that of unseen ones";

    public object ReadOptions(OptionReader reader) => new LurOptions(
        reader.Float("alpha", 0.001f, 0, 1),
        reader.Float("forgetWeight", 0.05f, 0, 1000),
        reader.Choice("order", MetaOrder.Exact),
        reader.Int("steps", 60, 1, 1_000_000),
        reader.Int("batch", 64, 1, 65_536),
        OptimizerOptions.Read(reader, new(OptimizerKind.Adamw, 0.001f, 0.9f, 0, Schedule.Linear)),
        StopOptions.Read(reader));

    public MethodRun Start(UnlearningTask task, object options) => new Run(task, (LurOptions)options);

    sealed class Run : StoppedRun
    {
        const string Labels = "labels";

        readonly float forgetWeight;
        readonly Subset forget;
        readonly GraphSession session;
        readonly BoundStep step;
        readonly CyclicBatches retainedBatches, forgetBatches;

        public Run(UnlearningTask task, LurOptions options) : base(task, options.Steps, options.Optimizer, options.Stop)
        {
            forgetWeight = options.ForgetWeight;
            forget = task.Forget ?? throw new ArgumentException("the task has no samples to forget", nameof(task));
            try
            {
                var batch = task.Batch(options.Batch);
                session = new GraphSession(StepGraph.Meta(task.Model, Loss(-options.ForgetWeight), Loss(1), 1, options.Order), task.Device);
                step = new BoundStep(session, _ => batch, Parameters, Direction, unread: StepGraph.Logits);
                step[StepGraph.Alpha].Floats[0] = options.Alpha;
                step[StepGraph.Lambda].Floats[0] = 1;
                retainedBatches = new CyclicBatches(task.Retained, batch, task.Seed, "retained");
                forgetBatches = new CyclicBatches(forget, batch, task.Seed, "forget");
            }
            catch
            {
                Dispose();
                throw;
            }

            BatchLoss Loss(float weight) => (g, prefix, logits) =>
                g.Scale(ClassificationLosses.CrossEntropy(g, task.Labelled(g, prefix, logits, Labels), task.Classes), weight);
        }

        protected override StepTrace ComputeDirection()
        {
            Fill(StepGraph.Support, forget, forgetBatches.At(Step));
            Fill(StepGraph.Query(0), Task.Retained, retainedBatches.At(Step));
            step.Run();
            float? onForget = forgetWeight > 0 ? -step.Scalar(StepGraph.SupportLoss) / forgetWeight : null;
            return new(step.Scalar(StepGraph.QueryLoss), onForget, null, null, null);
        }

        void Fill(string prefix, Subset subset, ReadOnlySpan<int> rows) =>
            subset.Data.Fill(rows, step[prefix + "input"].Inputs, step[prefix + Labels].Longs);

        public override void Dispose()
        {
            step?.Dispose();
            session?.Dispose();
            base.Dispose();
        }
    }
}
