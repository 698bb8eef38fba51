using System.Globalization;
using System.Reflection;
using RegistryUnlearn.Auditing.Report;
using RegistryUnlearn.Lineage;
using RegistryUnlearn.Onnx.Runtime;
using RegistryUnlearn.Registry;
using RegistryUnlearn.Training.Buffers;
using RegistryUnlearn.Unlearning.Defences;
using RegistryUnlearn.Worker.Requests;

namespace RegistryUnlearn.Worker.Jobs;

/// <summary>
/// Writes the files of the new version into a local folder and says how to publish them. The same job gives the same bytes, apart from
/// signatures (<see cref="Attestations"/>).
/// </summary>
static class PublishStage
{
    public static readonly string ProductVersion = typeof(PublishStage).Assembly
        .GetCustomAttribute<AssemblyInformationalVersionAttribute>()!.InformationalVersion.Split('+')[0];

    /// <summary>Files that a version has beside the model: data files of a model must not have their names.</summary>
    public static IReadOnlyList<string> OwnFiles { get; } =
    [
        "metrics.json", "report.html", LineageKeys.CardFileName, LineageKeys.FileName, LineageKeys.SignatureFileName, Manifest.FileName,
    ];

    /// <param name="key">Of the commitment to the forget set.</param>
    /// <param name="signingKey">Signs the version; null leaves it unsigned.</param>
    public static PublishPlan Plan(
        UnlearningRequest request, FetchedJob fetched, PreparedJob job, TensorBlock result, JobAudit audit, JobState state,
        ReadOnlySpan<byte> key, SigningKey? signingKey, string folder)
    {
        var files = WriteResult(request, fetched, job, result, audit, state, folder);
        var attestations = new Attestations(
            request, fetched, job, audit, state, ForgetCommitment.Of(fetched.ForgetIds, key), signingKey, folder);
        return new PublishPlan
        {
            Model = request.Model.Model,
            Files = files,
            Seal = attestations.Write,
            Created = state.Submitted,
            Parent = fetched.Parent.Pointer,
            ParentPolicy = request.ParentPolicy,
            Alias = request.Alias,
        };
    }

    /// <summary>Writes model, metrics and report: what a version has before anything is said about where it comes from.</summary>
    public static IReadOnlyList<PublishFile> WriteResult(
        UnlearningRequest request, FetchedJob fetched, PreparedJob job, TensorBlock result, JobAudit audit, JobState state, string folder)
    {
        Directory.CreateDirectory(folder);
        WriteModel(request, fetched, job, result, state, folder);
        File.WriteAllBytes(Path.Combine(folder, "metrics.json"), audit.Result.ToJson());
        File.WriteAllText(Path.Combine(folder, "report.html"), Report(request, fetched, audit, state));
        return
        [
            Published("model.onnx", "model", "application/onnx"),
            .. job.Model.File.ExternalDataFiles.Select(f => Published(f, "model-data", "application/octet-stream")),
            Published("metrics.json", "metrics", "application/json"),
            Published("report.html", "report", "text/html"),
        ];

        PublishFile Published(string path, string role, string mediaType) => new(Path.Combine(folder, path), path, role, mediaType);
    }

    static void WriteModel(
        UnlearningRequest request, FetchedJob fetched, PreparedJob job, TensorBlock result, JobState state, string folder)
    {
        var parameters = new Dictionary<string, ReadOnlyMemory<float>>();
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
                    .. Defence(request.Defence),
                    new RecordSection("Data",
                    [
                        new("Parent model.onnx", fetched.ModelDigest.ToString()),
                        .. fetched.DataFiles.Select(d => new RecordEntry(d.Key, d.Value.ToString())),
                    ]),
                    new RecordSection("Software", [.. Versions().Select(v => new RecordEntry(v.Key, v.Value))]),
                ],
                state.Submitted.UtcDateTime.ToString("yyyy-MM-dd HH:mm 'UTC'", CultureInfo.InvariantCulture))));

    static IEnumerable<RecordSection> Defence(DefenceOptions defence) => defence.IsNone ? [] :
    [
        new("Defence of the difference",
        [
            new("noise", defence.Noise.ToString(CultureInfo.InvariantCulture)),
            new("prune", defence.Prune.ToString(CultureInfo.InvariantCulture)),
            new("retainedSteps", defence.RetainedSteps.ToString(CultureInfo.InvariantCulture)),
        ]),
    ];

    static string Describe(ParentPolicy policy) => policy switch
    {
        ParentPolicy.Keep => "The parent stays in the registry and still knows the forgotten samples.",
        ParentPolicy.Delete => "The parent is deleted from the registry once the new version stands; "
            + "copies elsewhere still know the forgotten samples.",
        _ => "The parent is moved out of reach of consumers (quarantined); it still knows the forgotten samples until it is deleted.",
    };

    /// <summary>Component versions by name.</summary>
    public static SortedDictionary<string, string> Versions() => new(StringComparer.Ordinal)
    {
        ["registry-unlearn"] = ProductVersion,
        ["onnxruntime"] = OrtRuntime.Version,
        ["dotnet"] = Environment.Version.ToString(),
    };
}
