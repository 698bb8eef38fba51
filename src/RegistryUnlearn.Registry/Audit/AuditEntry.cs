using System.Text.Json;
using System.Text.Json.Nodes;

namespace RegistryUnlearn.Registry;

/// <summary>
/// What happened to what, when. Two entries with the same time, event and subject are one. Details hold names, versions, digests and
/// counts; never identities of samples.
/// </summary>
public sealed record AuditEntry(DateTimeOffset Time, string Event, string Subject, IReadOnlyDictionary<string, string> Details)
{
    internal bool IsSameAs(AuditEntry other) => (Time, Event, Subject) == (other.Time, other.Event, other.Subject);
}

/// <summary>An entry in the chain. The hash is over the canonical JSON of the line without its <c>hash</c> field.</summary>
public sealed record AuditLine(long Sequence, AuditEntry Entry, Digest Previous, Digest Hash)
{
    internal static AuditLine After(AuditLine? last, AuditEntry entry)
    {
        var (sequence, previous) = last is null ? (1, AuditLog.Origin) : (last.Sequence + 1, last.Hash);
        return new(sequence, entry, previous, Digest.Of(Body(sequence, entry, previous, null)));
    }

    /// <summary>The line without its LF.</summary>
    internal byte[] ToJson() => Body(Sequence, Entry, Previous, Hash);

    /// <exception cref="RegistryException">Corrupt: not an audit line.</exception>
    internal static AuditLine Parse(ReadOnlyMemory<byte> json, string where)
    {
        try
        {
            using var document = JsonDocument.Parse(json);
            var root = document.RootElement;
            var entry = new AuditEntry(
                root.GetProperty("time").GetDateTimeOffset().ToUniversalTime(),
                root.GetProperty("event").GetString()!,
                root.GetProperty("subject").GetString()!,
                root.GetProperty("details").EnumerateObject().ToDictionary(p => p.Name, p => p.Value.GetString()!, StringComparer.Ordinal));
            var line = new AuditLine(root.GetProperty("seq").GetInt64(), entry,
                Digest.Parse(root.GetProperty("prev").GetString()!), Digest.Parse(root.GetProperty("hash").GetString()!));
            return json.Span.SequenceEqual(line.ToJson()) ? line : throw new FormatException("it is not spelled as it was written");
        }
        catch (Exception e) when (e is JsonException or FormatException or InvalidOperationException
            or KeyNotFoundException or ArgumentException)
        {
            throw new RegistryException(RegistryErrorKind.Corrupt, where,
                $"this is not an audit line ({e.Message}). Restore the log from a backup.", e);
        }
    }

    static byte[] Body(long sequence, AuditEntry entry, Digest previous, Digest? hash)
    {
        var line = new JsonObject
        {
            ["seq"] = sequence,
            ["time"] = UtcTimeConverter.Format(entry.Time),
            ["event"] = entry.Event,
            ["subject"] = entry.Subject,
            ["details"] = new JsonObject(entry.Details.Select(d => KeyValuePair.Create(d.Key, (JsonNode?)d.Value))),
            ["prev"] = previous.ToString(),
        };
        if (hash is { } digest)
            line["hash"] = digest.ToString();
        return CanonicalJson.Canonicalize(line.ToJsonString());
    }
}
