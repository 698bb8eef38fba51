using System.Globalization;
using System.Reflection;
using System.Security.Cryptography;
using System.Text.Json.Nodes;
using RegistryUnlearn.Auditing.Report;
using RegistryUnlearn.Lineage;
using RegistryUnlearn.Registry;
using RegistryUnlearn.Unlearning.Methods;
using RegistryUnlearn.Worker.Requests;

namespace RegistryUnlearn.Worker.Jobs;

/// <summary>
/// Writes the files of the new version into a local folder and says how to publish them. The same job gives the same bytes.
/// </summary>
static class PublishStage
{
    public static readonly string ProductVersion = typeof(PublishStage).Assembly
        .GetCustomAttribute<AssemblyInformationalVersionAttribute>()!.InformationalVersion.Split('+')[0];

    /// <summary>Files that a version has beside the model: data files of a model must not have their names.</summary>
    public static IReadOnlyList<string> OwnFiles { get; } = ["metrics.json", "report.html", LineageKeys.FileName, "manifest.json"];

    public static PublishPlan Plan(
        UnlearningRequest request, FetchedJob fetched, PreparedJob job, MethodRun run, JobAudit audit, JobState state,
        ReadOnlySpan<byte> key, string folder)
    {
        Directory.CreateDirectory(folder);
        WriteModel(request, fetched, job, run, state, folder);
        File.WriteAllBytes(Path.Combine(folder, "metrics.json"), audit.Result.ToJson());
        File.WriteAllText(Path.Combine(folder, "report.html"), Report(request, fetched, audit, state));
        var files = new List<PublishFile> { Published("model.onnx", "model", "application/onnx") };
        files.AddRange(job.Model.File.ExternalDataFiles.Select(f => Published(f, "model-data", "application/octet-stream")));
        files.Add(Published("metrics.json", "metrics", "application/json"));
        files.Add(Published("report.html", "report", "text/html"));
        File.WriteAllBytes(Path.Combine(folder, LineageKeys.FileName), Lineage(request, fetched, job, audit, state, key, files));
        files.Add(Published(LineageKeys.FileName, "lineage", "application/jsonl"));
        return new PublishPlan
        {
            Model = request.Model.Model,
            Files = files,
            Created = state.Submitted,
            Parent = fetched.Parent.Pointer,
            ParentPolicy = request.ParentPolicy,
            Alias = request.Alias,
        };

        PublishFile Published(string path, string role, string mediaType) => new(Path.Combine(folder, path), path, role, mediaType);
    }

    static void WriteModel(UnlearningRequest request, FetchedJob fetched, PreparedJob job, MethodRun run, JobState state, string folder)
    {
        var parameters = new Dictionary<string, ReadOnlyMemory<float>>();
        var result = run.Result;
        for (var i = 0; i < result.TensorCount; i++)
            parameters[result.Layout[i].Name] = result[i].ToArray();
        job.Model.File.SaveWithParameters(folder, parameters, new Dictionary<string, string>
        {
            [LineageKeys.ParentSha256] = fetched.ModelDigest.Hex,
            [LineageKeys.Job] = state.JobId.ToString(),
            [LineageKeys.Method] = request.Method.Method.Name,
            [LineageKeys.Lineage] = LineageKeys.FileName,
        });
    }

    static string Report(UnlearningRequest request, FetchedJob fetched, JobAudit audit, JobState state) =>
        ReportWriter.Write(new ReportInput(
            audit.Result, audit.Before, audit.After, audit.Oracles, audit.Steps,
            new ErasureRecord(
                $"successor of {fetched.Parent.Model}@{fetched.Parent.Version}",
                $"{fetched.Parent.Model}@{fetched.Parent.Version}",
                Describe(request.ParentPolicy),
                state.JobId.ToString(),
                request.Method.Method.Name,
                [
                    new RecordSection("Run", [.. audit.Notes.Select((n, i) => new RecordEntry($"Note {i + 1}", n))]),
                    new RecordSection("Method",
                    [
                        new("Seed", request.Seed.ToString(CultureInfo.InvariantCulture)),
                        .. request.Method.OptionsJson().Select(o => new RecordEntry(o.Key, $"{o.Value}")),
                    ]),
                    new RecordSection("Data",
                    [
                        new("Parent model.onnx", fetched.ModelDigest.ToString()),
                        .. DataFiles(fetched).Select(d => new RecordEntry(d.Key, d.Value.ToString())),
                    ]),
                    new RecordSection("Software", [.. Versions().Select(v => new RecordEntry(v.Key, v.Value))]),
                ],
                state.Submitted.UtcDateTime.ToString("yyyy-MM-dd HH:mm 'UTC'", CultureInfo.InvariantCulture))));

    static string Describe(ParentPolicy policy) => policy switch
    {
        ParentPolicy.Keep => "The parent stays in the registry and still knows the forgotten samples.",
        ParentPolicy.Delete => "The parent is deleted from the registry once the new version stands; "
            + "copies elsewhere still know the forgotten samples.",
        _ => "The parent is moved out of reach of consumers (quarantined); it still knows the forgotten samples until it is deleted.",
    };

    static byte[] Lineage(
        UnlearningRequest request, FetchedJob fetched, PreparedJob job, JobAudit audit, JobState state,
        ReadOnlySpan<byte> key, List<PublishFile> files)
    {
        ResourceDescriptor[] subject = [.. files.Select(f => ResourceDescriptor.File(f.Path, Sha256Of(f.LocalPath)))];
        var options = request.Method.OptionsJson();
        var parameters = new JsonObject
        {
            ["model"] = request.Model.ToString(),
            ["method"] = request.Method.Method.Name,
            ["seed"] = request.Seed,
            ["options"] = options.DeepClone(),
        };
        var parent = fetched.Parent;
        var provenance = new ProvenancePredicate(
            new BuildDefinition(BuildDefinition.UnlearningBuildType, parameters,
            [
                .. parent.Manifest.Files.Select(f =>
                    new ResourceDescriptor($"{parent.Model}/{parent.Version}/{f.Path}", Digest: new DigestSet(f.Digest.Hex))),
                .. DataFiles(fetched).Select(d => new ResourceDescriptor(d.Key, Digest: new DigestSet(d.Value.Hex))),
            ]),
            new RunDetails(
                new Builder("https://registryunlearn.dev/worker", Versions()),
                new BuildMetadata(state.JobId.ToString(), state.Submitted)));
        var unlearning = new UnlearningPredicate
        {
            Method = request.Method.Method.Name,
            Options = options,
            Harmonization = options["harmonization"]?.GetValue<string>(),
            Seed = request.Seed,
            ForgetSet = ForgetCommitment.Of(request.Forget, key),
            Metrics = audit.Result.After.Metrics,
            Versions = Versions(),
        };
        var gates = new TestResultPredicate([], Names(passed: true), [], Names(passed: false));
        return LineageFile.Write([Statement.Of(subject, provenance), Statement.Of(subject, unlearning), Statement.Of(subject, gates)]);

        string[] Names(bool passed) => [.. audit.Result.Gates.Where(g => g.Passed == passed).Select(g => g.Metric)];
    }

    static IEnumerable<KeyValuePair<string, Digest>> DataFiles(FetchedJob fetched) =>
        fetched.Digests.OrderBy(d => d.Key, StringComparer.Ordinal);

    static SortedDictionary<string, string> Versions() => new(StringComparer.Ordinal)
    {
        ["registry-unlearn"] = ProductVersion,
        ["onnxruntime"] = Microsoft.ML.OnnxRuntime.OrtEnv.Instance().GetVersionString(),
        ["dotnet"] = Environment.Version.ToString(),
    };

    static string Sha256Of(string path)
    {
        using var stream = File.OpenRead(path);
        return Convert.ToHexStringLower(SHA256.HashData(stream));
    }
}
