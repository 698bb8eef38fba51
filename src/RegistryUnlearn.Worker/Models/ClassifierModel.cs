using System.Collections.Frozen;
using RegistryUnlearn.Onnx.Graphs;
using RegistryUnlearn.Onnx.Intake;
using RegistryUnlearn.Onnx.Losses;
using RegistryUnlearn.Onnx.Models;
using RegistryUnlearn.Onnx.Proto;
using RegistryUnlearn.Onnx.Steps;
using RegistryUnlearn.Training.Buffers;
using RegistryUnlearn.Training.Evaluation;
using RegistryUnlearn.Unlearning.Data;
using static RegistryUnlearn.Onnx.Proto.TensorProto.Types;

namespace RegistryUnlearn.Worker.Models;

/// <summary>A model file opened for training: what it takes and gives, what is trainable in it, and the values it has now.</summary>
public sealed class ClassifierModel : IDisposable
{
    /// <summary>Names that training graphs give to their own inputs and outputs beside the parameters.</summary>
    static readonly FrozenSet<string> Reserved =
        new[] { "input", "labels", StepGraph.Loss, StepGraph.Logits, StepGraph.Alpha, StepGraph.Lambda }.ToFrozenSet();

    ClassifierModel(
        ModelFile file, ClassifierContract contract, ParameterSelection selection, ForwardModel forward, int classes,
        TensorBlock initial) =>
        (File, Contract, Selection, Forward, Classes, Initial) = (file, contract, selection, forward, classes, initial);

    public ModelFile File { get; }

    public ClassifierContract Contract { get; }

    public ParameterSelection Selection { get; }

    /// <summary>
    /// The model as a part of training graphs; its parameters are in the order of <see cref="Selection"/>. Where the file fixes the batch
    /// and the model does not need it, this copy takes any.
    /// </summary>
    public ForwardModel Forward { get; }

    /// <summary>C, at least 2.</summary>
    public int Classes { get; }

    /// <summary>The stored parameters as float32, all finite. Clone it before changing it.</summary>
    public TensorBlock Initial { get; }

    /// <param name="path">The .onnx file.</param>
    /// <param name="logits">What is known of the logits; null for nothing.</param>
    /// <param name="patterns">The choice of parameters; null for all that are detected.</param>
    /// <param name="sampleShape">Sizes for the dimensions beside the batch that the model leaves open; its own sizes hold.</param>
    /// <param name="open">The same by the dimensions' names, where there are no samples yet; null where there are.</param>
    /// <param name="labelShape">
    /// Sizes of the labels beside the batch, which tell the axis of the classes; null where there are none.
    /// </param>
    /// <exception cref="OnnxModelException">The model is no classifier that can be trained here; the message says why.</exception>
    public static ClassifierModel Load(
        string path, LogitChoice? logits = null, ParameterPatterns? patterns = null, IReadOnlyList<long>? sampleShape = null,
        IReadOnlyList<long>? labelShape = null, OpenSizes? open = null)
    {
        logits ??= LogitChoice.Default;
        var file = ModelFile.Load(path);
        var contract = ClassifierContract.Find(file, logits.Name);
        var selection = ParameterDetection.Detect(file, patterns, contract.LogitsName);
        foreach (var parameter in selection.Trainable) RequireTrainable(file, parameter);
        var layout = selection.Trainable.Select(p => new ModelParameter(p.Name, p.Shape)).ToList();
        var samples = SampleShape(file, contract, open is null ? sampleShape : open.SampleShape(file, contract));
        var output = contract.LogitsShape.Skip(1).All(d => d is not null)
            ? [.. contract.LogitsShape.Skip(1).Select(d => d!.Value)]
            : ObservedShape(file, contract, OnnxModelException.In(path, () => Forward(LogitLayout.PerSample).OutputType()));
        var (positions, classes) = logits.Layout(
            path, contract.LogitsName, output, labelShape, contract.InputType is DataType.Int32 or DataType.Int64);
        var forward = OnnxModelException.In(path, () => Forward(positions));
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
        if (forward.FixedBatch is { } batch)
        {
            var free = OnnxModelException.In(path, () =>
                Copy(WorkingCopy.Of(FreeBatch.Of(file.Model, contract.InputName, batch)), positions));
            if (BatchCheck.Agree(forward, free, initial)) forward = free;
        }
        return new(file, contract, selection, forward, classes, initial);

        ForwardModel Forward(LogitLayout logits) => Copy(file.Working, logits);

        ForwardModel Copy(WorkingCopy model, LogitLayout logits) =>
            new(model, contract.InputName, contract.LogitsName, samples, layout, Resident(file)) { Layout = logits };
    }

    /// <summary>A model with the data that it is to learn or to forget, whose shapes settle what the model leaves open.</summary>
    public static ClassifierModel Load(string path, LogitChoice? logits, ParameterPatterns? patterns, DataSet data) =>
        Load(path, logits, patterns, [.. data.SampleShape.Select(d => (long)d)], [.. data.LabelShape.Select(d => (long)d)]);

    /// <summary>Declares the int64 labels of a batch: for as many samples as the model insists on, or any number under a symbol.</summary>
    public Value AddLabels(GraphBuilder graph, string name, string batchSymbol) =>
        Forward.Layout.AddLabels(graph, name, Forward.FixedBatch is { } n ? n : batchSymbol);

    /// <param name="logits">As <see cref="LogitLayout.Arrange"/> gives them.</param>
    public LabelledLogits Labelled(GraphBuilder graph, Value logits, Value labels) => new(graph, Forward.Layout, logits, labels, Classes);

    /// <summary>Checks that samples and labels are what the model takes and gives.</summary>
    /// <exception cref="DataException">They are not; the message says what the model wants.</exception>
    public void RequireFits(DataSet data)
    {
        var element = Forward.InputElement;
        if (data.HoldsTokens != (element is DataType.Int64 or DataType.Int32))
            throw new DataException(data.File, null,
                data.HoldsTokens ? "its samples are integers, the model takes numbers" : "its samples are numbers, the model takes tokens",
                data.HoldsTokens ? "save them as float32 or uint8" : "save them as int64 or int32");
        if (element is DataType.Int32 && !data.FitsInt32)
            throw new DataException(data.File, null, "it has tokens beyond the model's int32 input", "correct them");
        if (!Fits(data.SampleShape, Forward.SampleShape))
            throw new DataException(data.File, null,
                $"its samples have shape {Text(data.SampleShape)}, the model takes {Text(Forward.SampleShape)}",
                "use the data that the model was trained on, in the shape that it takes");
        if (!Fits(data.LabelShape, Forward.Layout.Positions))
            throw new DataException(data.File, null,
                $"each of its samples has labels of shape {Text(data.LabelShape)}, the model answers with {Text(Forward.Layout.Positions)}",
                Forward.Layout.IsPerSample ? "give one label per sample" : "give one label per position");
        data.RequireClasses(Classes);

        static bool Fits(IReadOnlyList<int> given, IReadOnlyList<long> wanted) => given.Select(d => (long)d).SequenceEqual(wanted);

        static string Text<T>(IEnumerable<T> shape) => $"[{string.Join(", ", shape)}]";
    }

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

    /// <summary>Sizes of the logits behind the batch, which the file leaves open.</summary>
    static long[] ObservedShape(ModelFile file, ClassifierContract contract, TensorType type)
    {
        if (type.Rank < 2 || !type.Shape.Skip(1).All(d => d.IsFixed))
            throw new OnnxModelException(file.Path, $"output '{contract.LogitsName}'", $"has shape [{string.Join(", ", type.Shape)}]",
                "Export the model with only the batch dimension dynamic");
        return [.. type.Shape.Skip(1).Select(d => d.Size)];
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
