using Azure.Core;
using Azure.Identity;

namespace RegistryUnlearn.Registry.Azure;

/// <summary>
/// Who this process is to Azure: one credential, named in configuration. There is no search through several ones, which could end with an
/// identity that nobody meant.
/// </summary>
public static class AzureCredentials
{
    /// <summary>The environment variable that names the credential.</summary>
    public const string Variable = "REGISTRY_UNLEARN_AZURE_CREDENTIAL";

    const string ClientId = "AZURE_CLIENT_ID";

    static readonly Dictionary<string, Func<Func<string, string?>, TokenCredential>> Table = new(StringComparer.Ordinal)
    {
        ["azure-cli"] = _ => new AzureCliCredential(),
        ["environment"] = _ => new EnvironmentCredential(),
        ["managed-identity"] = environment => new ManagedIdentityCredential(environment(ClientId) is { Length: > 0 } id
            ? ManagedIdentityId.FromUserAssignedClientId(id) : ManagedIdentityId.SystemAssigned),
        ["workload-identity"] = _ => new WorkloadIdentityCredential(),
    };

    /// <summary>What may be named, in ordinal order.</summary>
    public static IReadOnlyList<string> Names { get; } = [.. Table.Keys.Order(StringComparer.Ordinal)];

    /// <summary>The credential that the environment names. Asks nobody for a token yet.</summary>
    /// <param name="environment">Gives the value of a variable, or null.</param>
    /// <exception cref="RegistryException">Denied: no credential is named, or one that is not known.</exception>
    public static TokenCredential Create(Func<string, string?> environment)
    {
        var name = environment(Variable);
        return Table.TryGetValue(name ?? "", out var create) ? create(environment) : throw new RegistryException(RegistryErrorKind.Denied,
            Variable, $"{(string.IsNullOrEmpty(name) ? "it is not set" : "it names no credential that is known")}. "
            + $"Set it to one of {string.Join(", ", Names)}.");
    }
}
