using RegistryUnlearn.Training.Harmonization;
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

/// <summary>The inner step of the meta-gradient.</summary>
public enum MetaStep
{
    /// <summary>Differentiated through (second order).</summary>
    Exact,

    /// <summary>Taken, its own derivative dropped.</summary>
    First,

    /// <summary>No inner step: the plain gradients of both feedbacks.</summary>
    Off,
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
    /// <summary>Those of the other kinds that keep labels and do not betray membership, each tested; six at most.</summary>
    Auto,

    /// <summary>Half a pixel in each of the four directions: for small images, where a whole pixel changes too much.</summary>
    HalfShifts,

    /// <summary>Shifts of one or two pixels with and without mirroring, twelve in all: for photographs.</summary>
    ShiftsFlips,
}

/// <summary>Options of learning to unlearn; what the paper leaves open is this product's choice (docs/ltu.md).</summary>
/// <param name="Alpha">Length of the inner step, 0..1.</param>
/// <param name="Lambda">Weight of the queries, 0..100.</param>
/// <param name="Queries">M, query batches per step, 1..16.</param>
/// <param name="ForgetWeight">w_f, 0..1000.</param>
/// <param name="ForgetBatch">Forget samples per step, shared by support and queries.</param>
/// <param name="RetainedBatch">Retained samples per step, shared by support and queries.</param>
/// <param name="HoldoutBatch">Holdout samples per step in the preservation pool.</param>
/// <param name="ViewBatch">Moved samples per step and source in the preservation pool.</param>
/// <param name="PreservationWeight">Weight of the distillation, 0..100.</param>
/// <param name="OtherClasses">Weight of the soft targets for the classes other than the label, 0..100.</param>
/// <param name="MembershipModels">K for the targets non-member and hinge, 2..16.</param>
/// <param name="Refit">Steps between two fits of the membership models.</param>
/// <param name="EvaluateEvery">Steps between two evaluations by the stop rule.</param>
/// <param name="Damping">Of the K-FAC preconditioner, in mean eigenvalues.</param>
public sealed record LtuOptions(
    int Steps, ForgetTarget Target, ViewKind Views, MetaStep Order, float Alpha, float Lambda, int Queries, float ForgetWeight,
    HarmonizationScope Scope, HarmonizationMode Harmonization, int ForgetBatch, int RetainedBatch, int HoldoutBatch, int ViewBatch,
    Preservation Preservation, float PreservationWeight, float OtherClasses, int MembershipModels, int Refit, int EvaluateEvery,
    Preconditioner Preconditioner, float Damping, OptimizerOptions Optimizer)
{
    public static LtuOptions Read(OptionReader reader) => new(
        reader.Int("steps", 160, 1, 1_000_000),
        reader.Choice("target", ForgetTarget.Views),
        reader.Choice("views", ViewKind.Auto),
        reader.Choice("order", MetaStep.Off),
        reader.Float("alpha", 0.001f, 0, 1),
        reader.Float("lambda", 1, 0, 100),
        reader.Int("queries", 1, 1, 16),
        reader.Float("forgetWeight", 2, 0, 1000),
        reader.Choice("scope", HarmonizationScope.Global),
        reader.Choice("harmonization", HarmonizationMode.Off),
        reader.Int("forgetBatch", 64, 2, 65_536),
        reader.Int("retainedBatch", 32, 2, 65_536),
        reader.Int("holdoutBatch", 32, 2, 65_536),
        reader.Int("viewBatch", 16, 2, 65_536),
        reader.Choice("preservation", Preservation.Pool),
        reader.Float("preservationWeight", 1, 0, 100),
        reader.Float("otherClasses", 0.2f, 0, 100),
        reader.Int("membershipModels", 3, 2, 16),
        reader.Int("refit", 10, 1, 1_000_000),
        reader.Int("evaluateEvery", 20, 1, 1_000_000),
        reader.Choice("preconditioner", Preconditioner.Kfac),
        reader.Float("damping", 0.5f, 1e-6f, 1e6f),
        OptimizerOptions.Read(reader, new(OptimizerKind.Sgd, 0.01f, 0.9f, 0, Schedule.Linear)));

    /// <summary>Size of one of the 1 + M equal parts of a batch that support and queries share, at least one.</summary>
    public int Part(int batch) => Order is MetaStep.Off ? batch : Math.Max(1, batch / (1 + Queries));
}
