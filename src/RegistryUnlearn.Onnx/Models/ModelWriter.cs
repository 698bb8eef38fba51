using Google.Protobuf;
using RegistryUnlearn.Onnx.Proto;

namespace RegistryUnlearn.Onnx.Models;

/// <summary>Writes a model with replaced parameters, see <see cref="ModelFile.SaveWithParameters"/>.</summary>
static class ModelWriter
{
    public static void Save(
        ModelFile source, string outFolder,
        IReadOnlyDictionary<string, ReadOnlyMemory<float>> parameters, IReadOnlyDictionary<string, string> metadata)
    {
        foreach (var (name, values) in parameters) RequireFits(source[name], values.Span);
        RequireOtherFolder(source.Path, outFolder);

        var copy = ModelFile.Wrap(source.Model.Clone(), source.Path);
        foreach (var (name, values) in parameters)
            if (copy[name] is { Storage: not TensorStorage.External } tensor) tensor.Replace(values.Span);
        foreach (var (key, value) in metadata.OrderBy(m => m.Key, StringComparer.Ordinal)) SetMetadata(copy.Model, key, value);

        var fileName = Path.GetFileName(source.Path);
        using var staged = new StagedFiles(outFolder, fileName);
        foreach (var file in copy.Inventory.Files) ExternalDataWriter.Write(copy, file, parameters, staged);
        Serialize(copy.Model, staged.Add(fileName), source.Path);
        staged.Publish();
    }

    /// <summary>Writes the bytes of a model and flushes them to the disk; sourcePath is for the message only.</summary>
    public static void Serialize(ModelProto model, string path, string sourcePath)
    {
        // CalculateSize is an int that wraps: a model above 2 GB shows as negative or not at all, so large parts are added up first.
        var inline = (model.Graph?.Initializer ?? [])
            .Sum(t => (long)t.RawData.Length + (4L * t.FloatData.Count) + (8L * t.DoubleData.Count));
        if (inline > int.MaxValue || model.CalculateSize() < 0)
            throw new OnnxModelException(sourcePath, "model", "exceeds 2 GB, the limit of the format",
                "Store its large tensors as external data");
        using var stream = new FileStream(path, FileMode.Create, FileAccess.Write);
        model.WriteTo(stream);
        stream.Flush(flushToDisk: true);
    }

    static void RequireFits(TensorData tensor, ReadOnlySpan<float> values)
    {
        tensor.RequireFloat();
        if (values.Length != tensor.Count)
            throw tensor.Bad($"{values.Length} values were given for the {tensor.Count} elements of [{string.Join(", ", tensor.Shape)}]",
                "Use parameters of the same model");
        tensor.RequireFinite(values, 0);
    }

    static void RequireOtherFolder(string sourcePath, string outFolder)
    {
        var sourceFolder = Path.GetDirectoryName(Path.GetFullPath(sourcePath))!;
        if (RealPath.Of(sourceFolder) == RealPath.Of(outFolder))
            throw new OnnxModelException(sourcePath, "output folder", "is the model's own folder",
                "Choose another one; a model is never changed in place");
    }

    static void SetMetadata(ModelProto model, string key, string value)
    {
        var entries = model.MetadataProps;
        var index = entries.TakeWhile(e => e.Key != key).Count();
        if (index == entries.Count) entries.Add(new StringStringEntryProto { Key = key });
        entries[index].Value = value;
        for (var i = entries.Count - 1; i > index; i--)
            if (entries[i].Key == key) entries.RemoveAt(i);
    }
}
