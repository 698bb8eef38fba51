using RegistryUnlearn.Unlearning.Runs;

namespace RegistryUnlearn.Unlearning.Methods.CatastrophicForgetting;

/// <param name="Layers">k, 1..1,000</param>
/// <param name="Steps">1..1,000,000</param>
/// <param name="Batch">Samples per step, 1..65,536</param>
public sealed record CatastrophicForgettingOptions(int Layers, int Steps, int Batch, OptimizerOptions Optimizer, StopOptions Stop);

/// <summary>
/// CF-k: trains the last k layers on retained samples and keeps the others (Goel et al., Towards Adversarial Evaluations for Inexact
/// Machine Unlearning, 2022).
/// </summary>
public sealed class CatastrophicForgettingMethod : IUnlearningMethod
{
    public string Name => "cf-k";

    public string Summary => "trains the last k layers on retained samples; a cheap baseline that forgets little";

    public string Needs => "retained samples";

    public string NotFor => "anything that must be forgotten: what the kept layers know stays";

    public object ReadOptions(OptionReader reader) => new CatastrophicForgettingOptions(
        reader.Int("layers", 2, 1, 1000),
        reader.Int("steps", 60, 1, 1_000_000),
        reader.Int("batch", 64, 1, 65_536),
        OptimizerOptions.Read(reader, new(OptimizerKind.Adamw, 0.001f, 0.9f, 0, Schedule.Linear), largestDecay: 0),
        StopOptions.Read(reader));

    public MethodRun Start(UnlearningTask task, object options)
    {
        var given = (CatastrophicForgettingOptions)options;
        return new FineTuneRun(task, given.Steps, given.Batch, given.Optimizer, given.Stop,
            damp: FineTuneRun.Only(ModelLayers.Last(task.Model, given.Layers)));
    }
}
