using System.Diagnostics.CodeAnalysis;
using System.Text.Json.Serialization;
using RegistryUnlearn.Training.Harmonization;

namespace RegistryUnlearn.Unlearning.Methods.Ltu;

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

/// <summary>Options of learning to unlearn; what the paper leaves open is this product's choice (docs/ltu.md).</summary>
public sealed record LtuOptions : MatchOptions
{
    [JsonConstructor]
    public LtuOptions()
    {
    }

    [SetsRequiredMembers]
    public LtuOptions(MatchOptions shared) : base(shared)
    {
    }

    public MetaStep Order { get; init; } = MetaStep.Off;

    /// <summary>Length of the inner step, 0..1.</summary>
    public float Alpha { get; init; }

    /// <summary>Weight of the queries, 0..100.</summary>
    public float Lambda { get; init; }

    /// <summary>M, query batches per step, 1..16.</summary>
    public int Queries { get; init; } = 1;

    public HarmonizationScope Scope { get; init; } = HarmonizationScope.Global;

    public HarmonizationMode Harmonization { get; init; } = HarmonizationMode.Off;

    /// <summary>K for the targets non-member and hinge, 2..16.</summary>
    public int MembershipModels { get; init; } = 2;

    /// <summary>Steps between two fits of the membership models.</summary>
    public int Refit { get; init; } = 1;

    public static new LtuOptions Read(OptionReader reader) => new(ReadShared(reader, reader.Choice("target", ForgetTarget.Views)))
    {
        Order = reader.Choice("order", MetaStep.Exact),
        Alpha = reader.Float("alpha", 0.003f, 0, 1),
        Lambda = reader.Float("lambda", 1, 0, 100),
        Queries = reader.Int("queries", 1, 1, 16),
        Scope = reader.Choice("scope", HarmonizationScope.Global),
        Harmonization = reader.Choice("harmonization", HarmonizationMode.ProtectRemember),
        MembershipModels = reader.Int("membershipModels", 3, 2, 16),
        Refit = reader.Int("refit", 10, 1, 1_000_000),
    };

    /// <summary>Size of one of the 1 + M equal parts of a batch that support and queries share, at least one.</summary>
    public int Part(int batch) => Order is MetaStep.Off ? batch : Math.Max(1, batch / (1 + Queries));
}
