using System.Globalization;
using RegistryUnlearn.Onnx.Proto;

namespace RegistryUnlearn.Onnx.Models;

/// <summary>A data file beside the model.</summary>
/// <param name="RelativePath">Path below the model's folder, without "." segments.</param>
/// <param name="FullPath">Where it lies.</param>
/// <param name="Length">Its length in bytes when the model was opened.</param>
sealed record ExternalFile(string RelativePath, string FullPath, long Length);

/// <summary>The bytes of one tensor in a data file.</summary>
sealed record ExternalRegion(ExternalFile File, long Offset, long Length)
{
    public long End => Offset + Length;

    public bool Overlaps(ExternalRegion other) =>
        File.RelativePath == other.File.RelativePath && Offset < other.End && other.Offset < End;
}

/// <summary>Resolves external_data entries (onnx/docs/ExternalData.md) to regions of files that lie within the model's folder.</summary>
sealed class ExternalFiles(string modelPath)
{
    readonly string folder = Path.GetDirectoryName(Path.GetFullPath(modelPath))!;
    readonly Dictionary<string, ExternalFile> byLocation = new(StringComparer.Ordinal);

    /// <summary>The region of a tensor of byteLength bytes.</summary>
    /// <exception cref="OnnxModelException">The location leaves the folder or is missing; offset or length do not fit.</exception>
    public ExternalRegion Resolve(TensorProto tensor, long byteLength, string element)
    {
        var location = Entry(tensor, "location") ?? throw Bad(element, "external_data has no location", "Export the model again");
        if (!byLocation.TryGetValue(location, out var file))
            byLocation[location] = file = Open(location, element);
        var offset = Number(tensor, "offset", element) ?? 0;
        var length = Number(tensor, "length", element) ?? byteLength;
        if (length != byteLength)
            throw Bad(element, $"external_data length {length} is not the {byteLength} bytes of its dims and type",
                "Export the model again");
        if (offset > file.Length || length > file.Length - offset)
            throw Bad(element,
                $"external_data asks for bytes {offset} to {(UInt128)offset + (UInt128)length} of '{location}', which has {file.Length}",
                "Fetch the data file again; it is cut short or belongs to another model");
        return new(file, offset, length);
    }

    static string? Entry(TensorProto tensor, string key) => tensor.ExternalData.LastOrDefault(e => e.Key == key)?.Value;

    long? Number(TensorProto tensor, string key, string element) => Entry(tensor, key) switch
    {
        null => null,
        var text when long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number) => number,
        var text => throw Bad(element, $"external_data {key} '{text}' is not a number from 0 to 2^63-1", "Export the model again"),
    };

    ExternalFile Open(string location, string element)
    {
        const string remedy = "Keep data files in the model's folder and name them by a relative path";
        // Both separators count everywhere: a model that is harmless here must not be harmful on the next machine.
        var segments = location.Split('/', '\\');
        if (location.Length == 0 || location.Contains('\0'))
            throw Bad(element, "external_data location is empty or holds a NUL", remedy);
        if (segments[0].Length == 0 || Path.IsPathRooted(location)
            || (location.Length > 1 && location[1] == ':' && char.IsAsciiLetter(location[0])))
            throw Bad(element, $"external_data location '{location}' is absolute", remedy);
        if (segments.Contains(".."))
            throw Bad(element, $"external_data location '{location}' contains '..'", remedy);

        var path = Path.GetFullPath(Path.Combine(folder, location));
        if (path == Path.GetFullPath(modelPath))
            throw Bad(element, $"external_data location '{location}' is the model file itself", remedy);
        if (!File.Exists(path))
            throw Bad(element, $"external_data file '{location}' is missing", $"Put it into {folder}");
        var realFolder = RealPath.Of(folder).TrimEnd(Path.DirectorySeparatorChar) + Path.DirectorySeparatorChar;
        var realPath = RealPath.Of(path);
        if (!realPath.StartsWith(realFolder, StringComparison.Ordinal))
            throw Bad(element, $"external_data location '{location}' is a link that leaves the model's folder",
                "Replace the link by a copy of the file");
        return new(Path.GetRelativePath(folder, path), path, new FileInfo(realPath).Length);
    }

    OnnxModelException Bad(string element, string problem, string remedy) => new(modelPath, element, problem, remedy);
}
