using Google.Protobuf;
using RegistryUnlearn.Onnx.Graphs;
using RegistryUnlearn.Onnx.Models;
using RegistryUnlearn.Onnx.Proto;
using static RegistryUnlearn.Onnx.Proto.TensorProto.Types;

namespace RegistryUnlearn.Onnx.TrainingArtifacts;

/// <summary>
/// What ONNX Runtime Training expects of a training graph: it knows inputs and outputs by their names alone. Parameter p is an input p,
/// its gradient is added to an input <c>p_grad.accumulation.buffer</c>, which <c>lazy_reset_grad</c> makes it overwrite instead.
/// </summary>
public static class OrtTrainingContract
{
    public const string Domain = "com.microsoft";
    public const string Accumulator = "InPlaceAccumulatorV2";
    public const string ResetFlag = "lazy_reset_grad";
    public const string GradientSuffix = "_grad";
    public const string BufferSuffix = "_grad.accumulation.buffer";
    public const string AccumulatedSuffix = "_grad.accumulation.out";

    /// <summary>
    /// Outputs of this prefix hold this step's gradients; the engine returns them, since no other name of theirs is hidden.
    /// </summary>
    public const string GradientOutput = "gradof::";

    /// <summary>The newest versions that ONNX Runtime 1.19, the last release of the training engine for all platforms, reads.</summary>
    public const int NewestOpset = 21;

    /// <summary>Whether the engine takes an input or output of this name for a gradient's.</summary>
    public static bool IsGradientName(string name) =>
        name.EndsWith(GradientSuffix, StringComparison.Ordinal) || name.EndsWith(BufferSuffix, StringComparison.Ordinal)
        || name.EndsWith(AccumulatedSuffix, StringComparison.Ordinal);

    /// <summary>Adds gradient buffers, their accumulation and the outputs that show each step's gradients.</summary>
    public static void AddAccumulation(GraphBuilder graph, IReadOnlyList<ModelParameter> parameters, IReadOnlyList<Value> gradients)
    {
        graph.Import(Domain, 1);
        Value[] buffers = [.. parameters.Select(p => graph.Input(p.Name + BufferSuffix, p.Type))];
        var reset = graph.Input(ResetFlag, Flag);
        for (var i = 0; i < parameters.Count; i++)
        {
            Value named = new(parameters[i].Name + GradientSuffix), updated = new(parameters[i].Name + AccumulatedSuffix);
            graph.Add("Identity", [gradients[i]], [named]);
            graph.Add($"{Domain}.{Accumulator}", [buffers[i], named, reset], [updated]);
            graph.Output(GradientOutput + parameters[i].Name, named, parameters[i].Type);
        }
        foreach (var parameter in parameters)
            graph.Output(parameter.Name + AccumulatedSuffix, new(parameter.Name + AccumulatedSuffix), Flag);
    }

    /// <summary>
    /// The graph as a model that both engines run: the training engine by its own accumulation in place; stock ONNX Runtime, which lacks
    /// that operator, by a function of its name, and there only <see cref="GradientOutput"/> shows gradients.
    /// </summary>
    /// <exception cref="OnnxModelException">An operator needs a newer operator set than the training engine reads.</exception>
    public static ModelProto Finish(GraphBuilder graph)
    {
        var model = graph.Build();
        if (model.Graph.Node.Any(n => n.OpType == Accumulator && n.Domain == Domain))
            model.Functions.Add(new FunctionProto
            {
                Domain = Domain,
                Name = Accumulator,
                Input = { "buffer", "value", "overwrite" },
                Output = { "updated" },
                Node = { Constant("updated") },
                OpsetImport = { new OperatorSetIdProto { Version = GraphBuilder.OldestOpset } },
            });
        return WithinNewestOpset(model);
    }

    static NodeProto Constant(string name) => new()
    {
        OpType = "Constant",
        Output = { name },
        Attribute =
        {
            Attributes.Of("value", new TensorProto { DataType = (int)DataType.Bool, Dims = { 1L }, RawData = ByteString.CopyFrom(1) }),
        },
    };

    static TensorType Flag { get; } = new(DataType.Bool, [1]);

    /// <summary>
    /// Operators newer than the training engine's are almost all old ones that take more types; ONNX Runtime says if not.
    /// </summary>
    static ModelProto WithinNewestOpset(ModelProto model)
    {
        var standard = model.OpsetImport.Single(o => o.Domain.Length == 0);
        if (standard.Version <= NewestOpset) return model;
        var newest = standard.Version;
        standard.Version = NewestOpset;
        try
        {
            TypeOracle.RequireAccepted(model);
        }
        catch (OnnxModelException e)
        {
            throw new OnnxModelException($"the model uses operator set {newest}, the training engine of ONNX Runtime reads up to "
                + $"{NewestOpset}, and the model's operators have no older form ({e.Message}); export it with opset_version "
                + $"{NewestOpset}", e);
        }
        return model;
    }
}
