using RegistryUnlearn.Unlearning.Runs;

namespace RegistryUnlearn.Unlearning.Methods.Ltu;

/// <summary>What a sample to forget is asked to look like.</summary>
public enum ForgetTarget
{
    /// <summary>
    /// Its own confidence under the original on slightly moved views, carried over to the level of samples never trained on.
    /// </summary>
    Views,

    /// <summary>The confidence of the sample never trained on that has the same rank.</summary>
    Quantile,

    /// <summary>A non-member for membership models, without limit (the paper's feedback).</summary>
    NonMember,

    /// <summary>A non-member for membership models, up to the non-members' mean score.</summary>
    Hinge,
}

/// <summary>What keeps the model as it is elsewhere.</summary>
public enum Preservation
{
    /// <summary>Distillation of the original's centred logits on retained, holdout and moved samples.</summary>
    Pool,

    /// <summary>Cross-entropy on retained samples only.</summary>
    None,
}

public enum Preconditioner
{
    None,

    /// <summary>Kronecker-factored curvature at the original parameters.</summary>
    Kfac,
}

/// <summary>Which views are used.</summary>
public enum ViewKind
{
    /// <summary>
    /// Those of the other kinds that keep labels and do not betray membership, each tested; six at most, all of one kind of change.
    /// </summary>
    Auto,

    /// <summary>Half a pixel in each of the four directions: for small images, where a whole pixel changes too much.</summary>
    HalfShifts,

    /// <summary>Shifts of one or two pixels with and without mirroring, twelve in all: for photographs.</summary>
    ShiftsFlips,

    /// <summary>Noise on the values, or some of them taken from other samples: for numbers of any kind.</summary>
    Perturbations,
}

/// <summary>Options of <c>match</c>, and those that <c>ltu</c> shares with it.</summary>
public record MatchOptions
{
    public required int Steps { get; init; }

    public required ForgetTarget Target { get; init; }

    public required ViewKind Views { get; init; }

    /// <summary>w_f, 0..1000.</summary>
    public required float ForgetWeight { get; init; }

    /// <summary>Forget samples per step; in <c>ltu</c> shared by support and queries.</summary>
    public required int ForgetBatch { get; init; }

    /// <summary>Retained samples per step; in <c>ltu</c> shared by support and queries.</summary>
    public required int RetainedBatch { get; init; }

    /// <summary>Holdout samples per step in the preservation pool.</summary>
    public required int HoldoutBatch { get; init; }

    /// <summary>Moved samples per step and source in the preservation pool.</summary>
    public required int ViewBatch { get; init; }

    public required Preservation Preservation { get; init; }

    /// <summary>Weight of the distillation, 0..100.</summary>
    public required float PreservationWeight { get; init; }

    /// <summary>Weight of the soft targets for the classes other than the label, 0..100.</summary>
    public required float OtherClasses { get; init; }

    /// <summary>Steps between two evaluations by the stop rule.</summary>
    public required int EvaluateEvery { get; init; }

    public required Preconditioner Preconditioner { get; init; }

    /// <summary>Of the K-FAC preconditioner, in mean eigenvalues.</summary>
    public required float Damping { get; init; }

    public required OptimizerOptions Optimizer { get; init; }

    /// <summary>Options of <c>match</c>, which knows no membership models.</summary>
    public static MatchOptions Read(OptionReader reader) =>
        ReadShared(reader, reader.Choice("target", ForgetTarget.Views, [ForgetTarget.Views, ForgetTarget.Quantile]));

    private protected static MatchOptions ReadShared(OptionReader reader, ForgetTarget target) => new()
    {
        Steps = reader.Int("steps", 160, 1, 1_000_000),
        Target = target,
        Views = reader.Choice("views", ViewKind.Auto),
        ForgetWeight = reader.Float("forgetWeight", 2, 0, 1000),
        ForgetBatch = reader.Int("forgetBatch", 64, 2, 65_536),
        RetainedBatch = reader.Int("retainedBatch", 32, 2, 65_536),
        HoldoutBatch = reader.Int("holdoutBatch", 32, 2, 65_536),
        ViewBatch = reader.Int("viewBatch", 16, 2, 65_536),
        Preservation = reader.Choice("preservation", Preservation.Pool),
        PreservationWeight = reader.Float("preservationWeight", 1, 0, 100),
        OtherClasses = reader.Float("otherClasses", 0.2f, 0, 100),
        EvaluateEvery = reader.Int("evaluateEvery", 40, 1, 1_000_000),
        Preconditioner = reader.Choice("preconditioner", Preconditioner.Kfac),
        Damping = reader.Float("damping", 0.5f, 1e-6f, 1e6f),
        Optimizer = OptimizerOptions.Read(reader, new(OptimizerKind.Sgd, 0.01f, 0.9f, 0, Schedule.Linear)),
    };
}
