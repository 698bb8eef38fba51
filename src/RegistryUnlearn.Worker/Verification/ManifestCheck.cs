using RegistryUnlearn.Lineage;
using RegistryUnlearn.Registry;
using static RegistryUnlearn.Worker.Verification.VerificationCheck;

namespace RegistryUnlearn.Worker.Verification;

/// <summary>Whether the files are those of the manifest, and the manifest that of the statements.</summary>
static class ManifestCheck
{
    const string Name = "manifest";

    /// <summary>The files against the manifest: none changed, missing or added.</summary>
    public static VerificationCheck Files(Inspection inspection, Manifest manifest)
    {
        var findings = inspection.Source.Links.Select(l => $"'{l}' is a link. Put the file itself there.").ToList();
        var listed = manifest.Files.ToDictionary(f => f.Path, StringComparer.Ordinal);
        foreach (var file in manifest.Files)
        {
            if (!inspection.Found.TryGetValue(file.Path, out var found))
                findings.Add($"'{file.Path}' is missing.");
            else if (found != (file.Digest, file.Size))
                findings.Add($"'{file.Path}' has {found.Size} bytes and the digest {found.Digest}; "
                    + $"the manifest says {file.Size} and {file.Digest}.");
        }
        findings.AddRange(inspection.Found.Keys.Where(f => f != Manifest.FileName && !listed.ContainsKey(f))
            .Select(f => $"'{f}' is not in the manifest."));
        return findings.Count is 0
            ? Passed("files", $"{listed.Count} files, each with the digest and size that the manifest gives, and no other")
            : Failed("files", "the files are not those of the manifest; do not use this version", findings);
    }

    /// <summary>
    /// The manifest against the version's statement: built again from the statement and the files, it must have the same bytes.
    /// </summary>
    public static VerificationCheck Content(
        Inspection inspection, Manifest manifest, IReadOnlyList<LineageEntry>? lineage, ExpectedVersion? expected)
    {
        var findings = new List<string>();
        if (lineage is null)
            findings.Add($"there are no statements to hold it against: {LineageKeys.FileName} is missing or damaged.");
        else
            findings.AddRange(Statement(inspection, lineage));
        if (expected is not null)
        {
            if ((manifest.Model, manifest.Version) != (expected.Model, expected.Version))
                findings.Add($"it is that of {manifest.Model}@{manifest.Version}.");
            var digest = Digest.Of(inspection.Manifest);
            findings.AddRange(expected.Digests.Where(e => e.Digest != digest).Select(e => $"it is {digest}; {e.Source} says {e.Digest}."));
        }
        return findings.Count is 0
            ? Passed(Name, $"{manifest.Model}@{manifest.Version}, {Digest.Of(inspection.Manifest)}, every byte as the statements have it")
            : Failed(Name, $"{Manifest.FileName} is not that of this version; do not use it", findings);
    }

    static IEnumerable<string> Statement(Inspection inspection, IReadOnlyList<LineageEntry> lineage)
    {
        var statements = lineage.Where(e => e.Statement.PredicateType == VersionPredicate.TypeUri).ToList();
        if (statements.Count is not 1)
            return [$"{statements.Count} statements speak of it ({VersionPredicate.TypeUri}); one must."];
        try
        {
            var said = statements[0].Statement.PredicateAs<VersionPredicate>();
            var rebuilt = Rebuild(said, inspection);
            return rebuilt.ToJson().AsSpan().SequenceEqual(inspection.Manifest)
                ? []
                : [$"it differs from what the statement about {said.Model}@{said.Version} says."];
        }
        catch (Exception e) when (e is LineageException or FormatException or ArgumentException)
        {
            return [e.Message];
        }
    }

    /// <summary>Digests and sizes are those found; all else is the statement's.</summary>
    static Manifest Rebuild(VersionPredicate said, Inspection inspection) => new()
    {
        SchemaVersion = Manifest.CurrentSchemaVersion,
        Model = ModelName.Parse(said.Model),
        Version = said.Version,
        Created = said.Created,
        JobId = JobId.Parse(said.JobId),
        Parent = said.Parent is { } parent
            ? new(parent.Version, Digest.TryParseHex(parent.Sha256, out var digest) ? digest : Digest.Parse(parent.Sha256))
            : null,
        Files = [.. said.Files.Select(f => f is not null && inspection.Found.TryGetValue(f.Path, out var found)
            ? new ManifestFile(f.Path, found.Digest, found.Size, f.MediaType, f.Role)
            : throw new FormatException($"the statement names '{f?.Path}', which is not there."))],
    };
}
