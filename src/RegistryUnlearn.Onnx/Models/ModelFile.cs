using Google.Protobuf;
using RegistryUnlearn.Onnx.Intake;
using RegistryUnlearn.Onnx.Proto;

namespace RegistryUnlearn.Onnx.Models;

/// <summary>
/// An ONNX model on disk: its graph in memory, its external data where it lies. Every stored tensor has been checked against its
/// declared type, dimensions and data length; what this program does not know is kept untouched.
/// </summary>
public sealed class ModelFile
{
    // Enough for graphs nested 25 deep (4 messages each), small enough that hostile nesting cannot exhaust the stack.
    const int RecursionLimit = 100;

    readonly ModelInventory inventory;
    readonly Lazy<WorkingCopy> working;

    ModelFile(string path, ModelProto model)
    {
        Path = path;
        Model = model;
        inventory = new ModelInventory(path, model);
        working = new(() => OnnxModelException.In(path, () => WorkingCopy.Of(model)));
    }

    /// <summary>Path as given to <see cref="Load"/> or <see cref="Wrap"/>; external data is relative to its folder.</summary>
    public string Path { get; }

    /// <summary>The model as parsed. Clone it before changing it.</summary>
    public ModelProto Model { get; }

    /// <summary>The model in the form that training graphs are made of. It is not written anywhere.</summary>
    /// <exception cref="OnnxModelException">The model cannot be trained as it is.</exception>
    public WorkingCopy Working => working.Value;

    /// <summary>The main graph's initializers in order, then the tensor and float values of its Constant nodes in node order.</summary>
    public IReadOnlyList<TensorData> Tensors => inventory.Tensors;

    /// <summary>Files that hold external data, relative to the model's folder, each once, in order of first use.</summary>
    public IReadOnlyList<string> ExternalDataFiles => [.. inventory.Files.Select(f => f.RelativePath)];

    internal ModelInventory Inventory => inventory;

    /// <summary>The stored tensor of a name.</summary>
    /// <exception cref="OnnxModelException">No initializer and no Constant node has the name.</exception>
    public TensorData this[string name] => inventory.ByName.TryGetValue(name, out var tensor)
        ? tensor
        : throw new OnnxModelException(Path, $"initializer '{name}'", "the model has none of this name",
            $"Choose one of its {Tensors.Count}, such as {string.Join(", ", Tensors.Take(5).Select(t => $"'{t.Name}'"))}");

    /// <summary>Parses a model file and checks it and the data files it names; reads no external data.</summary>
    /// <exception cref="OnnxModelException">The file is missing, not ONNX, damaged or inconsistent; the message says where.</exception>
    public static ModelFile Load(string path)
    {
        try
        {
            // Before opening: a pipe has no length either, and opening one waits for its writer.
            if (new FileInfo(path).Length == 0) throw new OnnxModelException(path, "file", "is empty", "Fetch or export the model again");
            using var stream = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read);
            FileSignature.RequireOnnx(path, stream);
            using var input = CodedInputStream.CreateWithLimits(stream, int.MaxValue, RecursionLimit);
            return Wrap(ModelProto.Parser.ParseFrom(input), path);
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            throw new OnnxModelException(path, "file", "does not exist", "Check the path", e);
        }
        catch (UnauthorizedAccessException e)
        {
            throw new OnnxModelException(path, "file", "is a folder or may not be read",
                "Name the .onnx file and grant read access to it", e);
        }
        // Besides its own exception, the parser reports strings that are not UTF-8 and absurd lengths by these.
        catch (Exception e)
            when (e is InvalidProtocolBufferException or ArgumentException or OverflowException or InvalidOperationException)
        {
            throw new OnnxModelException(path, "file", $"is not an ONNX model or is damaged ({e.Message.TrimEnd('.')})",
                "Fetch or export the model again", e);
        }
    }

    /// <summary>Checks a model built in memory as if it had been read from path; external data must already lie in that folder.</summary>
    /// <exception cref="OnnxModelException">As for <see cref="Load"/>.</exception>
    public static ModelFile Wrap(ModelProto model, string path) => new(path, model);

    /// <summary>Writes a model to path, under a temporary name until complete. The same model always gives the same bytes.</summary>
    /// <exception cref="OnnxModelException">The model exceeds 2 GB, the limit of its format.</exception>
    public static void Write(ModelProto model, string path)
    {
        var fileName = System.IO.Path.GetFileName(path);
        using var staged = new StagedFiles(System.IO.Path.GetDirectoryName(System.IO.Path.GetFullPath(path))!, fileName);
        ModelWriter.Serialize(model, staged.Add(fileName), path);
        staged.Publish();
    }

    /// <summary>
    /// Writes the same model with only the given tensors replaced: nodes, names, inputs, outputs, opsets, order and the storage form of
    /// every tensor stay as they are, external data keeps its files, offsets and lengths. File names are those of the source; files of
    /// these names in outFolder are replaced, the model file last. A failure leaves no new file behind. The same arguments always give the
    /// same bytes. The checksum entries of a data file that changes are recomputed.
    /// </summary>
    /// <param name="outFolder">Any folder but the model's own; created if absent.</param>
    /// <param name="parameters">Finite values by tensor name, row-major, as many as the tensor has elements.</param>
    /// <param name="metadata">metadata_props to set: a key that exists is replaced in place, new ones follow in ordinal order.</param>
    /// <exception cref="OnnxModelException">
    /// Unknown name, wrong count, a tensor that is not float, NaN or infinity, a value beyond the range of FLOAT16 or BFLOAT16, or two
    /// tensors that share bytes of a data file would need different ones.
    /// </exception>
    public void SaveWithParameters(
        string outFolder, IReadOnlyDictionary<string, ReadOnlyMemory<float>> parameters, IReadOnlyDictionary<string, string> metadata) =>
        ModelWriter.Save(this, outFolder, parameters, metadata);
}
