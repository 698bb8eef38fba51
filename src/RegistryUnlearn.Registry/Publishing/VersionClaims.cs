using System.Text;

namespace RegistryUnlearn.Registry;

/// <summary>
/// The right to write a version: a file that holds the job's id, created once and never removed. A job that ends without using its claim
/// leaves a hole in the numbers, which is harmless; removing a claim would not be, because two jobs could then hold one.
/// </summary>
sealed class VersionClaims(IObjectStore store, ModelRegistry registry)
{
    /// <summary>The version that the job has claimed before and nobody has completed, or else the next free one.</summary>
    public async Task<int> ClaimAsync(ModelName model, JobId job, CancellationToken cancellation)
    {
        while (true)
        {
            var claims = await ListFilesAsync(RegistryLayout.Claims(model), "", cancellation);
            if (await FindOwnAsync(model, job, claims, cancellation) is { } own)
                return own;
            var withdrawn = await ListFilesAsync(RegistryLayout.Withdrawals(model), ".json", cancellation);
            var folders = await registry.ListNumbersAsync(RegistryLayout.Model(model), cancellation);
            var next = claims.Concat(withdrawn).Concat(folders).DefaultIfEmpty(0).Max() + 1;
            var claim = Encoding.ASCII.GetBytes(job.ToString());
            if (await store.CreateOrFindAsync(RegistryLayout.Claim(model, next), claim, cancellation) is not null)
                return next;
        }
    }

    /// <summary>
    /// Looks down from the highest claim to the first complete version: only jobs under way have claims above it, apart from rare holes
    /// further down, which stay holes.
    /// </summary>
    async Task<int?> FindOwnAsync(ModelName model, JobId job, List<int> claims, CancellationToken cancellation)
    {
        foreach (var version in claims.OrderDescending())
        {
            if (await registry.ExistsAsync(RegistryLayout.Manifest(model, version), cancellation)
                || await registry.ExistsAsync(RegistryLayout.Withdrawal(model, version), cancellation))
                return null;
            var claim = await store.ReadAsync(RegistryLayout.Claim(model, version), cancellation);
            if (claim is not null && Encoding.ASCII.GetString(claim.Content.Span) == job.ToString())
                return version;
        }
        return null;
    }

    async Task<List<int>> ListFilesAsync(string folder, string extension, CancellationToken cancellation)
    {
        var numbers = new List<int>();
        await foreach (var entry in store.ListAsync(folder, cancellation))
        {
            if (entry.Path.EndsWith(extension, StringComparison.Ordinal)
                && VersionNumber.TryParse(entry.Path[folder.Length..^extension.Length], out var number))
                numbers.Add(number);
        }
        return numbers;
    }
}
