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

    public string Needs => "retained samples; the more, the better";

    public string NotFor => "anything that must be forgotten: with few steps it forgets next to nothing";

    public object ReadOptions(OptionReader reader) => new FineTuneOptions(
        reader.Int("steps", 60, 1, 1_000_000),
        reader.Int("batch", 64, 1, 65_536),
        OptimizerOptions.Read(reader, new(OptimizerKind.Adamw, 0.001f, 0.9f, 0, Schedule.Linear)),
        StopOptions.Read(reader));

    public MethodRun Start(UnlearningTask task, object options)
    {
        var given = (FineTuneOptions)options;
        return new FineTuneRun(task, given.Steps, given.Batch, given.Optimizer, given.Stop);
    }
}
