using System.Globalization;
using System.Runtime.CompilerServices;

namespace RegistryUnlearn.Registry;

/// <summary>Length and head of a verified chain.</summary>
public sealed record AuditVerification(long Lines, Digest Head);

/// <summary>
/// One append-only chain of lines over day files. Each line holds the hash of the one before, so that a changed, removed or inserted line
/// shows. A day's file ends in a line "closed" that names the next day; only then does that one begin, so that the chain never forks.
/// Cutting off the newest lines shows only against a head that was kept elsewhere.
/// </summary>
public sealed class AuditLog(IObjectStore store)
{
    /// <summary>What the first line names as its predecessor.</summary>
    public static readonly Digest Origin = Digest.Of([]);

    const string Closed = "closed";
    const string First = RegistryLayout.Audit + "first.json";

    /// <summary>Appends an entry once: repeating it changes nothing.</summary>
    /// <exception cref="ArgumentException">The event has the name that the log keeps for itself.</exception>
    public async Task AppendAsync(AuditEntry entry, CancellationToken cancellation = default)
    {
        if (entry.Event is Closed)
            throw new ArgumentException($"The event '{Closed}' is the log's own.", nameof(entry));
        entry = entry with { Time = entry.Time.ToUniversalTime() };
        var day = DateOnly.FromDateTime(entry.Time.UtcDateTime);
        await store.TryCreateAsync(First, RegistryJson.Serialize(new FirstDay(day)), cancellation);
        while (true)
        {
            var file = await OpenLastAsync(cancellation);
            if (await ContainsAsync(entry, day, file, cancellation))
                return;
            var isOlder = file.Day < day;
            var next = AuditLine.After(file.Last, isOlder ? Closing(entry.Time, day) : entry);
            byte[] bytes = [.. file.Bytes, .. next.ToJson(), (byte)'\n'];
            if (await store.WriteOrFindAsync(file.Path, bytes, file.ETag, cancellation) is not null && !isOlder)
                return;
        }
    }

    /// <summary>Reads the whole chain and checks every hash, number and link.</summary>
    /// <exception cref="RegistryException">Corrupt: names the file and the line.</exception>
    public async Task<AuditVerification> VerifyAsync(CancellationToken cancellation = default)
    {
        AuditLine? last = null;
        await foreach (var (line, where) in ReadLinesAsync(cancellation))
        {
            if (line != AuditLine.After(last, line.Entry))
                throw Broken(where, "does not follow from the line before it");
            last = line;
        }
        return new(last?.Sequence ?? 0, last?.Hash ?? Origin);
    }

    /// <summary>All entries in order, without the lines that only close a day.</summary>
    public async IAsyncEnumerable<AuditLine> ReadAsync(
        [EnumeratorCancellation] CancellationToken cancellation = default)
    {
        await foreach (var (line, _) in ReadLinesAsync(cancellation))
        {
            if (line.Entry.Event is not Closed)
                yield return line;
        }
    }

    async IAsyncEnumerable<(AuditLine Line, string Where)> ReadLinesAsync(
        [EnumeratorCancellation] CancellationToken cancellation)
    {
        var files = new Queue<DateOnly>(await ListDaysAsync(cancellation));
        var expected = await ReadFirstAsync(cancellation);
        if (expected is null && files.Count > 0)
            throw Broken(First, "is missing");
        while (files.TryDequeue(out var day))
        {
            if (day != expected)
                throw Broken(PathOf(day),
                    $"is not the next file of the chain, which is {(expected is { } e ? PathOf(e) : "not named yet")}");
            var file = await ReadDayAsync(day, null, cancellation);
            for (var i = 0; i < file.Lines.Count; i++)
                yield return (file.Lines[i], $"{file.Path}, line {i + 1}");
            expected = NextDay(file.Last);
        }
    }

    /// <summary>The file to append to: the newest one, or the one that it names when it is closed.</summary>
    async Task<DayFile> OpenLastAsync(CancellationToken cancellation)
    {
        var days = await ListDaysAsync(cancellation);
        var newest = days.Count > 0 ? days[^1] : await ReadFirstAsync(cancellation) ?? throw Broken(First, "is missing");
        var file = await ReadDayAsync(newest, null, cancellation);
        while (file.Lines.Count > 0 && NextDay(file.Last) is { } next)
            file = await ReadDayAsync(next, file.Last, cancellation);
        return file;
    }

    /// <summary>Looks where an earlier attempt can have put the entry: in files of its day and later ones.</summary>
    async Task<bool> ContainsAsync(AuditEntry entry, DateOnly day, DayFile newest, CancellationToken cancellation)
    {
        if (newest.Lines.Any(l => l.Entry.IsSameAs(entry)))
            return true;
        foreach (var candidate in await ListDaysAsync(cancellation))
        {
            if (candidate >= day && candidate < newest.Day
                && (await ReadDayAsync(candidate, null, cancellation)).Lines.Any(l => l.Entry.IsSameAs(entry)))
                return true;
        }
        return false;
    }

    async Task<DayFile> ReadDayAsync(DateOnly day, AuditLine? before, CancellationToken cancellation)
    {
        var path = PathOf(day);
        if (await store.ReadAsync(path, cancellation) is not { } stored)
            return new(day, path, [], [], before, null);
        var bytes = stored.Content;
        var lines = new List<AuditLine>();
        for (var start = 0; start < bytes.Length;)
        {
            var length = bytes.Span[start..].IndexOf((byte)'\n');
            if (length < 0)
                throw Broken($"{path}, line {lines.Count + 1}", "does not end");
            lines.Add(AuditLine.Parse(bytes.Slice(start, length), $"{path}, line {lines.Count + 1}"));
            start += length + 1;
        }
        return new(day, path, bytes.ToArray(), lines, lines.Count > 0 ? lines[^1] : before, stored.ETag);
    }

    async Task<List<DateOnly>> ListDaysAsync(CancellationToken cancellation)
    {
        var days = new List<DateOnly>();
        await foreach (var entry in store.ListAsync(RegistryLayout.Audit, cancellation))
        {
            if (DateOnly.TryParseExact(entry.Path[RegistryLayout.Audit.Length..], "yyyy'/'MM'/'dd'.jsonl'", CultureInfo.InvariantCulture,
                DateTimeStyles.None, out var day))
                days.Add(day);
        }
        days.Sort();
        return days;
    }

    async Task<DateOnly?> ReadFirstAsync(CancellationToken cancellation) =>
        await store.ReadAsync(First, cancellation) is { } stored
            ? RegistryJson.Deserialize<FirstDay>(stored.Content.Span, First).Day
            : null;

    static AuditEntry Closing(DateTimeOffset time, DateOnly next) => new(time, Closed, "day",
        new Dictionary<string, string> { ["next"] = next.ToString("yyyy-MM-dd", CultureInfo.InvariantCulture) });

    static DateOnly? NextDay(AuditLine? last) => last?.Entry.Event is Closed
        && DateOnly.TryParseExact(last.Entry.Details.GetValueOrDefault("next"), "yyyy-MM-dd", CultureInfo.InvariantCulture,
            DateTimeStyles.None, out var next)
            ? next
            : null;

    static string PathOf(DateOnly day) => RegistryLayout.Audit + day.ToString("yyyy'/'MM'/'dd", CultureInfo.InvariantCulture) + ".jsonl";

    static RegistryException Broken(string where, string what) =>
        new(RegistryErrorKind.Corrupt, where, $"the audit log was tampered with or damaged: this {what}. Restore it from a backup.");

    sealed record FirstDay(DateOnly Day);

    /// <summary>A day's lines; Last is the newest line of the chain up to and including this file.</summary>
    sealed record DayFile(DateOnly Day, string Path, byte[] Bytes, List<AuditLine> Lines, AuditLine? Last, ETag? ETag);
}
