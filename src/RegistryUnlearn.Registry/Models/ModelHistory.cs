using System.Text.Json;

namespace RegistryUnlearn.Registry;

public enum VersionStatus
{
    /// <summary>Made by others, without a manifest.</summary>
    Adopted,

    /// <summary>Made by a job.</summary>
    Published,

    /// <summary>Out of service, its files kept.</summary>
    Quarantined,

    /// <summary>Out of service, its files gone.</summary>
    Deleted,
}

/// <summary>A version in the history of its model.</summary>
/// <param name="Digest">Of its manifest; null for an adopted version, and where nothing remembers it.</param>
/// <param name="Parent">The version it was made from; null for none, or where nothing remembers it.</param>
/// <param name="Job">The job that made it.</param>
/// <param name="ReplacedBy">The version that took its place when it was withdrawn.</param>
public sealed record VersionRecord(
    int Version, VersionStatus Status, IReadOnlyList<Alias> Aliases, Digest? Digest = null, DateTimeOffset? Created = null,
    int? Parent = null, JobId? Job = null, int? ReplacedBy = null);

/// <summary>All versions that a model ever had, withdrawn ones included. Versions deleted are known by the jobs that made them.</summary>
public sealed class ModelHistory(IObjectStore store, JobStore jobs)
{
    readonly ModelRegistry registry = new(store);

    /// <summary>In ascending order of version; empty for an unknown model.</summary>
    /// <exception cref="RegistryException">Invalid: a manifest or a record cannot be read.</exception>
    public async Task<IReadOnlyList<VersionRecord>> ReadAsync(ModelName model, CancellationToken cancellation = default)
    {
        var aliases = await registry.ListAliasesAsync(model, cancellation);
        var versions = new SortedDictionary<int, VersionRecord>();
        foreach (var info in await registry.ListVersionsAsync(model, cancellation))
        {
            var status = info.IsAdopted ? VersionStatus.Adopted : VersionStatus.Published;
            versions[info.Version] = await DescribeAsync(
                New(info.Version, status), RegistryLayout.Manifest(model, info.Version), cancellation);
        }
        foreach (var withdrawal in await registry.ListWithdrawalsAsync(model, cancellation))
        {
            var status = withdrawal.Policy is ParentPolicy.Delete ? VersionStatus.Deleted : VersionStatus.Quarantined;
            var manifest = RegistryLayout.Quarantine(model, withdrawal.Version) + RegistryLayout.ManifestFile;
            var version = await DescribeAsync(New(withdrawal.Version, status), manifest, cancellation);
            versions[withdrawal.Version] = version with { ReplacedBy = withdrawal.ReplacedBy?.Version };
        }
        if (versions.Values.Any(v => v.Status is VersionStatus.Deleted))
            await RememberAsync(model, versions, cancellation);
        return [.. versions.Values];

        VersionRecord New(int version, VersionStatus status) =>
            new(version, status, [.. aliases.Where(a => a.Target.Version == version).Select(a => a.Alias)]);
    }

    /// <summary>Adds what the manifest says, if there is one.</summary>
    async Task<VersionRecord> DescribeAsync(VersionRecord version, string path, CancellationToken cancellation)
    {
        if (await store.ReadAsync(path, cancellation) is not { } stored)
            return version;
        var manifest = Manifest.Parse(stored.Content.Span, path);
        return version with
        {
            Digest = Digest.Of(stored.Content.Span),
            Created = manifest.Created,
            Parent = manifest.Parent?.Version,
            Job = manifest.JobId,
        };
    }

    /// <summary>Deleted versions have no manifest any more: what is left is the record of the job.</summary>
    async Task RememberAsync(ModelName model, SortedDictionary<int, VersionRecord> versions, CancellationToken cancellation)
    {
        await foreach (var job in jobs.ListAsync(cancellation))
        {
            if ((await jobs.TryReadAsync(job, cancellation))?.State is { Result: { } result } state && result.Model == model
                && versions.TryGetValue(result.Version, out var version) && version.Status is VersionStatus.Deleted)
            {
                versions[result.Version] = version with
                {
                    Digest = result.Digest,
                    Created = state.Submitted,
                    Parent = await ParentAsync(job, cancellation),
                    Job = job,
                };
            }
        }
    }

    /// <summary>The version that the request names; null when it names an alias.</summary>
    async Task<int?> ParentAsync(JobId job, CancellationToken cancellation)
    {
        using var document = JsonDocument.Parse(await jobs.ReadRequestAsync(job, cancellation));
        return document.RootElement.GetProperty("request").TryGetProperty("model", out var model)
            && model.ValueKind is JsonValueKind.String && ModelReference.TryParse(model.GetString(), out var reference)
            ? reference.Version
            : null;
    }
}
