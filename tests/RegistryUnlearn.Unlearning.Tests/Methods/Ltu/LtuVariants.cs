using RegistryUnlearn.Training.Harmonization;
using RegistryUnlearn.Unlearning.Methods.Ltu;
using RegistryUnlearn.Unlearning.Runs;

namespace RegistryUnlearn.Unlearning.Tests.Methods.Ltu;

static class LtuVariants
{
    /// <summary>Everything switched on, given in full so that no test depends on the defaults.</summary>
    public static LtuOptions Full { get; } = new()
    {
        Steps = 60,
        Target = ForgetTarget.Views,
        Views = ViewKind.HalfShifts,
        ForgetWeight = 3,
        ForgetBatch = 12,
        RetainedBatch = 24,
        HoldoutBatch = 24,
        ViewBatch = 12,
        Preservation = Preservation.Pool,
        PreservationWeight = 1,
        OtherClasses = 0.2f,
        EvaluateEvery = 10,
        Preconditioner = Preconditioner.None,
        Damping = 1,
        Optimizer = new(OptimizerKind.Adamw, 0.003f, 0.9f, 0, Schedule.Linear),
        Order = MetaStep.Exact,
        Alpha = 0.001f,
        Lambda = 1,
        Queries = 1,
        Scope = HarmonizationScope.Global,
        Harmonization = HarmonizationMode.ProtectRemember,
        MembershipModels = 3,
        Refit = 10,
    };

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
            Views = (ViewKind)(((int)order + turn) % 4),
            Preconditioner = (Preconditioner)((((int)target / 2) + (int)order + turn) % 2),
            Optimizer = Full.Optimizer with { Optimizer = (OptimizerKind)(turn % 2), LearningRate = 0.001f },
            Refit = 2,
            EvaluateEvery = 2,
        };
}
