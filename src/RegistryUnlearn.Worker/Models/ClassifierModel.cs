using System.Collections.Frozen;
using RegistryUnlearn.Onnx.Graphs;
using RegistryUnlearn.Onnx.Models;
using RegistryUnlearn.Onnx.Proto;
using RegistryUnlearn.Onnx.Steps;
using RegistryUnlearn.Training.Buffers;
using static RegistryUnlearn.Onnx.Proto.TensorProto.Types;

namespace RegistryUnlearn.Worker.Models;

/// <summary>A model file opened for training: what it takes and gives, what is trainable in it, and the values it has now.</summary>
public sealed class ClassifierModel : IDisposable
{
    /// <summary>Names that training graphs give to their own inputs and outputs beside the parameters.</summary>
    static readonly FrozenSet<string> Reserved =
        new[] { "input", "labels", StepGraph.Loss, StepGraph.Logits, StepGraph.Alpha, StepGraph.Lambda }.ToFrozenSet();

    ClassifierModel(ModelFile file, ClassifierContract contract, ParameterSelection selection, ForwardModel forward, TensorBlock initial) =>
        (File, Contract, Selection, Forward, Initial) = (file, contract, selection, forward, initial);

    public ModelFile File { get; }

    public ClassifierContract Contract { get; }

    public ParameterSelection Selection { get; }

    /// <summary>The model as a part of training graphs; its parameters are in the order of <see cref="Selection"/>.</summary>
    public ForwardModel Forward { get; }

    /// <summary>The stored parameters as float32, all finite. Clone it before changing it.</summary>
    public TensorBlock Initial { get; }

    /// <param name="path">The .onnx file.</param>
    /// <param name="logits">Name of the logits; null for the first output.</param>
    /// <param name="patterns">The choice of parameters; null for all that are detected.</param>
    /// <param name="sampleShape">Sizes for the dimensions beside the batch that the model leaves open; its own sizes hold.</param>
    /// <exception cref="OnnxModelException">The model is no classifier that can be trained here; the message says why.</exception>
    public static ClassifierModel Load(
        string path, string? logits = null, ParameterPatterns? patterns = null, IReadOnlyList<long>? sampleShape = null)
    {
        var file = ModelFile.Load(path);
        var contract = ClassifierContract.Find(file, logits);
        var selection = ParameterDetection.Detect(file, patterns, contract.LogitsName);
        foreach (var parameter in selection.Trainable) RequireTrainable(file, parameter);
        var layout = selection.Trainable.Select(p => new ModelParameter(p.Name, p.Shape)).ToList();
        var forward = InFile(path, () => new ForwardModel(
            file.Working, contract.InputName, contract.LogitsName, SampleShape(file, contract, sampleShape), layout, Resident(file)));
        var initial = new TensorBlock(layout);
        try
        {
            for (var i = 0; i < layout.Count; i++)
            {
                selection.Trainable[i].Tensor.RequireFinite();
                selection.Trainable[i].Tensor.ReadFloats(0, initial[i]);
            }
        }
        catch
        {
            initial.Dispose();
            throw;
        }
        return new(file, contract, selection, forward, initial);
    }

    /// <summary>Declares the int64 labels of a batch: as many as the model insists on, or any number under a symbol.</summary>
    public Value AddLabels(GraphBuilder graph, string name, string batchSymbol) =>
        graph.Input(name, TensorType.Int64(Forward.FixedBatch is { } n ? n : batchSymbol));

    /// <summary>Runs what knows the graph but not its file, and puts the file's path before its complaint.</summary>
    public static T InFile<T>(string path, Func<T> work) => OnnxModelException.In(path, work);

    public void Dispose() => Initial.Dispose();

    static void RequireTrainable(ModelFile file, TrainableParameter parameter)
    {
        if (Reserved.Contains(parameter.Name))
            throw new OnnxModelException(file.Path, $"initializer '{parameter.Name}'", "has a name that training graphs use themselves",
                "Rename it, or exclude it from the trainable parameters");
        if (parameter.Tensor.Count > Array.MaxLength)
            throw new OnnxModelException(file.Path, $"initializer '{parameter.Name}'", $"has {parameter.Tensor.Count} elements",
                "Exclude it from the trainable parameters, or split it into tensors of less than 2^31 elements");
    }

    static long[] SampleShape(ModelFile file, ClassifierContract contract, IReadOnlyList<long>? given)
    {
        var declared = contract.InputShape.Skip(1).ToArray();
        var open = Array.IndexOf(declared, null);
        if (open < 0) return [.. declared.Select(d => d!.Value)];
        if (given?.Count != declared.Length)
            throw new OnnxModelException(file.Path, $"input '{contract.InputName}'", $"leaves dimension {open + 1} open",
                "Give samples of the model's rank, or export it with only the batch dimension dynamic");
        return [.. declared.Select((d, i) => d ?? given[i])];
    }

    static Func<TensorProto, TensorProto> Resident(ModelFile file) => tensor =>
    {
        if (tensor.DataLocation is not DataLocation.External) return tensor;
        var stored = file[tensor.Name];
        return new TensorProto
        {
            Name = tensor.Name,
            DataType = tensor.DataType,
            Dims = { tensor.Dims },
            RawData = Google.Protobuf.UnsafeByteOperations.UnsafeWrap(stored.ReadBytes()),
        };
    };
}
