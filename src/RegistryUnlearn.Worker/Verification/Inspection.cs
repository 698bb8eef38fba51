using RegistryUnlearn.Lineage;
using RegistryUnlearn.Registry;

namespace RegistryUnlearn.Worker.Verification;

/// <summary>What a folder holds, as read once: the documents are the bytes that their digests are of.</summary>
sealed record Inspection(
    VersionFiles Source, SortedDictionary<string, (Digest Digest, long Size)> Found,
    byte[]? Manifest, byte[]? Lineage, byte[]? Signature)
{
    /// <summary>Files that the statements cannot speak of: they are made after them.</summary>
    static readonly string[] Later = [Registry.Manifest.FileName, LineageKeys.FileName, LineageKeys.SignatureFileName];

    /// <param name="ignore">Files or folders that are left out, as if they were not there.</param>
    public static async Task<Inspection> OfAsync(VersionFiles source, IReadOnlyList<string> ignore, CancellationToken cancellation)
    {
        var found = await source.HashAsync(cancellation);
        foreach (var path in found.Keys.Where(f => ignore.Any(i => f == i || f.StartsWith(i + "/", StringComparison.Ordinal))).ToList())
            found.Remove(path);
        return new(source, found,
            await ReadAsync(Registry.Manifest.FileName, IObjectStore.MaxReadBytes),
            await ReadAsync(LineageKeys.FileName, LineageFile.MaxBytes),
            await ReadAsync(LineageKeys.SignatureFileName, ModelSignature.MaxBytes));

        async Task<byte[]?> ReadAsync(string path, int maxBytes)
        {
            if (!found.ContainsKey(path) || await source.ReadAsync(path, maxBytes, cancellation) is not { } content)
                return null;
            found[path] = (Digest.Of(content), content.Length);
            return content;
        }
    }

    /// <summary>Path to SHA-256 in hexadecimal.</summary>
    public Dictionary<string, string> Digests => Found.ToDictionary(f => f.Key, f => f.Value.Digest.Hex, StringComparer.Ordinal);

    /// <summary>The files that statements speak of.</summary>
    public Dictionary<string, string> Subjects => Digests.Where(f => !Later.Contains(f.Key)).ToDictionary(StringComparer.Ordinal);
}
