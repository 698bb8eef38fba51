namespace RegistryUnlearn.Lineage;

/// <summary>A version's statements, one DSSE envelope per line (an in-toto bundle). The order carries no meaning.</summary>
public static class LineageFile
{
    /// <summary>Largest file that is read, in bytes.</summary>
    public const int MaxBytes = 16 << 20;

    /// <summary>UTF-8 lines, each ended by LF. The same statements give the same bytes.</summary>
    public static byte[] Write(IEnumerable<Statement> statements)
    {
        using var lines = new MemoryStream();
        foreach (var statement in statements)
        {
            lines.Write(new DsseEnvelope(Statement.PayloadType, statement.ToJson()).ToJson());
            lines.WriteByte((byte)'\n');
        }
        return lines.ToArray();
    }

    /// <summary>The in-toto statements of a file; empty lines and envelopes of other payload types are passed over.</summary>
    /// <param name="place">The file's name, named in errors with the line.</param>
    /// <exception cref="LineageException">Too large, or a line is not an envelope of a statement.</exception>
    public static IReadOnlyList<Statement> Read(ReadOnlyMemory<byte> content, string place)
    {
        if (content.Length > MaxBytes)
            throw new LineageException(place, $"{content.Length} bytes are more than {MaxBytes}. This is no lineage file.");
        var statements = new List<Statement>();
        for (var (number, start) = (1, 0); start < content.Length; number++)
        {
            var length = content.Span[start..].IndexOf((byte)'\n');
            var line = length < 0 ? content[start..] : content.Slice(start, length);
            start += line.Length + 1;
            if (line.Span.IndexOfAnyExcept(" \t\r"u8) < 0)
                continue;
            var envelope = DsseEnvelope.Parse(line, $"{place}, line {number}");
            if (envelope.PayloadType == Statement.PayloadType)
                statements.Add(Statement.Parse(envelope.Payload.Span, $"{place}, line {number}"));
        }
        return statements;
    }
}
