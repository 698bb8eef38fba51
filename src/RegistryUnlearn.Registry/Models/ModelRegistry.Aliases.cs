namespace RegistryUnlearn.Registry;

public sealed partial class ModelRegistry
{
    /// <summary>The aliases of a model, in ordinal order of name.</summary>
    public async Task<IReadOnlyList<(Alias Alias, VersionPointer Target)>> ListAliasesAsync(ModelName model,
        CancellationToken cancellation = default)
    {
        var aliases = new List<(Alias Alias, VersionPointer Target)>();
        var folder = RegistryLayout.Aliases(model);
        foreach (var entry in await store.ListAsync(folder, cancellation).ToListAsync(cancellation))
        {
            if (Alias.TryParse(Path.GetFileNameWithoutExtension(entry.Path), out var alias)
                && await ReadAliasAsync(model, alias, cancellation) is { } target)
                aliases.Add((alias, target));
        }
        aliases.Sort((a, b) => string.CompareOrdinal(a.Alias.ToString(), b.Alias.ToString()));
        return aliases;
    }

    /// <summary>Where an alias points; null when there is none.</summary>
    public async Task<VersionPointer?> ReadAliasAsync(ModelName model, Alias alias, CancellationToken cancellation = default)
    {
        var path = RegistryLayout.AliasFile(model, alias);
        return await store.ReadAsync(path, cancellation) is { } stored ? ParsePointer(stored, path) : null;
    }

    /// <summary>Points an alias to an existing version, forwards or backwards.</summary>
    /// <exception cref="RegistryException">NotFound or Withdrawn: the version cannot be resolved.</exception>
    public async Task<ResolvedVersion> SetAliasAsync(ModelName model, Alias alias, int version, CancellationToken cancellation = default)
    {
        var target = await ResolveAsync(ModelReference.To(model, version), cancellation);
        VersionPointer? before = null;
        await MoveAliasAsync(model, alias, current =>
        {
            before = current;
            return target.Pointer;
        }, cancellation);
        if (await ReadWithdrawalAsync(model, version, cancellation) is not { } withdrawal)
            return target;
        // Withdrawn meanwhile: whoever did it may have looked for aliases before this one was set.
        await MoveAliasAsync(model, alias, current => current == target.Pointer ? withdrawal.ReplacedBy ?? before : null, cancellation);
        throw Withdrawn(ModelReference.To(model, version), withdrawal);
    }

    /// <summary>
    /// Points an alias to a version unless it points to a later one: repeating an old publication must not undo a newer one.
    /// </summary>
    internal Task AdvanceAliasAsync(ModelName model, Alias alias, VersionPointer target, CancellationToken cancellation) =>
        MoveAliasAsync(model, alias, current => current?.Version >= target.Version ? null : target, cancellation);

    /// <summary>
    /// Compare-and-swap until it holds. <paramref name="next"/> gives the new target, or null to leave the alias as it is.
    /// </summary>
    async Task MoveAliasAsync(ModelName model, Alias alias, Func<VersionPointer?, VersionPointer?> next, CancellationToken cancellation)
    {
        var path = RegistryLayout.AliasFile(model, alias);
        while (true)
        {
            var stored = await store.ReadAsync(path, cancellation);
            var current = stored is null ? null : ParsePointer(stored, path);
            if (next(current) is not { } target || target == current)
                return;
            var bytes = RegistryJson.Serialize(target);
            if (await store.WriteOrFindAsync(path, bytes, stored?.ETag, cancellation) is not null)
                return;
        }
    }

    async Task<VersionPointer> ReadAliasOrExplainAsync(ModelReference reference, Alias alias, CancellationToken cancellation)
    {
        if (await ReadAliasAsync(reference.Model, alias, cancellation) is { } target)
            return target;
        var aliases = await ListAliasesAsync(reference.Model, cancellation);
        var versions = await ListVersionsAsync(reference.Model, cancellation);
        if (aliases.Count is 0 && versions.Count is 0)
            throw await NotFoundAsync(reference, 0, cancellation);
        throw new RegistryException(RegistryErrorKind.NotFound, reference.ToString(),
            $"there is no alias '{alias}'. Aliases of {reference.Model}: " +
            $"{(aliases.Count > 0 ? string.Join(", ", aliases.Select(a => a.Alias)) : "none")}; versions: " +
            $"{(versions.Count > 0 ? string.Join(", ", versions.Select(v => v.Version)) : "none")}.");
    }

    static VersionPointer ParsePointer(StoredObject stored, string path)
    {
        var pointer = RegistryJson.Deserialize<VersionPointer>(stored.Content.Span, path);
        return pointer.Version > 0
            ? pointer
            : throw new RegistryException(RegistryErrorKind.Invalid, path, "version is not positive. Set the alias again.");
    }
}
