namespace RegistryUnlearn.Lineage;

/// <summary>A statement with the envelope that holds it and its signatures.</summary>
public sealed record LineageEntry(DsseEnvelope Envelope, Statement Statement);

/// <summary>A version's statements, one DSSE envelope per line (an in-toto bundle). The order carries no meaning.</summary>
public static class LineageFile
{
    /// <summary>Largest file that is read, in bytes.</summary>
    public const int MaxBytes = 16 << 20;

    /// <summary>UTF-8 lines, each ended by LF. Without a key, the same statements give the same bytes.</summary>
    /// <param name="key">Signs each statement; null for none.</param>
    public static byte[] Write(IEnumerable<Statement> statements, SigningKey? key = null)
    {
        using var lines = new MemoryStream();
        foreach (var statement in statements)
        {
            var envelope = key is null
                ? new DsseEnvelope(Statement.PayloadType, statement.ToJson())
                : DsseEnvelope.Sign(Statement.PayloadType, statement.ToJson(), key, key.PublicKey.Hint);
            lines.Write(envelope.ToJson());
            lines.WriteByte((byte)'\n');
        }
        return lines.ToArray();
    }

    /// <summary>The in-toto statements of a file; empty lines and envelopes of other payload types are passed over.</summary>
    /// <param name="place">The file's name, named in errors with the line.</param>
    /// <exception cref="LineageException">Too large, or a line is not an envelope of a statement.</exception>
    public static IReadOnlyList<LineageEntry> Read(ReadOnlyMemory<byte> content, string place)
    {
        if (content.Length > MaxBytes)
            throw new LineageException(place, $"{content.Length} bytes are more than {MaxBytes}. This is no lineage file.");
        var entries = new List<LineageEntry>();
        for (var (number, start) = (1, 0); start < content.Length; number++)
        {
            var length = content.Span[start..].IndexOf((byte)'\n');
            var line = length < 0 ? content[start..] : content.Slice(start, length);
            start += line.Length + 1;
            if (line.Span.IndexOfAnyExcept(" \t\r"u8) < 0)
                continue;
            var envelope = DsseEnvelope.Parse(line, $"{place}, line {number}");
            if (envelope.PayloadType == Statement.PayloadType)
                entries.Add(new(envelope, Statement.Parse(envelope.Payload.Span, $"{place}, line {number}")));
        }
        return entries;
    }
}
