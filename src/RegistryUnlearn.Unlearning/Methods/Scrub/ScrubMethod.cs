using RegistryUnlearn.Unlearning.Runs;

namespace RegistryUnlearn.Unlearning.Methods.Scrub;

/// <param name="LabelWeight">γ, of the cross-entropy on retained samples, 0..1,000</param>
/// <param name="TeacherWeight">α, of KL(original ‖ model) on retained samples, 0..1,000</param>
/// <param name="ForgetWeight">Of the same on samples to forget, which is increased, 0..1,000</param>
/// <param name="ForgetShare">The share of the steps, from the first, that forget; the rest only repair, 0..1</param>
/// <param name="Temperature">Of the divergences, 0.5..100</param>
/// <param name="Steps">1..1,000,000</param>
/// <param name="Batch">Samples per step and side, 1..65,536</param>
public sealed record ScrubOptions(
    float LabelWeight, float TeacherWeight, float ForgetWeight, float ForgetShare, float Temperature, int Steps, int Batch,
    OptimizerOptions Optimizer, StopOptions Stop);

/// <summary>
/// SCRUB: moves away from the original on samples to forget and stays with it on retained ones (Kurmanji et al., Towards Unbounded Machine
/// Unlearning, NeurIPS 2023). The paper alternates epochs of both; here a step holds both, and the last steps only repair.
/// </summary>
public sealed class ScrubMethod : IUnlearningMethod
{
    public string Name => "scrub";

    public string Summary => "moves away from the original on samples to forget and stays with it on retained ones";

    public string Needs => "retained samples; a holdout to stop in time";

    public string NotFor => "single samples and strict audits: nothing says how far away is far enough";

    public object ReadOptions(OptionReader reader) => new ScrubOptions(
        reader.Float("labelWeight", 1, 0, 1000),
        reader.Float("teacherWeight", 0.5f, 0, 1000),
        reader.Float("forgetWeight", 0.1f, 0, 1000),
        reader.Float("forgetShare", 0.6f, 0, 1),
        reader.Float("temperature", 4, 0.5f, 100),
        reader.Int("steps", 100, 1, 1_000_000),
        reader.Int("batch", 64, 1, 65_536),
        OptimizerOptions.Read(reader, new(OptimizerKind.Adamw, 0.0005f, 0.9f, 0, Schedule.Linear)),
        StopOptions.Read(reader));

    public MethodRun Start(UnlearningTask task, object options)
    {
        var given = (ScrubOptions)options;
        return new TwoTeachersRun(
            task, given.Steps, (int)Math.Round(given.ForgetShare * given.Steps), given.Batch,
            new(given.LabelWeight, given.TeacherWeight), -given.ForgetWeight, task.Original, given.Temperature,
            given.Optimizer, given.Stop);
    }
}
