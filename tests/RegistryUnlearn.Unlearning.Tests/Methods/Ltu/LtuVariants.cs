using RegistryUnlearn.Training.Harmonization;
using RegistryUnlearn.Unlearning.Methods.Ltu;
using RegistryUnlearn.Unlearning.Runs;

namespace RegistryUnlearn.Unlearning.Tests.Methods.Ltu;

static class LtuVariants
{
    /// <summary>Everything switched on, given in full so that no test depends on the defaults.</summary>
    public static LtuOptions Full { get; } = new(
        60, ForgetTarget.Views, ViewKind.HalfShifts, MetaStep.Exact, 0.001f, 1, 1, 3, HarmonizationScope.Global,
        HarmonizationMode.ProtectRemember, 12, 24, 24, 12,
        Preservation.Pool, 1, 0.2f, 3, 10, 10, Preconditioner.None, 1, new(OptimizerKind.Adamw, 0.003f, 0.9f, 0, Schedule.Linear));

    /// <summary>Every value of every choice with every target and every order, in few steps.</summary>
    public static IEnumerable<LtuOptions> Few =>
        from target in Enum.GetValues<ForgetTarget>()
        from order in Enum.GetValues<MetaStep>()
        from turn in new[] { 0, 1 }
        let i = (int)target + (int)order + turn
        select Full with
        {
            Steps = 5,
            Target = target,
            Order = order,
            Queries = 1 + turn,
            Harmonization = (HarmonizationMode)(i % 3),
            Scope = (HarmonizationScope)(((int)target + turn) % 2),
            Preservation = (Preservation)(((int)order + turn) % 2),
            Views = (ViewKind)(((int)order + turn) % 3),
            Preconditioner = (Preconditioner)((((int)target / 2) + (int)order + turn) % 2),
            Optimizer = Full.Optimizer with { Optimizer = (OptimizerKind)(turn % 2), LearningRate = 0.001f },
            Refit = 2,
            EvaluateEvery = 2,
        };
}
