using RegistryUnlearn.Lineage;
using RegistryUnlearn.Registry;
using static RegistryUnlearn.Worker.Verification.VerificationCheck;

namespace RegistryUnlearn.Worker.Verification;

/// <summary>Whether the statements and the files are signed by the key that the verifier trusts.</summary>
static class SignatureCheck
{
    const string StatementsName = "statement signatures", ModelName = "model signature";

    /// <param name="key">Null when the verifier gave none.</param>
    public static VerificationCheck Statements(IReadOnlyList<LineageEntry> lineage, VerificationKey? key)
    {
        var signed = lineage.Count(e => e.Envelope.Signatures.Count > 0);
        if (key is null)
        {
            return NotChecked(StatementsName, signed is 0
                ? "the statements are not signed"
                : $"{signed} of {lineage.Count} statements are signed; no public key was given to check them with");
        }
        var findings = lineage.Where(e => !e.Envelope.IsSignedBy(key))
            .Select(e => $"the statement {e.Statement.PredicateType} is not signed by it.").ToList();
        return findings.Count is 0 && lineage.Count > 0
            ? Passed(StatementsName, $"{lineage.Count} statements, each signed by the given key")
            : Failed(StatementsName, $"not everything is signed by the given key {key.Hint}", findings);
    }

    /// <param name="isOurs">The version has a manifest, which must be all that the signature leaves out.</param>
    public static VerificationCheck Model(Inspection inspection, bool isOurs, VerificationKey? key)
    {
        if (inspection.Signature is null)
        {
            return key is null
                ? NotChecked(ModelName, $"there is no {LineageKeys.SignatureFileName}: the version is not signed")
                : Failed(ModelName, $"there is no {LineageKeys.SignatureFileName}: the version is not signed");
        }
        try
        {
            return Model(inspection, ModelSignature.Parse(inspection.Signature, LineageKeys.SignatureFileName), isOurs, key);
        }
        catch (LineageException e)
        {
            return Failed(ModelName, e.Message);
        }
    }

    static VerificationCheck Model(Inspection inspection, ModelSignature signature, bool isOurs, VerificationKey? key)
    {
        var findings = signature.Compare(inspection.Digests).Select(f => f.Message).ToList();
        findings.AddRange(inspection.Source.Links.Select(l => $"'{l}' is a link, which is not signed."));
        if (isOurs && !signature.IgnorePaths.SequenceEqual([Manifest.FileName]))
        {
            var leftOut = string.Join(", ", signature.IgnorePaths.DefaultIfEmpty("nothing"));
            findings.Add($"it leaves out {leftOut}, not {Manifest.FileName} alone.");
        }
        if (key is not null && !signature.Envelope.IsSignedBy(key))
            findings.Add($"it is not signed by the given key {key.Hint}"
                + (signature.Hint == key.Hint ? "; it was changed." : $", but by one that calls itself {signature.Hint ?? "nothing"}."));
        else if (key is not null && signature.Hint is { } hint && hint != key.Hint)
            findings.Add($"it calls its key {hint}, which is not the given one's name.");
        if (findings.Count > 0)
            return Failed(ModelName, "the signature does not hold for these files; do not use this version", findings);
        var files = $"{signature.Resources.Count} files";
        var without = signature.IgnorePaths.Count > 0 ? $", without {string.Join(", ", signature.IgnorePaths)}" : "";
        return key is null
            ? NotChecked(ModelName, $"{files}{without}, as it says; no public key was given to check who signed "
                + $"({signature.Hint ?? "an unnamed key"} by its own account)")
            : Passed(ModelName, $"{files}{without}, signed by the given key");
    }
}
