namespace RegistryUnlearn.Lineage;

/// <summary>
/// Our own predicate: what a version's manifest says beside the digests and sizes of the files. A manifest lists the lineage file and so
/// cannot be covered by its signatures; with this statement every byte of it follows from what is signed.
/// </summary>
/// <param name="Created">The manifest's time of creation.</param>
/// <param name="Files">All files of the version but the manifest, in ordinal order of path.</param>
public sealed record VersionPredicate(
    string Model, int Version, DateTimeOffset Created, string JobId, IReadOnlyList<VersionFile> Files, VersionParent? Parent = null)
{
    public const string TypeUri = "https://registryunlearn.dev/version/v1";
}

/// <param name="Sha256">Digest of the parent's manifest, 64 hexadecimal digits.</param>
public sealed record VersionParent(int Version, string Sha256);

public sealed record VersionFile(string Path, string MediaType, string Role);
