using RegistryUnlearn.Training.Buffers;
using RegistryUnlearn.Unlearning.Runs;

namespace RegistryUnlearn.Unlearning.Methods.BadTeacher;

/// <param name="ForgetWeight">Of KL(untrained teacher ‖ model) on samples to forget, 0..1,000</param>
/// <param name="Temperature">Of the divergences, 0.5..100</param>
/// <param name="Steps">1..1,000,000</param>
/// <param name="Batch">Samples per step and side, 1..65,536</param>
public sealed record BadTeacherOptions(
    float ForgetWeight, float Temperature, int Steps, int Batch, OptimizerOptions Optimizer, StopOptions Stop);

/// <summary>
/// Bad teacher: follows an untrained network of the same architecture on samples to forget, and the original on retained ones (Chundawat
/// et al., Can Bad Teaching Induce Forgetting?, AAAI 2023).
/// </summary>
public sealed class BadTeacherMethod : IUnlearningMethod
{
    public string Name => "bad-teacher";

    public string Summary => "follows an untrained network on samples to forget and the original on retained ones";

    public string Needs => "retained samples; a holdout to stop in time";

    public string NotFor => "strict audits: nobody answers at random about an unseen sample that is like the retained ones";

    public object ReadOptions(OptionReader reader) => new BadTeacherOptions(
        reader.Float("forgetWeight", 1, 0, 1000),
        reader.Float("temperature", 1, 0.5f, 100),
        reader.Int("steps", 60, 1, 1_000_000),
        reader.Int("batch", 64, 1, 65_536),
        OptimizerOptions.Read(reader, new(OptimizerKind.Adamw, 0.001f, 0.9f, 0, Schedule.Linear)),
        StopOptions.Read(reader));

    public MethodRun Start(UnlearningTask task, object options)
    {
        var given = (BadTeacherOptions)options;
        using var untrained = new TensorBlock(task.Original.Layout);
        untrained.CopyFrom(task.Original);
        Reinitialization.Fill(untrained, task.Model, null, task.Seed);
        return new TwoTeachersRun(task, given.Steps, given.Steps, given.Batch, new(0, 1), given.ForgetWeight, untrained,
            given.Temperature, given.Optimizer, given.Stop);
    }
}
