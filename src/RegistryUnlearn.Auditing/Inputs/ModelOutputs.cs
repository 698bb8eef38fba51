namespace RegistryUnlearn.Auditing;

/// <summary>The sets an audit knows.</summary>
public static class AuditSets
{
    public const string Retained = "retained";
    public const string Forget = "forget";
    public const string Test = "test";
    public const string Holdout = "holdout";

    /// <summary>All of them, in the order in which they are reported.</summary>
    public static IReadOnlyList<string> All { get; } = [Retained, Forget, Test, Holdout];
}

/// <summary>What one model answers on every set of the audit.</summary>
public sealed record ModelOutputs
{
    /// <param name="name">Name of the model or of the method that made it.</param>
    /// <param name="sets">By <see cref="AuditSets"/> name; forget and retained are required, test and holdout optional.</param>
    /// <exception cref="AuditInputException">A required set is missing, a name is unknown, or the numbers of classes differ.</exception>
    public ModelOutputs(string name, IReadOnlyDictionary<string, SetOutputs> sets)
    {
        (Name, Sets) = (name, sets);
        foreach (var required in (string[])[AuditSets.Forget, AuditSets.Retained])
            if (!sets.ContainsKey(required))
                throw new AuditInputException($"model '{name}': set '{required}' is missing; an audit needs forget and retained");
        foreach (var key in sets.Keys)
            if (!AuditSets.All.Contains(key))
                throw new AuditInputException($"model '{name}': unknown set '{key}'; known sets: {string.Join(", ", AuditSets.All)}");
        if (sets.Values.Select(set => set.Classes).Distinct().Count() > 1)
            throw new AuditInputException($"model '{name}': the sets differ in their number of classes");
    }

    public string Name { get; }
    public IReadOnlyDictionary<string, SetOutputs> Sets { get; }
}
