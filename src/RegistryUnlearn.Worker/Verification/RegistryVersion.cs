using RegistryUnlearn.Registry;

namespace RegistryUnlearn.Worker.Verification;

/// <summary>A version of a registry as something to verify.</summary>
public static class RegistryVersion
{
    /// <summary>Which version a reference means, and which digests the registry's own records give it.</summary>
    /// <exception cref="RegistryException">
    /// NotFound, Withdrawn, Unavailable while the version is being written, or Corrupt for an adopted version that its alias does not fit.
    /// </exception>
    public static async Task<ExpectedVersion> FindAsync(
        IObjectStore store, JobStore jobs, ModelReference reference, CancellationToken cancellation = default)
    {
        var models = new ModelRegistry(store);
        var digests = new List<(Digest, string)>();
        var model = reference.Model;
        var number = reference.Version;
        if (reference.Alias is { } alias && await models.ReadAliasAsync(model, alias, cancellation) is { } target)
        {
            digests.Add((target.Digest, $"the alias '{alias}'"));
            number = target.Version;
        }
        if (number is not { } version || await models.ReadWithdrawalAsync(model, version, cancellation) is not null
            || await store.ReadAsync($"{model}/{version}/{Manifest.FileName}", cancellation) is not { } manifest)
        {
            // Explains what is not there, is withdrawn or is being written; an adopted version is found.
            var adopted = await models.ResolveAsync(reference, cancellation);
            return new(model, adopted.Version, []);
        }
        if (await FindResultAsync(jobs, manifest, cancellation) is { } result && (result.Model, result.Version) == (model, version))
            digests.Add((result.Digest, "the record of the job that made it"));
        return new(model, version, digests);
    }

    /// <summary>A manifest that cannot be read names no job; verification will say so.</summary>
    static async Task<JobResult?> FindResultAsync(JobStore jobs, StoredObject manifest, CancellationToken cancellation)
    {
        try
        {
            return Manifest.Parse(manifest.Content.Span, Manifest.FileName).JobId is { } job
                ? (await jobs.TryReadAsync(job, cancellation))?.State.Result
                : null;
        }
        catch (RegistryException e) when (e.Kind is RegistryErrorKind.Invalid)
        {
            return null;
        }
    }
}
