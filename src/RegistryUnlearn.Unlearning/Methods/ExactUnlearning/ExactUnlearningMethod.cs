using RegistryUnlearn.Unlearning.Runs;

namespace RegistryUnlearn.Unlearning.Methods.ExactUnlearning;

/// <param name="Layers">k, 1..1,000</param>
/// <param name="Steps">1..1,000,000</param>
/// <param name="Batch">Samples per step, 1..65,536</param>
public sealed record ExactUnlearningOptions(int Layers, int Steps, int Batch, OptimizerOptions Optimizer, StopOptions Stop);

/// <summary>
/// EU-k: forgets the last k layers altogether, trains them anew on retained samples and keeps the others (Goel et al., Towards Adversarial
/// Evaluations for Inexact Machine Unlearning, 2022).
/// </summary>
public sealed class ExactUnlearningMethod : IUnlearningMethod
{
    public string Name => "eu-k";

    public string Summary => "trains the last k layers anew on retained samples and keeps the others";

    public string Needs => "nearly all retained samples, or a last layer that few of them can teach";

    public string NotFor => "claims of exactness: the kept layers have seen the forgotten samples, whatever the name says";

    public object ReadOptions(OptionReader reader) => new ExactUnlearningOptions(
        reader.Int("layers", 1, 1, 1000),
        reader.Int("steps", 200, 1, 1_000_000),
        reader.Int("batch", 64, 1, 65_536),
        OptimizerOptions.Read(reader, new(OptimizerKind.Adamw, 0.003f, 0.9f, 0, Schedule.Cosine), largestDecay: 0),
        StopOptions.Read(reader, StopKind.None));

    public MethodRun Start(UnlearningTask task, object options)
    {
        var given = (ExactUnlearningOptions)options;
        var last = ModelLayers.Last(task.Model, given.Layers);
        return new FineTuneRun(task, given.Steps, given.Batch, given.Optimizer, given.Stop,
            prepare: parameters => Reinitialization.Fill(parameters, task.Model, last, task.Seed), damp: FineTuneRun.Only(last));
    }
}
