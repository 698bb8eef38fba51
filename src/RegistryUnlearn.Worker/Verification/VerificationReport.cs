using RegistryUnlearn.Registry;

namespace RegistryUnlearn.Worker.Verification;

public enum CheckOutcome
{
    Passed,
    Failed,

    /// <summary>There was nothing to hold it against, such as a public key.</summary>
    NotChecked,
}

/// <param name="Name">What is checked: files, manifest, lineage, statement signatures, model signature.</param>
/// <param name="Detail">The result in a sentence.</param>
/// <param name="Findings">What is wrong, one sentence each; long lists are cut short and say so.</param>
public sealed record VerificationCheck(string Name, CheckOutcome Outcome, string Detail, IReadOnlyList<string> Findings)
{
    const int MaxFindings = 20;

    internal static VerificationCheck Passed(string name, string detail) => new(name, CheckOutcome.Passed, detail, []);

    internal static VerificationCheck NotChecked(string name, string detail) => new(name, CheckOutcome.NotChecked, detail, []);

    internal static VerificationCheck Failed(string name, string detail, params IReadOnlyList<string> findings) =>
        new(name, CheckOutcome.Failed, detail, findings.Count <= MaxFindings
            ? findings
            : [.. findings.Take(MaxFindings), $"and {findings.Count - MaxFindings} more"]);
}

/// <summary>What was found out about a version, and what that proves.</summary>
/// <param name="Target">Where the files are.</param>
/// <param name="IsAuthenticated">All checks passed, and signatures were among them.</param>
public sealed record VerificationReport(
    string Target, bool IsAuthenticated, IReadOnlyList<VerificationCheck> Checks, IReadOnlyList<string> Proven,
    IReadOnlyList<string> NotProven)
{
    /// <summary>No check failed. Without a public key this says that everything agrees, not who made it.</summary>
    public bool IsVerified => Checks.All(c => c.Outcome is not CheckOutcome.Failed);
}

/// <summary>Which version the files are said to be.</summary>
/// <param name="Digests">Digests that its manifest must have, with who says so.</param>
public sealed record ExpectedVersion(ModelName Model, int Version, IReadOnlyList<(Digest Digest, string Source)> Digests);
