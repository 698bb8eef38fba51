using RegistryUnlearn.Onnx.Intake;
using RegistryUnlearn.Onnx.Losses;
using RegistryUnlearn.Onnx.Models;
using RegistryUnlearn.Onnx.Proto;

namespace RegistryUnlearn.Onnx.Graphs;

/// <summary>
/// A model's graph as something that can be put into a larger graph any number of times: on other inputs, with other values in the
/// place of its parameters. The model itself is not changed; the copies have the form of its <see cref="WorkingCopy"/>.
/// </summary>
public sealed class ForwardModel
{
    readonly WorkingCopy model;
    readonly Func<TensorProto, TensorProto> resident;

    /// <param name="model">A parsed model.</param>
    /// <param name="inputName">The input that takes the samples.</param>
    /// <param name="outputName">The output or inner value that the copies return.</param>
    /// <param name="sampleShape">Shape of one sample: pins every input dimension but the first.</param>
    /// <param name="parameters">Names of the tensors that the copies take from outside.</param>
    /// <param name="resident">Brings a tensor with external data into memory.</param>
    /// <exception cref="OnnxModelException">The model uses something that cannot be copied or upgraded.</exception>
    public ForwardModel(ModelProto model, string inputName, string outputName, IReadOnlyList<long> sampleShape,
        IReadOnlyList<ModelParameter> parameters, Func<TensorProto, TensorProto> resident)
        : this(WorkingCopy.Of(model), inputName, outputName, sampleShape, parameters, resident)
    {
    }

    /// <param name="model">A model in working form, such as <see cref="ModelFile.Working"/>.</param>
    public ForwardModel(WorkingCopy model, string inputName, string outputName, IReadOnlyList<long> sampleShape,
        IReadOnlyList<ModelParameter> parameters, Func<TensorProto, TensorProto> resident)
    {
        this.model = model;
        this.resident = resident;
        InputName = inputName;
        OutputName = outputName;
        SampleShape = sampleShape;
        Parameters = parameters;
        Opset = model.Opset;
        InputElement = (TensorProto.Types.DataType)model.Graph.Input.First(i => i.Name == inputName).Type.TensorType.ElemType;
    }

    public int Opset { get; }

    public string InputName { get; }

    public string OutputName { get; }

    /// <summary>Shape of one sample, without the batch axis.</summary>
    public IReadOnlyList<long> SampleShape { get; }

    /// <summary>Float for samples, Int32 or Int64 for indices, whatever float type the model itself takes.</summary>
    public TensorProto.Types.DataType InputElement { get; }

    public IReadOnlyList<ModelParameter> Parameters { get; }

    /// <summary>Where the output has its classes, and whether it answers per sample (the default) or per position.</summary>
    public LogitLayout Layout { get; init; } = LogitLayout.PerSample;

    /// <summary>The batch size that the model insists on; null if any will do.</summary>
    public long? FixedBatch =>
        model.Graph.Input.First(i => i.Name == InputName).Type.TensorType.Shape?.Dim is [{ HasDimValue: true, DimValue: > 0 } first, ..]
            ? first.DimValue : null;

    /// <summary>
    /// How each parameter is used, in the order in which the model reads them first. A parameter that only reaches its operator through
    /// others that leave its values as they are (Identity, Transpose, Reshape, …) is listed with that operator.
    /// </summary>
    public IReadOnlyList<ParameterUse> Uses => ParameterUse.Of(model.Graph.Node, Parameters);

    /// <summary>Type and shape of the output for samples of the given shape, as ONNX Runtime finds them.</summary>
    /// <exception cref="OnnxModelException">ONNX Runtime does not accept the model.</exception>
    public TensorType OutputType()
    {
        var graph = NewGraph();
        var output = Append(graph, "model/", AddInput(graph, InputName, "batch"), AddParameterInputs(graph));
        var types = new TypeOracle();
        types.Update(graph);
        return types[output.Name];
    }

    /// <summary>An empty graph with the operator sets of the model.</summary>
    public GraphBuilder NewGraph()
    {
        var graph = new GraphBuilder(Opset);
        foreach (var import in model.Domains)
            graph.Import(import.Domain, import.Version);
        return graph;
    }

    /// <summary>Declares a batch input of the graph; its first dimension is the symbol, or the model's fixed batch.</summary>
    public Value AddInput(GraphBuilder graph, string name, string batchSymbol) =>
        graph.Input(name, new(InputElement, [FixedBatch is { } n ? n : batchSymbol, .. SampleShape.Select(d => (Dim)d)]));

    /// <summary>Declares one graph input per parameter, under the parameters' own names.</summary>
    public Value[] AddParameterInputs(GraphBuilder graph) =>
        [.. Parameters.Select(p => graph.Input(p.Name, p.Type))];

    /// <summary>Appends a copy of the model.</summary>
    /// <param name="prefix">Put before the names of the copy's values.</param>
    /// <param name="parameters">One value per entry of <see cref="Parameters"/>.</param>
    /// <returns>The output value of the copy.</returns>
    public Value Append(GraphBuilder graph, string prefix, Value input, IReadOnlyList<Value> parameters)
    {
        var names = new Dictionary<string, string> { [InputName] = input.Name };
        for (var i = 0; i < Parameters.Count; i++)
            names[Parameters[i].Name] = parameters[i].Name;
        foreach (var tensor in model.Graph.Initializer.Where(t => !names.ContainsKey(t.Name)))
        {
            names[tensor.Name] = Frozen + tensor.Name;
            if (!graph.Initializers.ContainsKey(Frozen + tensor.Name))
                graph.Initializer(Frozen + tensor.Name, model.Stored(resident(tensor)));
        }
        foreach (var node in model.Graph.Node)
        {
            var copy = node.Clone();
            copy.Name = prefix + node.Name;
            NodeNames.RenameReads(copy, names);
            for (var i = 0; i < copy.Output.Count; i++)
                if (copy.Output[i].Length > 0)
                    copy.Output[i] = names[copy.Output[i]] = prefix + copy.Output[i];
            graph.Add(copy);
        }
        return new Value(names.GetValueOrDefault(OutputName, OutputName));
    }

    /// <summary>Keeps constants that the copies share apart from the values of a copy without prefix.</summary>
    const string Frozen = "frozen/";
}

/// <summary>A trainable tensor of a model: the name of its initializer (or of the Constant node's output) and its shape.</summary>
public sealed record ModelParameter(string Name, IReadOnlyList<long> Shape)
{
    public long Count => Shape.Aggregate(1L, (n, d) => checked(n * d));

    /// <summary>The parameter as an input of a training graph: always float32.</summary>
    public TensorType Type => TensorType.Float([.. Shape.Select(d => (Dim)d)]);
}
