using System.Text.Json.Serialization;

namespace RegistryUnlearn.Registry;

/// <summary>A version by number, held to its bytes by digest.</summary>
public sealed record VersionPointer(int Version, Digest Digest);

/// <summary>One file of a version. <paramref name="Path"/> is relative to the version's folder; <paramref name="Size"/> in bytes.</summary>
public sealed record ManifestFile(
    string Path,
    [property: JsonPropertyName("sha256"), JsonConverter(typeof(HexDigestConverter))] Digest Digest,
    long Size,
    string MediaType,
    string Role);

/// <summary>What a version consists of. Its SHA-256 is the digest of the version.</summary>
public sealed record Manifest
{
    public const int CurrentSchemaVersion = 1;
    public const int MaxFiles = 10_000;

    /// <summary>Path in the version's folder.</summary>
    public const string FileName = RegistryLayout.ManifestFile;

    public required int SchemaVersion { get; init; }

    public required ModelName Model { get; init; }

    public required int Version { get; init; }

    /// <summary>When the version was made; absent for an adopted version.</summary>
    public DateTimeOffset? Created { get; init; }

    /// <summary>The job that made the version; absent for an adopted version.</summary>
    public JobId? JobId { get; init; }

    /// <summary>The version this one was made from.</summary>
    public VersionPointer? Parent { get; init; }

    /// <summary>Every file but the manifest itself, in ordinal order of path, each path once; <c>model.onnx</c> is among them.</summary>
    public required IReadOnlyList<ManifestFile> Files { get; init; }

    /// <summary>UTF-8 JSON; equal manifests give equal bytes.</summary>
    public byte[] ToJson() => RegistryJson.Serialize(this);

    /// <exception cref="RegistryException">Invalid: not a manifest, of an unknown schema version, or with paths that break the
    /// rules.</exception>
    public static Manifest Parse(ReadOnlySpan<byte> json, string path)
    {
        var manifest = RegistryJson.Deserialize<Manifest>(json, path);
        manifest.Check(path);
        return manifest;
    }

    /// <exception cref="RegistryException">Invalid: see <see cref="Parse"/>.</exception>
    public void Check(string path)
    {
        if (SchemaVersion is not CurrentSchemaVersion)
            throw Invalid(path, $"schemaVersion {SchemaVersion} is not {CurrentSchemaVersion}. Read it with the release that wrote it");
        if (Version < 1 || Parent?.Version < 1)
            throw Invalid(path, "version and parent.version are positive");
        if (Files.Count > MaxFiles)
            throw Invalid(path, $"files has {Files.Count} rows, more than {MaxFiles}");
        string? previous = null;
        foreach (var file in Files)
        {
            if (file is null)
                throw Invalid(path, "files has a row that is null");
            ObjectPath.Check(file.Path);
            if (file.Path == RegistryLayout.ManifestFile)
                throw Invalid(path, "files names the manifest itself");
            if (file.Size < 0)
                throw Invalid(path, $"the size of '{file.Path}' is negative");
            if (string.CompareOrdinal(previous, file.Path) >= 0)
                throw Invalid(path, $"files is not in ordinal order, or has '{file.Path}' twice");
            previous = file.Path;
        }
        if (!Files.Any(f => f.Path == RegistryLayout.ModelFile))
            throw Invalid(path, $"files lacks {RegistryLayout.ModelFile}");
    }

    static RegistryException Invalid(string path, string what) =>
        new(RegistryErrorKind.Invalid, path, $"{what}. Restore the manifest from a backup, or remove it if it is not ours.");
}
