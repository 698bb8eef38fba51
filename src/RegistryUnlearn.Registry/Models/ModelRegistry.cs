namespace RegistryUnlearn.Registry;

/// <summary>Models, their versions and aliases over an object store. Thread-safe; holds no state of its own.</summary>
public sealed partial class ModelRegistry(IObjectStore store)
{
    static readonly StringComparer Ordinal = StringComparer.Ordinal;

    /// <summary>Folders at the root that have a model's name and at least one version-numbered folder, in ordinal order.</summary>
    public async Task<IReadOnlyList<ModelName>> ListModelsAsync(CancellationToken cancellation = default)
    {
        var models = new List<ModelName>();
        await foreach (var folder in store.ListFoldersAsync("", cancellation))
        {
            if (ModelName.TryParse(folder, out var model) && (await ListNumbersAsync(RegistryLayout.Model(model), cancellation)).Count > 0)
                models.Add(model);
        }
        models.Sort((a, b) => string.CompareOrdinal(a.ToString(), b.ToString()));
        return models;
    }

    /// <summary>The versions that can be resolved, ascending: complete ones of ours and adopted ones. Empty for an unknown model.</summary>
    public async Task<IReadOnlyList<VersionInfo>> ListVersionsAsync(ModelName model, CancellationToken cancellation = default)
    {
        var versions = new List<VersionInfo>();
        foreach (var version in await ListNumbersAsync(RegistryLayout.Model(model), cancellation))
        {
            if (await ReadWithdrawalAsync(model, version, cancellation) is not null)
                continue;
            if (await ExistsAsync(RegistryLayout.Manifest(model, version), cancellation))
                versions.Add(new(version, IsAdopted: false));
            else if (await ExistsAsync(RegistryLayout.Version(model, version) + RegistryLayout.ModelFile, cancellation)
                && !await ExistsAsync(RegistryLayout.Claim(model, version), cancellation))
                versions.Add(new(version, IsAdopted: true));
        }
        return versions;
    }

    /// <summary>Finds a version and its digest. An adopted version is read once, to compute digests.</summary>
    /// <exception cref="RegistryException">
    /// NotFound, listing what exists; Withdrawn; Unavailable while the version is being written; Corrupt when an alias points to other
    /// bytes.
    /// </exception>
    public async Task<ResolvedVersion> ResolveAsync(ModelReference reference, CancellationToken cancellation = default)
    {
        var alias = reference.Alias is { } name ? await ReadAliasOrExplainAsync(reference, name, cancellation) : null;
        var version = alias?.Version ?? reference.Version ?? throw new ArgumentException("The reference is empty.", nameof(reference));
        if (await ReadWithdrawalAsync(reference.Model, version, cancellation) is { } withdrawal)
            throw Withdrawn(reference, withdrawal);
        var resolved = await FindAsync(reference.Model, version, cancellation)
            ?? throw await NotFoundAsync(reference, version, cancellation);
        if (alias is not null && alias.Digest != resolved.Digest)
        {
            throw new RegistryException(RegistryErrorKind.Corrupt, reference.ToString(),
                $"version {version} has the digest {resolved.Digest}, but the alias was set to {alias.Digest}. Check the version, " +
                $"then set the alias again.");
        }
        return resolved;
    }

    /// <summary>
    /// Copies a version's files into a local folder under their own names, every digest verified. Files already there with the right bytes
    /// stay; a file with wrong bytes never gets its name.
    /// </summary>
    /// <exception cref="RegistryException">Corrupt: a file differs from its digest. NotFound: a file is missing.</exception>
    public async Task DownloadAsync(ResolvedVersion version, string localFolder, CancellationToken cancellation = default)
    {
        foreach (var file in version.Manifest.Files)
        {
            var source = RegistryLayout.Version(version.Model, version.Version) + ObjectPath.Check(file.Path);
            var target = Path.Combine(localFolder, file.Path.Replace('/', Path.DirectorySeparatorChar));
            await LocalFiles.DownloadAsync(store, source, target, file.Digest, file.Size, cancellation);
        }
    }

    internal async Task<bool> ExistsAsync(string path, CancellationToken cancellation) =>
        await store.GetSizeAsync(path, cancellation) is not null;

    /// <summary>Version-numbered direct sub-folders, ascending.</summary>
    internal async Task<List<int>> ListNumbersAsync(string folder, CancellationToken cancellation)
    {
        var numbers = new List<int>();
        await foreach (var name in store.ListFoldersAsync(folder, cancellation))
        {
            if (VersionNumber.TryParse(name, out var number))
                numbers.Add(number);
        }
        numbers.Sort();
        return numbers;
    }

    async Task<ResolvedVersion?> FindAsync(ModelName model, int version, CancellationToken cancellation)
    {
        var path = RegistryLayout.Manifest(model, version);
        if (await store.ReadAsync(path, cancellation) is { } stored)
        {
            var manifest = Manifest.Parse(stored.Content.Span, path);
            return manifest.Model == model && manifest.Version == version
                ? new(Digest.Of(stored.Content.Span), manifest, IsAdopted: false)
                : throw new RegistryException(RegistryErrorKind.Invalid, path,
                    $"it is the manifest of {manifest.Model}@{manifest.Version}. A version is not copied by hand: publish it, or " +
                    $"remove manifest.json to adopt it.");
        }
        if (!await ExistsAsync(RegistryLayout.Version(model, version) + RegistryLayout.ModelFile, cancellation))
            return null;
        if (await store.ReadAsync(RegistryLayout.Claim(model, version), cancellation) is { } claim)
        {
            throw new RegistryException(RegistryErrorKind.Unavailable, $"{model}@{version}",
                $"it is being written by job {System.Text.Encoding.ASCII.GetString(claim.Content.Span)}. Wait for it, or run that job " +
                $"again.");
        }
        return await AdoptAsync(model, version, cancellation);
    }

    async Task<ResolvedVersion> AdoptAsync(ModelName model, int version, CancellationToken cancellation)
    {
        var folder = RegistryLayout.Version(model, version);
        var files = new List<ManifestFile>();
        foreach (var entry in (await store.ListAsync(folder, cancellation).ToListAsync(cancellation)).OrderBy(e => e.Path, Ordinal))
        {
            var digest = await store.GetDigestAsync(entry.Path, cancellation)
                ?? throw new RegistryException(RegistryErrorKind.Unavailable, entry.Path,
                    "it was removed while it was read. Run again when the version is at rest.");
            var path = entry.Path[folder.Length..];
            files.Add(new(path, digest, entry.Size, "application/octet-stream", path == RegistryLayout.ModelFile ? "model" : "data"));
        }
        var manifest = new Manifest { SchemaVersion = Manifest.CurrentSchemaVersion, Model = model, Version = version, Files = files };
        manifest.Check(folder);
        return new(Digest.Of(manifest.ToJson()), manifest, IsAdopted: true);
    }

    async Task<RegistryException> NotFoundAsync(ModelReference reference, int version, CancellationToken cancellation)
    {
        var versions = await ListVersionsAsync(reference.Model, cancellation);
        if (versions.Count > 0)
        {
            return new(RegistryErrorKind.NotFound, reference.ToString(),
                $"there is no version {version}. Versions of {reference.Model}: {string.Join(", ", versions.Select(v => v.Version))}.");
        }
        var models = await ListModelsAsync(cancellation);
        return new(RegistryErrorKind.NotFound, reference.ToString(),
            $"there is no model '{reference.Model}'. Models here: {(models.Count > 0 ? string.Join(", ", models) : "none")}.");
    }
}
