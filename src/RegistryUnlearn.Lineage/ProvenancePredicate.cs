using System.Text.Json.Nodes;

namespace RegistryUnlearn.Lineage;

/// <summary>SLSA provenance v1: what was run, on what, by whom.</summary>
public sealed record ProvenancePredicate(BuildDefinition BuildDefinition, RunDetails RunDetails)
{
    public const string TypeUri = "https://slsa.dev/provenance/v1";
}

/// <param name="BuildType">URI of what the parameters mean.</param>
/// <param name="ExternalParameters">What the requester chose; never identities of samples.</param>
/// <param name="ResolvedDependencies">Parent model, data and configuration, each by digest.</param>
public sealed record BuildDefinition(string BuildType, JsonObject ExternalParameters,
    IReadOnlyList<ResourceDescriptor> ResolvedDependencies)
{
    public const string UnlearningBuildType = "https://registryunlearn.dev/build/unlearning/v1";
}

public sealed record RunDetails(Builder Builder, BuildMetadata Metadata);

/// <param name="Id">URI of the builder.</param>
/// <param name="Version">Component versions by name.</param>
public sealed record Builder(string Id, IReadOnlyDictionary<string, string> Version);

/// <param name="InvocationId">The job's id.</param>
/// <param name="StartedOn">From the job's stored state, not from a clock at the time of writing.</param>
/// <param name="FinishedOn">Likewise; null when not recorded.</param>
public sealed record BuildMetadata(string InvocationId, DateTimeOffset StartedOn, DateTimeOffset? FinishedOn = null);
