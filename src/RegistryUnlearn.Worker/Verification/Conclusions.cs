using RegistryUnlearn.Lineage;

namespace RegistryUnlearn.Worker.Verification;

/// <summary>What a verification proves and what it does not, for people who decide on it.</summary>
static class Conclusions
{
    /// <param name="key">The key that everything is signed by; null when no signature was checked.</param>
    public static IEnumerable<string> Proven(IReadOnlyList<LineageEntry>? lineage, VerificationKey? key, ExpectedVersion? expected)
    {
        yield return lineage is null
            ? "The files are those that the signature lists: none is missing, changed or added."
            : "The files are those that manifest and statements speak of: none is missing, changed or added.";
        foreach (var (_, source) in expected?.Digests ?? [])
            yield return $"The manifest is the one that {source} names.";
        if (key is null)
            yield break;
        yield return $"Whoever has the private key to {key.Hint} ({key.Curve}) signed them. "
            + "You gave that key; whose it is, you know from where you got it.";
        if (Find<UnlearningPredicate>(lineage, UnlearningPredicate.TypeUri) is { } run)
        {
            yield return $"The signer states: the method {run.Method} was run to forget {run.ForgetSet.Count} samples, "
                + $"bound by the commitment {run.ForgetSet.Algorithm} {run.ForgetSet.Value}.";
        }
        if (Find<TestResultPredicate>(lineage, TestResultPredicate.TypeUri) is { } gates)
        {
            yield return gates.PassedTests.Count + gates.WarnedTests.Count + gates.FailedTests.Count is 0
                ? "The signer states: the audit had no gates to pass."
                : $"The signer states: the audit's result is {gates.Result}, with "
                    + $"{gates.PassedTests.Count} gates passed and {gates.FailedTests.Count} failed.";
        }
    }

    public static IEnumerable<string> NotProven(bool passed, IReadOnlyList<LineageEntry>? lineage, bool isAuthenticated)
    {
        if (!passed)
        {
            yield return "Anything: something was changed, is missing, or does not belong to this version.";
            yield break;
        }
        if (!isAuthenticated)
            yield return "Who made this: no signature was checked, and whoever can write to the folder can make all of it anew.";
        yield return "When it was signed: there is no time stamp of a third party.";
        if (lineage is null)
            yield break;
        yield return "That the statements are true: they are the publisher's word. Metrics can be measured again from model and data.";
        yield return "Which samples were forgotten: the commitment is checked with their ids and its key, which are not published.";
        yield return "That nothing of them is left: the audit measures, it gives no (ε,δ) guarantee, and the parent still knows them.";
    }

    static T? Find<T>(IReadOnlyList<LineageEntry>? lineage, string type) where T : class
    {
        try
        {
            return lineage?.FirstOrDefault(e => e.Statement.PredicateType == type)?.Statement.PredicateAs<T>();
        }
        catch (LineageException)
        {
            return null;
        }
    }
}
