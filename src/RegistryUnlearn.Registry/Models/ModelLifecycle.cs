namespace RegistryUnlearn.Registry;

/// <summary>What people decide about versions, each decision with its line in the audit log. Every call can be repeated.</summary>
public sealed class ModelLifecycle(IObjectStore store, TimeProvider clock)
{
    readonly ModelRegistry registry = new(store);
    readonly AuditLog audit = new(store);

    /// <summary>Points an alias to a version, forwards or backwards.</summary>
    /// <returns>The version, and where the alias pointed before; null for a new alias.</returns>
    /// <exception cref="RegistryException">NotFound, Withdrawn, or Unavailable while the version is being written.</exception>
    public async Task<(ResolvedVersion Target, VersionPointer? Before)> PromoteAsync(
        ModelReference reference, Alias alias, CancellationToken cancellation = default)
    {
        var target = await registry.ResolveAsync(reference, cancellation);
        var before = await registry.ReadAliasAsync(target.Model, alias, cancellation);
        await registry.SetAliasAsync(target.Model, alias, target.Version, cancellation);
        var details = new Dictionary<string, string> { ["alias"] = alias.ToString(), ["digest"] = target.Digest.ToString() };
        if (before is not null)
            details["before"] = $"{target.Model}@{before.Version}";
        await audit.AppendAsync(new(clock.GetUtcNow(), "promoted", $"{target.Model}@{target.Version}", details), cancellation);
        return (target, before);
    }

    /// <inheritdoc cref="ModelRegistry.RetireAsync"/>
    public async Task<Withdrawal> RetireAsync(
        ModelName model, int version, ParentPolicy policy, CancellationToken cancellation = default)
    {
        var withdrawal = await registry.RetireAsync(model, version, policy, cancellation);
        var details = new Dictionary<string, string> { ["policy"] = withdrawal.Policy.ToString() };
        await audit.AppendAsync(new(clock.GetUtcNow(), "retired", $"{model}@{version}", details), cancellation);
        return withdrawal;
    }
}
