using System.Text.Json.Nodes;

namespace RegistryUnlearn.Lineage;

/// <summary>
/// Our own predicate: what an unlearning run did. The forget set appears as a count and a keyed commitment only.
/// </summary>
public sealed record UnlearningPredicate
{
    public const string TypeUri = "https://registryunlearn.dev/unlearning/v1";

    /// <summary>Name of the method, as in the request.</summary>
    public required string Method { get; init; }

    /// <summary>Every option with the value used, defaults included.</summary>
    public required JsonObject Options { get; init; }

    /// <summary>Gradient harmonization used; null for none.</summary>
    public string? Harmonization { get; init; }

    public required ulong Seed { get; init; }

    public required ForgetCommitment ForgetSet { get; init; }

    /// <summary>Summary metrics by name; finite numbers.</summary>
    public required IReadOnlyDictionary<string, double> Metrics { get; init; }

    /// <summary>Component versions by name, such as the runtime's.</summary>
    public required IReadOnlyDictionary<string, string> Versions { get; init; }
}
