namespace RegistryUnlearn.Lineage;

public enum LineageFault
{
    /// <summary>A statement speaks of a file that is not there.</summary>
    Missing,

    /// <summary>A file has another digest than a statement says.</summary>
    Changed,

    /// <summary>No statement speaks of the file.</summary>
    NotCovered,
}

public sealed record LineageFinding(LineageFault Fault, string File, string Message);

/// <summary>Whether statements and files agree. Says nothing about who made the statements: that is what signatures are for.</summary>
public static class LineageVerifier
{
    /// <summary>Compares statements with files (path in the version's folder, '/' between segments, to SHA-256 in hexadecimal).</summary>
    /// <returns>Every disagreement, in ordinal order of file; empty when all agree.</returns>
    public static IReadOnlyList<LineageFinding> Verify(IEnumerable<Statement> statements, IReadOnlyDictionary<string, string> files)
    {
        var findings = new HashSet<LineageFinding>();
        var covered = new HashSet<string>(StringComparer.Ordinal);
        foreach (var (statement, subject) in statements.SelectMany(s => s.Subject, (s, subject) => (s, subject)))
        {
            var (name, said) = (subject.Name!, subject.Digest!.Sha256);
            covered.Add(name);
            if (!files.TryGetValue(name, out var found))
                findings.Add(new(LineageFault.Missing, name,
                    $"'{name}' is missing; {statement.PredicateType} says {said}. Fetch the whole version."));
            else if (found != said)
                findings.Add(new(LineageFault.Changed, name,
                    $"'{name}' is {found}; {statement.PredicateType} says {said}. Do not use this version."));
        }
        foreach (var name in files.Keys.Where(f => !covered.Contains(f)))
            findings.Add(new(LineageFault.NotCovered, name, $"no statement speaks of '{name}'. Remove it, or do not use this version."));
        return [.. findings.OrderBy(f => f.File, StringComparer.Ordinal)
            .ThenBy(f => f.Fault)
            .ThenBy(f => f.Message, StringComparer.Ordinal)];
    }
}
