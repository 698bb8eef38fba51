using System.Text.Json;
using System.Text.Json.Nodes;
using RegistryUnlearn.Lineage;
using RegistryUnlearn.Registry;
using RegistryUnlearn.Worker.Requests;

namespace RegistryUnlearn.Worker.Jobs;

/// <summary>
/// The files of a version that speak about the others: model card, lineage and, with a key, the signature. The same job gives the same
/// bytes, apart from the signatures, which are randomised; whichever are fixed first at Committing are the version's.
/// </summary>
sealed class Attestations(
    UnlearningRequest request, FetchedJob fetched, PreparedJob job, JobAudit audit, JobState state, ForgetCommitment forgetSet,
    SigningKey? key, string folder)
{
    const string CardRole = "model-card", LineageRole = "lineage", SignatureRole = "signature";
    const string LineageMediaType = "application/jsonl";

    /// <summary>Writes them into the local folder that holds the other files.</summary>
    /// <param name="manifest">The manifest without them.</param>
    public IReadOnlyList<PublishFile> Write(Manifest manifest)
    {
        var card = Save(LineageKeys.CardFileName, CardRole, ModelCard.MediaType, Card(manifest).ToJson());
        manifest = manifest with { Files = [.. manifest.Files, Row(card)] };
        var lineage = Save(LineageKeys.FileName, LineageRole, LineageMediaType, Lineage(manifest));
        if (key is null)
            return [card, lineage];
        manifest = manifest with { Files = [.. manifest.Files, Row(lineage)] };
        return [card, lineage, Save(LineageKeys.SignatureFileName, SignatureRole, ModelSignature.MediaType, Signature(manifest, key))];
    }

    PublishFile Save(string path, string role, string mediaType, byte[] content)
    {
        var local = Path.Combine(folder, path);
        File.WriteAllBytes(local, content);
        return new(local, path, role, mediaType);
    }

    static ManifestFile Row(PublishFile file)
    {
        using var stream = File.OpenRead(file.LocalPath);
        return new(file.Path, Digest.Of(stream), stream.Length, file.MediaType, file.Role);
    }

    ModelCard Card(Manifest manifest) => new()
    {
        Model = (manifest.Model.ToString(), manifest.Version),
        Parent = (fetched.Parent.Model.ToString(), fetched.Parent.Version),
        Files = Subject(manifest),
        ParentFiles = Subject(fetched.Parent.Manifest),
        DataSets = DataFiles(),
        Formats = (
            Format($"{job.Model.Contract.InputType}", job.Model.Contract.InputShape),
            Format($"{job.Model.Contract.LogitsType}", job.Model.Contract.LogitsShape)),
        Method = request.Method.Method.Name,
        Forgotten = forgetSet.Count,
        Metrics = audit.Result.After.Metrics,
        JobId = state.JobId.ToString(),
        Created = state.Submitted,
        ToolVersion = PublishStage.ProductVersion,
    };

    byte[] Lineage(Manifest manifest)
    {
        var subject = Subject(manifest);
        return LineageFile.Write(
            [
                Statement.Of(subject, Provenance()), Statement.Of(subject, Unlearning()), Statement.Of(subject, Gates()),
                Statement.Of(subject, Version(manifest)),
            ],
            key);
    }

    static byte[] Signature(Manifest manifest, SigningKey key) => ModelSignature.Sign(
        $"{manifest.Version}", manifest.Files.ToDictionary(f => f.Path, f => f.Digest.Hex), [Manifest.FileName], key);

    ProvenancePredicate Provenance()
    {
        var parent = fetched.Parent;
        var parameters = new JsonObject
        {
            ["model"] = request.Model.ToString(),
            ["method"] = request.Method.Method.Name,
            ["seed"] = request.Seed,
            ["options"] = request.Method.OptionsJson(),
        };
        if (!request.Defence.IsNone)
            parameters["defence"] = JsonSerializer.SerializeToNode(request.Defence, RequestJson.Options);
        return new(
            new BuildDefinition(BuildDefinition.UnlearningBuildType, parameters,
            [
                .. parent.Manifest.Files.Select(f =>
                    new ResourceDescriptor($"{parent.Model}/{parent.Version}/{f.Path}", Digest: new DigestSet(f.Digest.Hex))),
                .. DataFiles(),
            ]),
            new RunDetails(
                new Builder("https://registryunlearn.dev/worker", PublishStage.Versions()),
                new BuildMetadata(state.JobId.ToString(), state.Submitted)));
    }

    UnlearningPredicate Unlearning()
    {
        var options = request.Method.OptionsJson();
        return new()
        {
            Method = request.Method.Method.Name,
            Options = options,
            Harmonization = options["harmonization"]?.GetValue<string>(),
            Seed = request.Seed,
            ForgetSet = forgetSet,
            Metrics = audit.Result.After.Metrics,
            Versions = PublishStage.Versions(),
        };
    }

    TestResultPredicate Gates()
    {
        return new([], Names(passed: true), [], Names(passed: false));

        string[] Names(bool passed) => [.. audit.Result.Gates.Where(g => g.Passed == passed).Select(g => g.Metric)];
    }

    VersionPredicate Version(Manifest manifest)
    {
        var rows = manifest.Files.Select(f => new VersionFile(f.Path, f.MediaType, f.Role))
            .Append(new(LineageKeys.FileName, LineageMediaType, LineageRole));
        if (key is not null)
            rows = rows.Append(new(LineageKeys.SignatureFileName, ModelSignature.MediaType, SignatureRole));
        return new(
            manifest.Model.ToString(), manifest.Version, manifest.Created!.Value, manifest.JobId!.Value.ToString(),
            [.. rows.OrderBy(r => r.Path, StringComparer.Ordinal)],
            manifest.Parent is { } parent ? new(parent.Version, parent.Digest.Hex) : null);
    }

    static ResourceDescriptor[] Subject(Manifest manifest) =>
        [.. manifest.Files.Select(f => ResourceDescriptor.File(f.Path, f.Digest.Hex))];

    ResourceDescriptor[] DataFiles() =>
        [.. fetched.DataFiles.Select(d => new ResourceDescriptor(d.Key, Digest: new DigestSet(d.Value.Hex)))];

    static string Format(string type, IReadOnlyList<long?> shape) =>
        $"{type.ToUpperInvariant()}[{string.Join(", ", shape.Select((d, axis) => d?.ToString() ?? (axis is 0 ? "batch" : "any")))}]";
}
