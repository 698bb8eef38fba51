using System.Text.Json;

namespace RegistryUnlearn.Worker.Artifacts;

/// <summary>What lies in a folder of training artifacts: the file artifacts.json.</summary>
/// <param name="Format">Names this kind of file and its version.</param>
/// <param name="Opset">Version of the standard operator set of both graphs.</param>
/// <param name="IrVersion">Version of the ONNX format of both graphs.</param>
/// <param name="Batch">Name of the batch dimension, or its size where the model fixes it.</param>
public sealed record ArtifactIndex(
    string Format, ArtifactModel Model, long Opset, long IrVersion, string Batch,
    IReadOnlyList<ArtifactFile> Files, IReadOnlyList<ArtifactValue> Inputs, IReadOnlyList<ArtifactValue> Outputs)
{
    public const string FileName = "artifacts.json";
    public const string CurrentFormat = "registry-unlearn/training-artifacts/v2";

    static readonly JsonSerializerOptions Json = new(JsonSerializerDefaults.Web) { WriteIndented = true, NewLine = "\n" };

    public byte[] ToBytes() => [.. JsonSerializer.SerializeToUtf8Bytes(this, Json), (byte)'\n'];

    /// <summary>Whether a folder holds training artifacts of this product and nothing else.</summary>
    public static bool Describes(string folder)
    {
        try
        {
            var index = JsonSerializer.Deserialize<ArtifactIndex>(File.ReadAllBytes(Path.Combine(folder, FileName)), Json);
            return index is { Format: CurrentFormat, Files: not null }
                && Directory.EnumerateFileSystemEntries(folder).Select(Path.GetFileName)
                    .All(name => name == FileName || index.Files.Any(f => f?.Name == name));
        }
        catch (Exception e) when (e is JsonException or FileNotFoundException)
        {
            return false;
        }
    }
}

/// <param name="Name">File name of the model the artifacts were made from.</param>
/// <param name="Sha256">Of the model file, without its external data; lower-case hexadecimal.</param>
public sealed record ArtifactModel(string Name, string Sha256);

/// <param name="Role">training, evaluation, optimizer, harmonizer or checkpoint.</param>
public sealed record ArtifactFile(string Name, string Role, long Bytes, string Sha256);

/// <param name="Role">samples, labels, parameter, buffer, reset, loss, gradient, accumulated or logits.</param>
/// <param name="Type">ONNX element type, such as FLOAT.</param>
/// <param name="Shape">Sizes, or the name of the batch dimension.</param>
/// <param name="Of">The parameter that a gradient or buffer belongs to.</param>
public sealed record ArtifactValue(string Name, string Role, string Type, IReadOnlyList<string> Shape, string? Of = null);
