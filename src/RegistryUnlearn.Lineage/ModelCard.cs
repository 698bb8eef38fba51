using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace RegistryUnlearn.Lineage;

/// <summary>
/// A version as a machine-learning bill of materials (CycloneDX 1.6): what the model is, what it came from, what was measured. It is an
/// export for inventories: what is proven is in the signed statements.
/// </summary>
public sealed record ModelCard
{
    public const string MediaType = "application/vnd.cyclonedx+json";

    /// <summary>The model's name and version number.</summary>
    public required (string Name, int Version) Model { get; init; }

    /// <summary>The version that this one was made from.</summary>
    public required (string Name, int Version) Parent { get; init; }

    /// <summary>The version's files.</summary>
    public required IReadOnlyList<ResourceDescriptor> Files { get; init; }

    /// <summary>The parent's files.</summary>
    public required IReadOnlyList<ResourceDescriptor> ParentFiles { get; init; }

    /// <summary>What the run read.</summary>
    public required IReadOnlyList<ResourceDescriptor> DataSets { get; init; }

    /// <summary>What one input and one output look like, such as <c>FLOAT[batch, 3, 32, 32]</c>.</summary>
    public required (string Input, string Output) Formats { get; init; }

    public required string Method { get; init; }

    /// <summary>Number of samples that were to be forgotten.</summary>
    public required long Forgotten { get; init; }

    /// <summary>By name; finite numbers.</summary>
    public required IReadOnlyDictionary<string, double> Metrics { get; init; }

    /// <summary>The job that made the version: 64 hexadecimal digits.</summary>
    public required string JobId { get; init; }

    public required DateTimeOffset Created { get; init; }

    /// <summary>Version of the program.</summary>
    public required string ToolVersion { get; init; }

    /// <summary>UTF-8 JSON, indented, ended by LF; the same card gives the same bytes.</summary>
    public byte[] ToJson()
    {
        var bom = new JsonObject
        {
            ["bomFormat"] = "CycloneDX",
            ["specVersion"] = "1.6",
            ["serialNumber"] = SerialNumber(),
            ["version"] = 1,
            ["metadata"] = new JsonObject
            {
                ["timestamp"] = JsonSerializer.SerializeToNode(Created, LineageJson.Options),
                ["tools"] = new JsonObject
                {
                    ["components"] = new JsonArray(new JsonObject
                    {
                        ["type"] = "application",
                        ["name"] = "registry-unlearn",
                        ["version"] = ToolVersion,
                    }),
                },
                ["component"] = Component(),
            },
            ["components"] = new JsonArray([.. DataSets.Select(d => new JsonObject
            {
                ["type"] = "data",
                ["bom-ref"] = Reference(d),
                ["name"] = d.Name,
                ["hashes"] = Hashes(d),
                ["data"] = new JsonArray(new JsonObject { ["type"] = "dataset", ["name"] = d.Name }),
            })]),
        };
        return [.. JsonSerializer.SerializeToUtf8Bytes(bom, Indented), (byte)'\n'];
    }

    static JsonSerializerOptions Indented { get; } = new(LineageJson.Options) { WriteIndented = true, NewLine = "\n" };

    JsonObject Component() => new()
    {
        ["type"] = "machine-learning-model",
        ["bom-ref"] = $"{Model.Name}@{Version(Model)}",
        ["name"] = Model.Name,
        ["version"] = Version(Model),
        ["components"] = new JsonArray([.. Files.Select(FileOf)]),
        ["pedigree"] = new JsonObject
        {
            ["ancestors"] = new JsonArray(new JsonObject
            {
                ["type"] = "machine-learning-model",
                ["name"] = Parent.Name,
                ["version"] = Version(Parent),
                ["components"] = new JsonArray([.. ParentFiles.Select(FileOf)]),
            }),
            ["notes"] = $"Made by job {JobId}: the influence of {Forgotten.ToString(CultureInfo.InvariantCulture)} training samples was " +
                $"reduced by the method {Method}. The statements are in {LineageKeys.FileName}.",
        },
        ["modelCard"] = new JsonObject
        {
            ["modelParameters"] = new JsonObject
            {
                ["approach"] = new JsonObject { ["type"] = "supervised" },
                ["task"] = "classification",
                ["datasets"] = new JsonArray([.. DataSets.Select(d => new JsonObject { ["ref"] = Reference(d) })]),
                ["inputs"] = new JsonArray(new JsonObject { ["format"] = Formats.Input }),
                ["outputs"] = new JsonArray(new JsonObject { ["format"] = Formats.Output }),
            },
            ["quantitativeAnalysis"] = new JsonObject
            {
                ["performanceMetrics"] = new JsonArray([.. Metrics.OrderBy(m => m.Key, StringComparer.Ordinal).Select(m => new JsonObject
                {
                    ["type"] = m.Key,
                    ["value"] = m.Value.ToString("R", CultureInfo.InvariantCulture),
                })]),
            },
            ["considerations"] = new JsonObject
            {
                ["technicalLimitations"] = new JsonArray(
                    "Measured, not proven: no number here says that nothing of the forgotten samples is left.",
                    "Whoever holds both the parent and this version can learn about the forgotten samples from the difference."),
            },
        },
    };

    static JsonObject FileOf(ResourceDescriptor file) => new()
    {
        ["type"] = "file",
        ["name"] = file.Name,
        ["hashes"] = Hashes(file),
    };

    static JsonArray Hashes(ResourceDescriptor file) =>
        new(new JsonObject { ["alg"] = "SHA-256", ["content"] = file.Digest!.Sha256 });

    static string Reference(ResourceDescriptor data) => $"data:{data.Name}";

    static string Version((string Name, int Number) model) => model.Number.ToString(CultureInfo.InvariantCulture);

    /// <summary>A UUID of version 8 (RFC 9562) from the job's id: a job makes one card.</summary>
    string SerialNumber()
    {
        var bytes = SHA256.HashData(Encoding.UTF8.GetBytes($"{MediaType} {JobId}")).AsSpan(0, 16);
        bytes[6] = (byte)(bytes[6] & 0x0f | 0x80);
        bytes[8] = (byte)(bytes[8] & 0x3f | 0x80);
        return $"urn:uuid:{new Guid(bytes, bigEndian: true)}";
    }
}
