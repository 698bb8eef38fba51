using Google.Protobuf;
using RegistryUnlearn.Onnx.Graphs;
using RegistryUnlearn.Onnx.Models;
using RegistryUnlearn.Onnx.Proto;

namespace RegistryUnlearn.Onnx.TrainingArtifacts;

/// <summary>A graph of foreign training artifacts, copied node by node with training-only operators replaced.</summary>
sealed class ForeignGraph
{
    const int OldestOpset = 13;

    readonly GraphProto source;
    readonly GraphBuilder graph;
    readonly TypeOracle types = new();
    readonly Dictionary<string, Value> gradients = [];

    ForeignGraph(ModelFile file, Checkpoint checkpoint, bool parametersAreInputs)
    {
        source = file.Model.Graph;
        var opset = file.Model.OpsetImport.FirstOrDefault(o => o.Domain is "" or "ai.onnx")?.Version ?? 0;
        if (opset is < OldestOpset or > int.MaxValue)
            throw new OnnxModelException(
                $"the graph uses operator set {opset}; generate the artifacts from a model of operator set {OldestOpset} or newer");
        RequireDistinctNames();
        graph = new((int)Math.Max(opset, GraphBuilder.OldestOpset));
        foreach (var import in file.Model.OpsetImport.Where(o => o.Domain is not ("" or "ai.onnx")))
            graph.Import(import.Domain, import.Version);
        var stored = source.Initializer.Select(i => i.Name).ToHashSet(StringComparer.Ordinal);
        foreach (var tensor in source.Initializer) graph.Initializer(tensor.Name, Resident(file, tensor));
        foreach (var tensor in checkpoint.Trainable.Concat(checkpoint.Frozen).Where(t => source.Input.Any(i => i.Name == t.Name)))
            if (parametersAreInputs)
                graph.Input(tensor.Name, new(tensor.Type, [.. tensor.Dims.Select(d => (Dim)d)]));
            else
                graph.Initializer(tensor.Name, tensor.ToProto());
        foreach (var input in source.Input)
            if (!stored.Contains(input.Name) && !graph.Inputs.ContainsKey(input.Name) && !graph.Initializers.ContainsKey(input.Name)
                && input.Name != OrtTrainingContract.ResetFlag && !OrtTrainingContract.IsGradientName(input.Name))
                graph.Input(input.Name, Declared(input) ?? throw new OnnxModelException(
                    $"input '{input.Name}' is not a tensor of declared type and rank; generate the artifacts again"));
    }

    public static ModelProto Training(ModelFile file, Checkpoint checkpoint, IDictionary<string, int> lowered)
    {
        var copy = new ForeignGraph(file, checkpoint, parametersAreInputs: true);
        copy.Append(lowered);
        var loss = copy.Loss();
        ModelParameter[] parameters = [.. checkpoint.Trainable.Where(t => copy.graph.Inputs.ContainsKey(t.Name))
            .Select(t => new ModelParameter(t.Name, t.Dims))];
        Value[] gradients = [.. parameters.Select(p => copy.gradients.TryGetValue(p.Name, out var gradient) ? gradient
            : throw new OnnxModelException($"parameter '{p.Name}' has no gradient buffer; generate the artifacts again"))];
        // Names of gradients are taken by the nodes that were copied; the contract's own are derived from these.
        var named = copy.Renamed(
            [.. parameters.Select(p => p.Name + OrtTrainingContract.GradientSuffix),
                .. parameters.Select(p => p.Name + OrtTrainingContract.AccumulatedSuffix),
                .. parameters.Select(p => OrtTrainingContract.GradientOutput + p.Name)],
            gradients);
        copy.graph.Output(loss, new(loss), TensorType.Float());
        OrtTrainingContract.AddAccumulation(copy.graph, parameters, named);
        return OrtTrainingContract.Finish(copy.graph);
    }

    /// <summary>Any graph with its own outputs.</summary>
    public static ModelProto Lowered(ModelFile file)
    {
        var copy = new ForeignGraph(file, new([], []), parametersAreInputs: true);
        copy.Append(new Dictionary<string, int>());
        foreach (var output in copy.source.Output) copy.graph.Output(output.Name, new(output.Name));
        return copy.graph.Build();
    }

    public static ModelProto Classifier(ModelFile file, Checkpoint checkpoint)
    {
        var copy = new ForeignGraph(file, checkpoint, parametersAreInputs: false);
        var logits = copy.Logits();
        var live = copy.Behind(logits);
        foreach (var node in live) copy.graph.Add(node.Clone());
        copy.types.Update(copy.graph);
        copy.graph.Output(logits, new(logits), copy.types[logits]);
        var model = copy.graph.Build();
        var read = live.SelectMany(GraphBuilder.Reads).ToHashSet(StringComparer.Ordinal);
        for (var i = model.Graph.Input.Count - 1; i >= 0; i--)
            if (!read.Contains(model.Graph.Input[i].Name)) model.Graph.Input.RemoveAt(i);
        return model;
    }

    void Append(IDictionary<string, int> lowered)
    {
        var unknown = source.Node.Where(IsTrainingOnly).Select(GradientOperators.Describe).ToList();
        if (unknown.Count > 0)
            throw new OnnxModelException($"no standard form is known of {string.Join(", ", unknown)}; generate the artifacts from a model "
                + "exported for inference, with batch normalization and recurrent layers in evaluation mode, or import the model itself");
        var declared = source.ValueInfo.Concat(source.Output).Where(v => v.Type?.TensorType?.Shape is not null)
            .DistinctBy(v => v.Name).Select(v => (v.Name, Type: Declared(v)!)).ToDictionary(v => v.Name, v => v.Type);
        foreach (var node in source.Node)
            if (IsAccumulator(node))
                gradients[node.Input[0].EndsWith(OrtTrainingContract.BufferSuffix, StringComparison.Ordinal)
                    ? node.Input[0][..^OrtTrainingContract.BufferSuffix.Length] : node.Input[0]] = new(node.Input[1]);
            else if (GradientOperators.Find(node) is { } lower)
            {
                Replace(node, lower, declared);
                lowered[node.OpType] = lowered.TryGetValue(node.OpType, out var count) ? count + 1 : 1;
            }
            else
                graph.Add(node.Clone());
    }

    void Replace(NodeProto node, Func<GradientOperator, Value?[]> lower, IReadOnlyDictionary<string, TensorType> declared)
    {
        Value?[] values;
        try
        {
            values = lower(new GradientOperator(graph, types, node, declared));
        }
        catch (ArgumentOutOfRangeException e)
        {
            throw new OnnxModelException($"{GradientOperators.Describe(node)} has too few inputs; generate the artifacts again", e);
        }
        for (var i = 0; i < node.Output.Count; i++)
        {
            if (node.Output[i].Length == 0) continue;
            var value = i < values.Length ? values[i] : null;
            graph.Add("Identity",
                [value ?? throw new OnnxModelException($"output {i} of {GradientOperators.Describe(node)} has no standard form")],
                [new Value(node.Output[i])], []);
        }
    }

    /// <summary>Gives other names to what has names that the contract's own accumulation uses.</summary>
    Value[] Renamed(HashSet<string> taken, Value[] values)
    {
        var fresh = new Dictionary<string, string>();
        foreach (var node in graph.Nodes)
        {
            if (taken.Contains(node.Name)) node.Name = graph.Fresh(node.Name);
            for (var i = 0; i < node.Output.Count; i++)
                if (taken.Contains(node.Output[i]))
                    node.Output[i] = fresh[node.Output[i]] = graph.Fresh(node.Output[i]);
            for (var i = 0; i < node.Input.Count; i++)
                node.Input[i] = fresh.GetValueOrDefault(node.Input[i], node.Input[i]);
        }
        graph.Forget(fresh.Keys);
        return [.. values.Select(v => new Value(fresh.GetValueOrDefault(v.Name, v.Name)))];
    }

    string Loss() => UserOutputs().FirstOrDefault(o => Declared(o) is not { Rank: > 0 })?.Name
        ?? throw new OnnxModelException("no output is a scalar that could be the loss; generate the artifacts again");

    /// <summary>What the cross-entropy reads; where it is spelled out in other operators, the only output beside the loss.</summary>
    string Logits()
    {
        if (source.Node.FirstOrDefault(n => n.OpType == "SoftmaxCrossEntropyLoss" && n.Input.Count > 1) is { } loss) return loss.Input[0];
        var others = UserOutputs().Where(o => Declared(o) is { Rank: > 1 }).ToList();
        return others.Count == 1 ? others[0].Name : throw new OnnxModelException(
            "the loss is no cross-entropy of logits: no node is a SoftmaxCrossEntropyLoss, and there is not one output beside the loss");
    }

    IEnumerable<ValueInfoProto> UserOutputs() => source.Output.Where(o => !OrtTrainingContract.IsGradientName(o.Name)
        && !o.Name.StartsWith(OrtTrainingContract.GradientOutput, StringComparison.Ordinal));

    List<NodeProto> Behind(string value)
    {
        var needed = new HashSet<string>(StringComparer.Ordinal) { value };
        var live = new List<NodeProto>();
        foreach (var node in source.Node.Reverse().Where(n => n.Output.Any(needed.Contains)))
        {
            live.Add(node);
            needed.UnionWith(GraphBuilder.Reads(node));
        }
        live.Reverse();
        return live;
    }

    void RequireDistinctNames()
    {
        var all = source.Initializer.Select(t => t.Name).Concat(source.Node.SelectMany(n => n.Output).Where(o => o.Length > 0));
        if (all.Concat(source.Input.Select(i => i.Name).Except(source.Initializer.Select(t => t.Name))).GroupBy(n => n)
            .FirstOrDefault(g => g.Count() > 1) is { } twice)
            throw new OnnxModelException($"value '{twice.Key}' is made twice; generate the artifacts again");
    }

    static bool IsAccumulator(NodeProto node) =>
        node.Domain == OrtTrainingContract.Domain && node.OpType == OrtTrainingContract.Accumulator && node.Input.Count > 1;

    static bool IsTrainingOnly(NodeProto node) => GradientOperators.Find(node) is null && !IsAccumulator(node)
        && node.Domain is OrtTrainingContract.Domain or "" or "ai.onnx"
        && (node.OpType.EndsWith("Grad", StringComparison.Ordinal) || node.OpType.EndsWith("Training", StringComparison.Ordinal)
            || node.OpType is "BatchNormInternal" or "SoftmaxCrossEntropyLossInternal" or "SoftmaxCrossEntropy"
                or "SparseSoftmaxCrossEntropy" or "BatchScale" or "ScaledSum" or "FakeQuant" or "PythonOp" or "PadAndUnflatten"
                or "FlattenAndUnpad");

    static TensorProto Resident(ModelFile file, TensorProto tensor) => tensor.DataLocation is not TensorProto.Types.DataLocation.External
        ? tensor : new()
        {
            Name = tensor.Name,
            DataType = tensor.DataType,
            Dims = { tensor.Dims },
            RawData = UnsafeByteOperations.UnsafeWrap(file[tensor.Name].ReadBytes()),
        };

    static TensorType? Declared(ValueInfoProto value) => value.Type?.TensorType is not { Shape: { } shape } tensor ? null
        : new((TensorProto.Types.DataType)tensor.ElemType, [.. shape.Dim.Select((d, i) =>
            d.HasDimValue ? (Dim)d.DimValue : d.HasDimParam && d.DimParam.Length > 0 ? d.DimParam : $"{value.Name}_{i}")]);
}
