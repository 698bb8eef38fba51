using RegistryUnlearn.Onnx.Models;
using static RegistryUnlearn.Onnx.Proto.TensorProto.Types;

namespace RegistryUnlearn.Onnx.TrainingArtifacts;

/// <summary>Reads a checkpoint from outside: every length is checked before it is used.</summary>
sealed class CheckpointReader
{
    const string Again = "Generate the training artifacts again";

    const int LargestRank = 64;

    readonly string path;
    readonly HashSet<string> names = new(StringComparer.Ordinal);
    FileStream? data;

    CheckpointReader(string path) => this.path = path;

    /// <summary>The file that holds large tensors of a checkpoint.</summary>
    public static string DataFile(string path) => path + ".data";

    public static Checkpoint Read(string path)
    {
        try
        {
            return new CheckpointReader(path).Parse(File.ReadAllBytes(path));
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            throw new OnnxModelException(path, "file", "does not exist", "Check the path", e);
        }
        catch (InvalidDataException e)
        {
            throw new OnnxModelException(path, "file", "is not a checkpoint of ONNX Runtime Training, or is damaged", Again, e);
        }
        catch (UnauthorizedAccessException e)
        {
            throw new OnnxModelException(path, "file", "is a folder or may not be read", "Name the checkpoint and grant read access", e);
        }
        catch (IOException e)
        {
            throw new OnnxModelException(path, "file", $"cannot be read ({e.Message.TrimEnd('.')})", Again, e);
        }
    }

    Checkpoint Parse(byte[] bytes)
    {
        var root = FlatTable.Root(bytes, CheckpointFormat.Identifier);
        var version = root.Int(CheckpointFormat.Root.Version, 0);
        if (version != CheckpointFormat.Version)
            throw Bad("version", $"is {version}, not {CheckpointFormat.Version}", "Generate the artifacts with ONNX Runtime 1.16 or newer");
        var module = root.Table(CheckpointFormat.Root.Module) ?? throw Bad("module_state", "is missing", Again);
        if (module.Flag(CheckpointFormat.Module.IsNominal))
            throw Bad("module_state", "is nominal: it names parameters without values", "Give the full checkpoint");
        using (data = module.Flag(CheckpointFormat.Module.HasExternalData) ? OpenData() : null)
            return new(Tensors(module, CheckpointFormat.Module.Trainable), Tensors(module, CheckpointFormat.Module.Frozen));
    }

    CheckpointTensor[] Tensors(FlatTable module, int field) => [.. (module.Tables(field) ?? []).Select(Tensor)];

    CheckpointTensor Tensor(FlatTable table)
    {
        var name = table.Text(CheckpointFormat.Tensor.Name) ?? "";
        if (name.Length == 0 || !names.Add(name))
            throw Bad($"tensor '{name}'", name.Length == 0 ? "has no name" : "occurs twice", Again);
        var type = (DataType)table.Int(CheckpointFormat.Tensor.Type, 0);
        var size = CheckpointFormat.SizeOf(type)
            ?? throw Bad($"tensor '{name}'", $"is of type {type}, which checkpoints do not hold", "Generate the artifacts in float32");
        var dims = table.Longs(CheckpointFormat.Tensor.Dims) ?? throw Bad($"tensor '{name}'", "has no shape", Again);
        return new(name, type, dims, Data(table, name, Bytes(name, dims, size)));
    }

    int Bytes(string name, long[] dims, int size)
    {
        var bytes = dims.Contains(0) ? 0 : (Int128)size;
        if (dims.Length > LargestRank) throw Bad($"tensor '{name}'", $"has {dims.Length} dimensions", Again);
        foreach (var dim in dims)
            if (dim < 0 || (bytes *= dim) > Array.MaxLength)
                throw Bad($"tensor '{name}'", $"has shape [{string.Join(", ", dims)}]", "Tensors of up to 2 GB are supported");
        return (int)bytes;
    }

    ReadOnlyMemory<byte> Data(FlatTable table, string name, int bytes)
    {
        var offset = table.Long(CheckpointFormat.Tensor.ExternalOffset, CheckpointFormat.NoExternalOffset);
        if (offset == CheckpointFormat.NoExternalOffset)
        {
            var raw = table.Bytes(CheckpointFormat.Tensor.RawData) ?? default;
            return raw.Length == bytes ? raw
                : throw Bad($"tensor '{name}'", $"holds {raw.Length} bytes where its type and shape need {bytes}", Again);
        }
        if (data is null || offset < 0 || offset > data.Length - bytes)
            throw Bad($"tensor '{name}'", $"lies at {offset} of {Path.GetFileName(DataFile(path))}, outside of it",
                "Put the data file beside the checkpoint, whole");
        var values = new byte[bytes];
        data.Position = offset;
        data.ReadExactly(values);
        return values;
    }

    FileStream OpenData()
    {
        try
        {
            return File.OpenRead(DataFile(path));
        }
        catch (Exception e) when (e is FileNotFoundException or UnauthorizedAccessException)
        {
            throw Bad("has_external_data", $"{Path.GetFileName(DataFile(path))} is missing or may not be read",
                "Put the data file beside the checkpoint");
        }
    }

    OnnxModelException Bad(string element, string problem, string remedy) => new(path, element, problem, remedy);
}
