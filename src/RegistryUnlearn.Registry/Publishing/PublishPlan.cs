namespace RegistryUnlearn.Registry;

/// <summary>A local file that becomes part of a version, under <paramref name="Path"/> in the version's folder.</summary>
public sealed record PublishFile(string LocalPath, string Path, string Role, string MediaType);

/// <summary>A version to be made. The same plan on the same files gives the same bytes, up to the version's number and what <see
/// cref="Seal"/> makes of it.</summary>
public sealed record PublishPlan
{
    public required ModelName Model { get; init; }

    /// <summary>The version's files in any order; <c>model.onnx</c> is among them, <c>manifest.json</c> is not.</summary>
    public required IReadOnlyList<PublishFile> Files { get; init; }

    /// <summary>
    /// Makes the files that speak about the others and about the version's number, such as its lineage, once the number is claimed; null
    /// for none. Given the manifest as it is without them, whose files are staged already. May be called again, for the same number or
    /// another.
    /// </summary>
    public Func<Manifest, IReadOnlyList<PublishFile>>? Seal { get; init; }

    /// <summary>Time of creation to record. Taken from the caller, so that a repetition gives the same manifest.</summary>
    public required DateTimeOffset Created { get; init; }

    /// <summary>The version this one was made from.</summary>
    public VersionPointer? Parent { get; init; }

    /// <summary>What becomes of the parent. <value><see cref="ParentPolicy.Quarantine"/></value></summary>
    public ParentPolicy ParentPolicy { get; init; } = ParentPolicy.Quarantine;

    /// <summary>An alias to move to the new version; null for none.</summary>
    public Alias? Alias { get; init; }
}
