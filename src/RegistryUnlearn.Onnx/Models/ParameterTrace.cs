using RegistryUnlearn.Onnx.Proto;

namespace RegistryUnlearn.Onnx.Models;

/// <summary>Follows the float tensors of a model through its nodes, once, in order, to the inputs they end in.</summary>
sealed class ParameterTrace
{
    // Names that PyTorch, Keras and TensorFlow give to running statistics; with the normalisation written out nothing else tells them.
    static readonly string[] StatisticNames = ["running_mean", "running_var", "moving_mean", "moving_variance"];

    // What Swin Transformer V2 feeds to the network behind its position biases: like a parameter, but for the name that modules give it.
    const string Coordinates = "relative_coords_table";

    readonly ModelFile model;
    readonly Dictionary<string, Flow> flows = new(StringComparer.Ordinal);

    /// <param name="model">The model.</param>
    /// <param name="outputs">Values that must depend on a parameter.</param>
    public ParameterTrace(ModelFile model, IReadOnlyCollection<string> outputs)
    {
        this.model = model;
        Found = new TrainableParameter?[model.Tensors.Count];
        WhyNot = new string?[model.Tensors.Count];
        IsStatistic = new bool[model.Tensors.Count];
        foreach (var input in model.Working.Graph.Input) flows[input.Name] = new(Activation: true, Processed: false, []);
        // After the inputs: a tensor that is also listed as a graph input (IR below 4) is a tensor.
        for (var i = 0; i < model.Tensors.Count; i++)
            flows[model.Tensors[i].Name] = new(false, false, model.Tensors[i].IsFloat ? [new(i, Composed: false)] : []);
        Nodes = LiveNodes.Of(model.Working.Graph, outputs);
        foreach (var input in Nodes.SelectMany(LiveNodes.Bodies).SelectMany(b => b.Input)) flows.TryAdd(input.Name, new(true, true, []));
        foreach (var node in Nodes) Visit(node);
    }

    /// <summary>Nodes looked at.</summary>
    public IReadOnlyList<NodeProto> Nodes { get; }

    /// <summary>Per tensor, where it was recognised as a parameter.</summary>
    public TrainableParameter?[] Found { get; }

    /// <summary>Per tensor, the first reason met why it is none; null if no node looked at uses it.</summary>
    public string?[] WhyNot { get; }

    /// <summary>Per tensor, whether it holds running statistics.</summary>
    public bool[] IsStatistic { get; }

    void Visit(NodeProto node)
    {
        if (node.OpType == "Constant" || ParameterSlots.IsShape(node)) return;
        var inputs = node.Input.Select(name => flows.GetValueOrDefault(name, Flow.None)).ToArray();
        var activation = inputs.Any(f => f.Activation);
        var processed = inputs.Any(f => f.Processed);
        for (var slot = 0; slot < inputs.Length; slot++)
            foreach (var root in inputs[slot].Roots) Judge(node, slot, root, activation, processed);

        var result = activation
            ? new Flow(true, processed || !ParameterSlots.Prepares(node) || ReadsEmbedding(node, inputs), [])
            : new Flow(false, false, [.. inputs.SelectMany((f, slot) => Carried(node, slot, f)).Distinct()]);
        foreach (var output in node.Output) flows[output] = result;
    }

    // Gather rearranges, unless it is the layer that looks up embeddings.
    static bool ReadsEmbedding(NodeProto node, Flow[] inputs) => node.OpType is "Gather" && inputs is [{ Activation: false }, ..];

    // What the exporter folded and a Clip keeps from zero is a norm that a weight is divided by, not a parameter.
    IEnumerable<Root> Carried(NodeProto node, int slot, Flow flow) =>
        ParameterSlots.Rearranges(node, slot) ? flow.Roots
        : ParameterSlots.Composes(node, slot)
            ? flow.Roots.Where(r => node.OpType is not "Clip" || IsOfModule(model.Tensors[r.Tensor]))
                .Select(r => r with { Composed = true })
        : [];

    void Judge(NodeProto node, int slot, Root root, bool activation, bool processed)
    {
        var tensor = model.Tensors[root.Tensor];
        var label = node.Name.Length > 0 ? node.Name : node.Output.FirstOrDefault(o => o.Length > 0) ?? "";
        var place = $"input {slot} of {node.OpType} '{label}'";
        if (ParameterSlots.IsRunningStatistic(node, slot)) IsStatistic[root.Tensor] = true;

        var whyNot = tensor.Count == 0 ? "it has no elements"
            : tensor.Name.EndsWith(Coordinates, StringComparison.Ordinal) ? "coordinates by its name"
            : IsStatistic[root.Tensor] ? "running statistics"
            : !activation ? ParameterSlots.Rearranges(node, slot) || ParameterSlots.Composes(node, slot) ? null : "no activation meets it"
            : ParameterSlots.IsDirect(node, slot) ? WhyNotDirect(tensor, node, root)
            : ParameterSlots.IsElementwise(node, slot) ? WhyNotElementwise(tensor, node, processed)
            : "not a parameter of this operator";
        if (whyNot is not null) WhyNot[root.Tensor] ??= $"{place}: {whyNot}";
        else if (activation) Found[root.Tensor] ??= new(tensor, node.OpType, label, slot, place);
        else WhyNot[root.Tensor] ??= $"{place}: its result reaches no parameter input";
    }

    // Normalisations without learned scale and bias are exported with stored ones and zeros: as Constant nodes, and at
    // InstanceNormalization, which stands in for a group normalisation whose own scale follows, also as initializers.
    string? WhyNotDirect(TensorData tensor, NodeProto node, Root root)
    {
        if (root.Composed) return LearnedConstant.WhyNot(tensor, node, IsOfModule(tensor));
        return ParameterSlots.IsNormalization(node)
            && (tensor.IsConstantNode || node.OpType == "InstanceNormalization")
            && (LearnedConstant.IsAll(tensor, 0) || LearnedConstant.IsAll(tensor, 1)) ? "a placeholder of ones or zeros" : null;
    }

    string? WhyNotElementwise(TensorData tensor, NodeProto node, bool processed)
    {
        if (StatisticNames.Any(n => tensor.Name.EndsWith(n, StringComparison.OrdinalIgnoreCase))) return "a running statistic by its name";
        return LearnedConstant.WhyNot(tensor, node, IsOfModule(tensor))
            ?? (!processed && LearnedConstant.IsPerChannel(tensor) ? "preprocessing of the raw input" : null);
    }

    // PyTorch's exporter stores parameters and buffers under the names that the module gives them; constants of its formulas are
    // Constant nodes, or where the exporter folded them, have names of its own making.
    bool IsOfModule(TensorData tensor) => !tensor.IsConstantNode && model.Model.ProducerName is "pytorch"
        && !tensor.Name.Contains("::", StringComparison.Ordinal) && !tensor.Name.StartsWith("val_", StringComparison.Ordinal)
        && !tensor.Name.Contains("mask", StringComparison.OrdinalIgnoreCase) && !tensor.Name.All(char.IsAsciiDigit);

    /// <summary>What a value is made of: activations, or else stored float tensors.</summary>
    /// <param name="Activation">Depends on a graph input's values.</param>
    /// <param name="Processed">Has passed more than what prepares raw samples.</param>
    /// <param name="Roots">Stored tensors, where the value depends on nothing else.</param>
    readonly record struct Flow(bool Activation, bool Processed, Root[] Roots)
    {
        public static Flow None { get; } = new(false, false, []);
    }

    /// <param name="Tensor">Index in <see cref="ModelFile.Tensors"/>.</param>
    /// <param name="Composed">Whether arithmetic lies between the tensor and the value.</param>
    readonly record struct Root(int Tensor, bool Composed);
}
