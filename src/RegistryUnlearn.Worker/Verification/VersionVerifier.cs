using RegistryUnlearn.Lineage;
using RegistryUnlearn.Registry;
using static RegistryUnlearn.Worker.Verification.VerificationCheck;

namespace RegistryUnlearn.Worker.Verification;

/// <summary>
/// Verifies a version offline: its files against its manifest, the manifest against the statements, statements and files against the key
/// that the verifier trusts. A folder that others signed by OpenSSF Model Signing is held against that signature.
/// </summary>
public static class VersionVerifier
{
    /// <param name="key">The publisher's; null checks only that everything agrees.</param>
    /// <param name="ignore">Files or folders to leave out, for signatures that do not write down what they left out.</param>
    /// <param name="expected">Which version it is said to be; null for any.</param>
    /// <exception cref="InputException">The files cannot be read as those of a version.</exception>
    public static async Task<VerificationReport> VerifyAsync(
        VersionFiles files, VerificationKey? key, IReadOnlyList<string> ignore, ExpectedVersion? expected = null,
        CancellationToken cancellation = default)
    {
        var inspection = await Inspection.OfAsync(files, ignore, cancellation);
        var isOurs = inspection.Manifest is not null || inspection.Lineage is not null || SignatureLeavesOutManifest(inspection);
        var checks = new List<VerificationCheck>();
        var lineage = isOurs ? Ours(inspection, key, expected, checks) : null;
        if (isOurs || inspection.Signature is not null)
            checks.Add(SignatureCheck.Model(inspection, isOurs, key));
        else
        {
            checks.Add(Failed("files",
                $"there is neither {Manifest.FileName} nor {LineageKeys.SignatureFileName}: nothing to verify with"));
        }
        var passed = checks.All(c => c.Outcome is not CheckOutcome.Failed);
        var isAuthenticated = passed && key is not null;
        return new(files.Place, isAuthenticated, checks,
            passed ? [.. Conclusions.Proven(lineage, isAuthenticated ? key : null, expected)] : [],
            [.. Conclusions.NotProven(passed, lineage, isAuthenticated)]);
    }

    /// <summary>The checks of a version that a job made; its statements, or null when they cannot be read.</summary>
    static IReadOnlyList<LineageEntry>? Ours(
        Inspection inspection, VerificationKey? key, ExpectedVersion? expected, List<VerificationCheck> checks)
    {
        var lineage = Lineage(inspection, checks);
        if (inspection.Manifest is null)
            checks.Add(Failed("files", $"{Manifest.FileName} is missing; fetch the whole version"));
        else
        {
            try
            {
                var manifest = Manifest.Parse(inspection.Manifest, Manifest.FileName);
                checks.Add(ManifestCheck.Files(inspection, manifest));
                checks.Add(ManifestCheck.Content(inspection, manifest, lineage, expected));
            }
            catch (RegistryException e)
            {
                checks.Add(Failed("manifest", e.Message));
            }
        }
        if (lineage is not null)
            checks.Add(SignatureCheck.Statements(lineage, key));
        return lineage;
    }

    static IReadOnlyList<LineageEntry>? Lineage(Inspection inspection, List<VerificationCheck> checks)
    {
        if (inspection.Lineage is null)
        {
            checks.Add(Failed("lineage", $"{LineageKeys.FileName} is missing; fetch the whole version"));
            return null;
        }
        try
        {
            var entries = LineageFile.Read(inspection.Lineage, LineageKeys.FileName);
            var findings = LineageVerifier.Verify(entries.Select(e => e.Statement), inspection.Subjects);
            checks.Add(findings.Count is 0
                ? Passed("lineage", $"{entries.Count} statements, all about these files")
                : Failed("lineage", "the statements are about other files; do not use this version", [.. findings.Select(f => f.Message)]));
            return entries;
        }
        catch (LineageException e)
        {
            checks.Add(Failed("lineage", e.Message));
            return null;
        }
    }

    /// <summary>A version of ours whose manifest and statements were taken away is still one of ours.</summary>
    static bool SignatureLeavesOutManifest(Inspection inspection)
    {
        try
        {
            return inspection.Signature is { } bundle
                && ModelSignature.Parse(bundle, LineageKeys.SignatureFileName).IgnorePaths.Contains(Manifest.FileName);
        }
        catch (LineageException)
        {
            return false;
        }
    }
}
