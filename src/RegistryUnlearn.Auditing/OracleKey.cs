using System.Globalization;
using System.Security.Cryptography;
using System.Text;

namespace RegistryUnlearn.Auditing;

/// <summary>
/// What the oracles of a request depend on: the data files and the forget set, not the method, its options or its seed. Requests with
/// the same key share their oracles; the key is an oracle file's <see cref="OracleFile.RequestDigest"/>.
/// </summary>
public static class OracleKey
{
    // UTF-8 that refuses unpaired surrogates: two different ids must not become the same bytes.
    static readonly UTF8Encoding Utf8 = new(false, throwOnInvalidBytes: true);

    /// <summary>
    /// SHA-256 of the canonical JSON (RFC 8785) of <c>{"data": {"holdout", "test", "train"}, "forget": [ids]}</c>, with the ids in
    /// UTF-16 order and each once; a set that the request does not have is left out.
    /// </summary>
    /// <param name="train">SHA-256 of the training data file, 64 lower-case hexadecimal digits; likewise the other two.</param>
    /// <param name="forgetIds">The ids to forget in any order.</param>
    /// <returns><c>sha256:</c> and 64 lower-case hexadecimal digits.</returns>
    /// <exception cref="AuditInputException">
    /// A digest has not this form, an id is not Unicode, or there are no ids; the message repeats no id.
    /// </exception>
    public static string Of(string train, string? holdout, string? test, IEnumerable<string> forgetIds)
    {
        var data = new (string Name, string? Digest)[] { ("holdout", holdout), ("test", test), ("train", train) }
            .Where(set => set.Digest is not null)
            .Select(set => $"\"{set.Name}\":\"{Checked(set.Name, set.Digest!)}\"");
        string[] forget = [.. forgetIds.Distinct(StringComparer.Ordinal).Order(StringComparer.Ordinal).Select(Quoted)];
        if (forget.Length == 0)
            throw new AuditInputException("the forget set is empty; name at least one id");
        var json = $$"""{"data":{{{string.Join(',', data)}}},"forget":[{{string.Join(',', forget)}}]}""";
        try
        {
            return "sha256:" + Convert.ToHexStringLower(SHA256.HashData(Utf8.GetBytes(json)));
        }
        catch (EncoderFallbackException)
        {
            throw new AuditInputException("an id of the forget set is not valid Unicode; write ids without unpaired surrogates");
        }
    }

    static string Checked(string name, string digest) => digest.Length == 64 && digest.AsSpan().IndexOfAnyExcept("0123456789abcdef") < 0
        ? digest
        : throw new AuditInputException(
            $"the digest of the {name} data must be 64 lower-case hexadecimal digits; compute it with sha256sum");

    static string Quoted(string id)
    {
        var text = new StringBuilder("\"");
        foreach (var c in id)
            _ = c switch
            {
                '"' or '\\' => text.Append('\\').Append(c),
                '\b' => text.Append("\\b"),
                '\t' => text.Append("\\t"),
                '\n' => text.Append("\\n"),
                '\f' => text.Append("\\f"),
                '\r' => text.Append("\\r"),
                < ' ' => text.Append(CultureInfo.InvariantCulture, $"\\u{(int)c:x4}"),
                _ => text.Append(c),
            };
        return text.Append('"').ToString();
    }
}
