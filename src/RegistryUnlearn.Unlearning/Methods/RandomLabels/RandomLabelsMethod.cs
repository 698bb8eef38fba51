using RegistryUnlearn.Unlearning.Runs;

namespace RegistryUnlearn.Unlearning.Methods.RandomLabels;

/// <param name="ForgetWeight">Of the mean loss on samples to forget, 0..1,000</param>
/// <param name="Steps">1..1,000,000</param>
/// <param name="Batch">Samples per step and side, 1..65,536</param>
public sealed record RandomLabelsOptions(float ForgetWeight, int Steps, int Batch, OptimizerOptions Optimizer, StopOptions Stop);

/// <summary>
/// SRL: trains on retained samples and on samples to forget with random labels, drawn anew in every pass (as in Cadet et al., Deep Unlearn,
/// 2024; after Golatkar et al., CVPR 2020).
/// </summary>
public sealed class RandomLabelsMethod : IUnlearningMethod
{
    public string Name => "srl";

    public string Summary => "trains samples to forget towards random labels; a baseline that costs accuracy";

    public string Needs => "retained samples; a holdout to stop in time";

    public string NotFor => "strict audits: forgotten samples become confidently wrong, which no unseen sample is";

    public object ReadOptions(OptionReader reader) => new RandomLabelsOptions(
        reader.Float("forgetWeight", 1, 0, 1000),
        reader.Int("steps", 60, 1, 1_000_000),
        reader.Int("batch", 64, 1, 65_536),
        OptimizerOptions.Read(reader, new(OptimizerKind.Adamw, 0.001f, 0.9f, 0, Schedule.Linear)),
        StopOptions.Read(reader));

    public MethodRun Start(UnlearningTask task, object options)
    {
        var given = (RandomLabelsOptions)options;
        return new RandomLabelRun(task, given.Steps, given.Batch, given.ForgetWeight, given.Optimizer, given.Stop);
    }
}
