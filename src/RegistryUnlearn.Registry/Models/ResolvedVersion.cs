namespace RegistryUnlearn.Registry;

/// <summary>
/// A version as found. <paramref name="Digest"/> is the SHA-256 of its manifest.json, or, for an adopted version (made by others, without
/// one),
/// of the manifest that lists its files.
/// </summary>
public sealed record ResolvedVersion(Digest Digest, Manifest Manifest, bool IsAdopted)
{
    public ModelName Model => Manifest.Model;

    public int Version => Manifest.Version;

    public VersionPointer Pointer => new(Version, Digest);
}

/// <summary>A row of a model's list of versions.</summary>
public sealed record VersionInfo(int Version, bool IsAdopted);

/// <summary>What becomes of the version that still knows the forgotten data.</summary>
public enum ParentPolicy
{
    /// <summary>It stays where it is.</summary>
    Keep,

    /// <summary>It moves out of consumers' sight, under <c>.registry-unlearn/quarantine</c>.</summary>
    Quarantine,

    /// <summary>Its files are removed.</summary>
    Delete,
}

/// <summary>
/// Why a version is no longer served; written before its files move. A version that was retired has no replacement.
/// </summary>
public sealed record Withdrawal(int Version, ParentPolicy Policy, VersionPointer? ReplacedBy = null);
