namespace RegistryUnlearn.Registry;

public sealed partial class ModelRegistry
{
    /// <summary>Why a version is no longer served; null while it is.</summary>
    public async Task<Withdrawal?> ReadWithdrawalAsync(ModelName model, int version, CancellationToken cancellation = default)
    {
        var path = RegistryLayout.Withdrawal(model, version);
        return await store.ReadAsync(path, cancellation) is { } stored
            ? RegistryJson.Deserialize<Withdrawal>(stored.Content.Span, path)
            : null;
    }

    /// <summary>
    /// Takes a version out of service: aliases move on to the replacement, then the files move to quarantine or go. Each step can be
    /// repeated by anyone. A version withdrawn before keeps its record, except that a quarantined one can still be deleted. Its number is
    /// never used again.
    /// </summary>
    public async Task WithdrawAsync(ModelName model, int version, ParentPolicy policy, VersionPointer replacement,
        CancellationToken cancellation = default)
    {
        if (policy is ParentPolicy.Keep)
            return;
        if (replacement.Version == version)
            throw new ArgumentException($"Version {version} cannot replace itself.", nameof(replacement));
        await MoveAliasesOnAsync(model, version, replacement, cancellation);
        await RecordAsync(model, new(version, policy, replacement), cancellation);
        // Between the first move and the record, someone may have set another alias to the version; from the record on nobody can.
        await MoveAliasesOnAsync(model, version, replacement, cancellation);
        await CompleteWithdrawalAsync(model, version, cancellation);
    }

    /// <summary>
    /// Takes a version out of service that no other replaces: its files move to quarantine or go. Can be repeated; a quarantined version
    /// can still be deleted. Its number is never used again.
    /// </summary>
    /// <exception cref="RegistryException">
    /// Conflict: an alias points to it. NotFound, or Unavailable while the version is being written.
    /// </exception>
    public async Task<Withdrawal> RetireAsync(ModelName model, int version, ParentPolicy policy, CancellationToken cancellation = default)
    {
        if (policy is ParentPolicy.Keep)
            throw new ArgumentException("A version that is kept is not retired.", nameof(policy));
        if (await ReadWithdrawalAsync(model, version, cancellation) is null)
            await ResolveAsync(ModelReference.To(model, version), cancellation);
        var aliases = (await ListAliasesAsync(model, cancellation)).Where(a => a.Target.Version == version).Select(a => a.Alias).ToList();
        if (aliases.Count > 0)
        {
            throw new RegistryException(RegistryErrorKind.Conflict, $"{model}@{version}",
                $"consumers reach it by the alias {string.Join(", ", aliases)}. Promote another version first.");
        }
        // Whoever sets an alias to it meanwhile looks for the record afterwards and takes the alias back.
        await RecordAsync(model, new(version, policy, null), cancellation);
        await CompleteWithdrawalAsync(model, version, cancellation);
        return (await ReadWithdrawalAsync(model, version, cancellation))!;
    }

    /// <summary>The versions taken out of service, ascending.</summary>
    public async Task<IReadOnlyList<Withdrawal>> ListWithdrawalsAsync(ModelName model, CancellationToken cancellation = default)
    {
        var withdrawals = new List<Withdrawal>();
        foreach (var entry in await store.ListAsync(RegistryLayout.Withdrawals(model), cancellation).ToListAsync(cancellation))
        {
            if (VersionNumber.TryParse(Path.GetFileNameWithoutExtension(entry.Path), out var version)
                && await ReadWithdrawalAsync(model, version, cancellation) is { } withdrawal)
                withdrawals.Add(withdrawal);
        }
        return [.. withdrawals.OrderBy(w => w.Version)];
    }

    /// <summary>Removes what is left in the folder of a withdrawn version; does nothing for a version in service.</summary>
    internal async Task CompleteWithdrawalAsync(ModelName model, int version, CancellationToken cancellation)
    {
        Withdrawal? done = null;
        while (await ReadWithdrawalAsync(model, version, cancellation) is { } withdrawal && withdrawal != done)
        {
            await RemoveAsync(model, withdrawal, cancellation);
            done = withdrawal;
        }
    }

    async Task RecordAsync(ModelName model, Withdrawal withdrawal, CancellationToken cancellation)
    {
        var path = RegistryLayout.Withdrawal(model, withdrawal.Version);
        while (true)
        {
            var stored = await store.ReadAsync(path, cancellation);
            var recorded = stored is null ? null : RegistryJson.Deserialize<Withdrawal>(stored.Content.Span, path);
            if (recorded is not null && recorded.Policy >= withdrawal.Policy)
                return;
            var bytes = RegistryJson.Serialize(recorded is null ? withdrawal : recorded with { Policy = withdrawal.Policy });
            if (await store.WriteOrFindAsync(path, bytes, stored?.ETag, cancellation) is not null)
                return;
        }
    }

    async Task RemoveAsync(ModelName model, Withdrawal withdrawal, CancellationToken cancellation)
    {
        var folder = RegistryLayout.Version(model, withdrawal.Version);
        var quarantine = RegistryLayout.Quarantine(model, withdrawal.Version);
        var entries = await store.ListAsync(folder, cancellation).ToListAsync(cancellation);
        // Consumers open model.onnx first: it goes first, so that none sees a model without its data files.
        foreach (var entry in entries.OrderByDescending(e => e.Path == folder + RegistryLayout.ModelFile).ThenBy(e => e.Path, Ordinal))
        {
            if (withdrawal.Policy is ParentPolicy.Quarantine)
                await CopyToQuarantineAsync(entry.Path, quarantine + entry.Path[folder.Length..], cancellation);
            await store.DeleteAsync(entry.Path, cancellation);
        }
        if (withdrawal.Policy is not ParentPolicy.Delete)
            return;
        foreach (var entry in await store.ListAsync(quarantine, cancellation).ToListAsync(cancellation))
            await store.DeleteAsync(entry.Path, cancellation);
    }

    async Task MoveAliasesOnAsync(ModelName model, int version, VersionPointer replacement, CancellationToken cancellation)
    {
        foreach (var (alias, _) in await ListAliasesAsync(model, cancellation))
            await MoveAliasAsync(model, alias, current => current?.Version == version ? replacement : null, cancellation);
    }

    async Task CopyToQuarantineAsync(string source, string target, CancellationToken cancellation)
    {
        try
        {
            if (await store.TryCopyAsync(source, target, cancellation))
                return;
        }
        catch (RegistryException e) when (e.Kind is RegistryErrorKind.NotFound)
        {
            // Another worker moved the file meanwhile; the check below says whether it arrived.
        }
        var original = await store.GetDigestAsync(source, cancellation);
        var copy = await store.GetDigestAsync(target, cancellation);
        if (copy is null || (original is not null && original != copy))
        {
            throw new RegistryException(RegistryErrorKind.Conflict, target,
                $"the quarantine holds another file than {source}. Remove one of the two, then run the same job again.");
        }
    }

    static RegistryException Withdrawn(ModelReference reference, Withdrawal withdrawal)
    {
        var files = withdrawal.Policy is ParentPolicy.Quarantine
            ? $"was quarantined; its files are under {RegistryLayout.Quarantine(reference.Model, withdrawal.Version)}"
            : "was deleted";
        return new(RegistryErrorKind.Withdrawn, reference.ToString(),
            $"version {withdrawal.Version} {files}. " + (withdrawal.ReplacedBy is { } replacement
                ? $"Use {reference.Model}@{replacement.Version}, which replaced it."
                : $"It was retired; use another version of {reference.Model}."));
    }
}
