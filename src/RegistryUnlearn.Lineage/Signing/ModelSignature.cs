using System.Security.Cryptography;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace RegistryUnlearn.Lineage;

/// <summary>A signed file: its path in the model's folder, '/' between segments, and its SHA-256 in hexadecimal.</summary>
public sealed record SignedResource(string Name, string Sha256);

/// <summary>
/// An OpenSSF Model Signing v1.0 bundle, key method, over whole files with SHA-256: <c>model.sig</c>. It signs every file of a folder but
/// itself, those of git at the top, and the paths that it names as ignored.
/// </summary>
/// <param name="Subject">What the signer calls the model; says nothing.</param>
/// <param name="Resources">In order of code points, each name once.</param>
/// <param name="IgnorePaths">Files or folders that are not covered.</param>
/// <param name="Hint">Which key signed, as the bundle has it: <see cref="VerificationKey.Hint"/>; null in old bundles.</param>
public sealed record ModelSignature(
    string Subject, IReadOnlyList<SignedResource> Resources, IReadOnlyList<string> IgnorePaths, string? Hint, DsseEnvelope Envelope)
{
    public const string MediaType = "application/vnd.dev.sigstore.bundle.v0.3+json";
    public const string PredicateType = "https://model_signing/signature/v1.0";

    /// <summary>Largest file that is read, in bytes.</summary>
    public const int MaxBytes = 64 << 20;

    internal const string Method = "files";
    internal const string Algorithm = "sha256";

    /// <summary>Never covered, whatever the bundle says (OpenSSF Model Signing v1.0).</summary>
    static readonly string[] AlwaysIgnored = [".git", ".gitattributes", ".github", ".gitignore"];

    /// <summary>Signs files.</summary>
    /// <param name="subject">Name of the model; informational.</param>
    /// <param name="files">Path to SHA-256 in hexadecimal, without the signature's own file; at least one.</param>
    /// <param name="ignorePaths">Files in the folder that are not covered.</param>
    /// <returns>The bundle: JSON ended by LF.</returns>
    public static byte[] Sign(
        string subject, IReadOnlyDictionary<string, string> files, IReadOnlyList<string> ignorePaths, SigningKey key)
    {
        SignedResource[] resources =
            [.. files.OrderBy(f => f.Key, CodePointOrder.Instance).Select(f => new SignedResource(f.Key, Sha256.Check(f.Value)))];
        var statement = new JsonObject
        {
            ["_type"] = Statement.TypeUri,
            ["subject"] = new JsonArray(new JsonObject
            {
                ["name"] = subject,
                ["digest"] = new JsonObject { [Algorithm] = RootDigest(resources) },
            }),
            ["predicateType"] = PredicateType,
            ["predicate"] = new JsonObject
            {
                ["resources"] = new JsonArray([.. resources.Select(r => new JsonObject
                {
                    ["name"] = r.Name,
                    ["algorithm"] = Algorithm,
                    ["digest"] = r.Sha256,
                })]),
                ["serialization"] = new JsonObject
                {
                    ["method"] = Method,
                    ["hash_type"] = Algorithm,
                    ["allow_symlinks"] = false,
                    ["ignore_paths"] = new JsonArray([.. ignorePaths.Select(p => (JsonNode)p)]),
                },
            },
        };
        var payload = JsonSerializer.SerializeToUtf8Bytes(statement, LineageJson.Options);
        var bundle = new JsonObject
        {
            ["mediaType"] = MediaType,
            ["verificationMaterial"] = new JsonObject
            {
                ["publicKey"] = new JsonObject { ["hint"] = key.PublicKey.Hint },
                ["tlogEntries"] = new JsonArray(),
            },
            ["dsseEnvelope"] = DsseEnvelope.Sign(Statement.PayloadType, payload, key, keyId: "").ToNode(),
        };
        return [.. JsonSerializer.SerializeToUtf8Bytes(bundle, LineageJson.Options), (byte)'\n'];
    }

    /// <param name="place">Named in errors.</param>
    /// <exception cref="LineageException">Not such a bundle, or one of a method that is not understood here.</exception>
    public static ModelSignature Parse(ReadOnlyMemory<byte> json, string place) => ModelSignatureReader.Read(json, place);

    /// <summary>SHA-256 over the digests of all resources in their order, as bytes.</summary>
    public static string RootDigest(IEnumerable<SignedResource> resources)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        foreach (var resource in resources)
            hash.AppendData(Convert.FromHexString(resource.Sha256));
        return Convert.ToHexStringLower(hash.GetHashAndReset());
    }

    /// <summary>Whether a file of the folder is covered, by its path.</summary>
    /// <param name="ownName">The signature's own path in the folder.</param>
    public bool Covers(string path, string ownName = LineageKeys.SignatureFileName) =>
        path != ownName && !AlwaysIgnored.Concat(IgnorePaths).Any(i => IsAtOrBelow(path, i));

    /// <summary>Compares what is signed with files (path to SHA-256 in hexadecimal).</summary>
    /// <returns>Every disagreement, in ordinal order of file; empty when all agree.</returns>
    public IReadOnlyList<LineageFinding> Compare(
        IReadOnlyDictionary<string, string> files, string ownName = LineageKeys.SignatureFileName)
    {
        var findings = new List<LineageFinding>();
        var signed = Resources.ToDictionary(r => r.Name, r => r.Sha256, StringComparer.Ordinal);
        foreach (var (name, digest) in signed)
        {
            if (!files.TryGetValue(name, out var found))
                findings.Add(new(LineageFault.Missing, name, $"'{name}' is signed and missing. Fetch the whole version."));
            else if (found != digest)
                findings.Add(new(LineageFault.Changed, name,
                    $"'{name}' is {found}; signed is {digest}. Do not use this version."));
        }
        foreach (var name in files.Keys.Where(f => !signed.ContainsKey(f) && Covers(f, ownName)))
            findings.Add(new(LineageFault.NotCovered, name, $"'{name}' is not signed. Remove it, or do not use this version."));
        return [.. findings.OrderBy(f => f.File, StringComparer.Ordinal)];
    }

    static bool IsAtOrBelow(string path, string ignored) => path.StartsWith(ignored, StringComparison.Ordinal)
        && (path.Length == ignored.Length || path[ignored.Length] is '/');
}
