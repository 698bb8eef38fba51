using RegistryUnlearn.Onnx.Graphs;
using RegistryUnlearn.Onnx.Models;
using RegistryUnlearn.Onnx.Proto;
using static RegistryUnlearn.Onnx.Proto.TensorProto.Types;

namespace RegistryUnlearn.Onnx.Intake;

/// <summary>
/// The graph as it serves: Dropout passes its input on, constants are stored tensors in one form whatever attribute held them, and pooling
/// has a whole number of windows.
/// </summary>
static class InferenceForm
{
    /// <exception cref="OnnxModelException">A BatchNormalization is in training mode, or a constant is sparse.</exception>
    public static void Apply(GraphProto graph, FreshNames names) => Apply(graph, names, isMain: true);

    static void Apply(GraphProto graph, FreshNames names, bool isMain)
    {
        var nodes = graph.Node.SelectMany(n => WholeWindows.Of(n, names)).ToList();
        graph.Node.Clear();
        foreach (var node in nodes)
        {
            foreach (var body in LiveNodes.Bodies(node)) Apply(body, names, isMain: false);
            var isStandard = node.Domain is "" or "ai.onnx";
            if (isStandard && node is { OpType: "Constant", Output.Count: 1 } && Stored(node) is { } tensor)
            {
                if (isMain) graph.Initializer.Add(Named(tensor, node.Output[0]));
                else graph.Node.Add(Constant(node, tensor));
            }
            else if (isStandard && node.OpType == "Dropout")
                graph.Node.AddRange(WithoutDropout(node, names));
            else if (isStandard && node.OpType == "BatchNormalization" && node.Int("training_mode", 0) != 0)
                throw new OnnxModelException(
                    $"{NodeLabel.Of(node)}: is in training mode. Export the model in evaluation mode (model.eval() in PyTorch)");
            else
                graph.Node.Add(node);
        }
    }

    /// <summary>The constant as a tensor; null for strings.</summary>
    static TensorProto? Stored(NodeProto node) => node.Attribute.FirstOrDefault() switch
    {
        { Name: "value", T: { } tensor } => tensor,
        { Name: "value_float" } a => Tensors.Scalar(a.F),
        { Name: "value_floats" } a => Tensors.Of((ReadOnlySpan<float>)[.. a.Floats], a.Floats.Count),
        { Name: "value_int" } a => Tensors.Of([a.I], dims: []),
        { Name: "value_ints" } a => Tensors.Of((ReadOnlySpan<long>)[.. a.Ints], a.Ints.Count),
        { Name: "sparse_value" } => throw new OnnxModelException($"{NodeLabel.Of(node)}: is sparse. Export the model with dense constants"),
        _ => null,
    };

    static TensorProto Named(TensorProto tensor, string name)
    {
        var named = tensor.Clone();
        named.Name = name;
        return named;
    }

    static NodeProto Constant(NodeProto node, TensorProto tensor) =>
        new() { OpType = "Constant", Name = node.Name, Output = { node.Output }, Attribute = { Attributes.Of("value", tensor) } };

    static IEnumerable<NodeProto> WithoutDropout(NodeProto node, FreshNames names)
    {
        var input = node.Input.FirstOrDefault() ?? "";
        yield return new() { OpType = "Identity", Name = node.Name, Input = { input }, Output = { node.Output.FirstOrDefault() ?? "" } };
        if (node.Output.ElementAtOrDefault(1) is not { Length: > 0 } mask) yield break;
        var shape = names.Next($"{mask}/Shape");
        yield return new() { OpType = "Shape", Name = shape, Input = { input }, Output = { shape } };
        yield return new()
        {
            OpType = "ConstantOfShape",
            Name = mask,
            Input = { shape },
            Output = { mask },
            Attribute = { Attributes.Of("value", new TensorProto { DataType = (int)DataType.Bool, Dims = { 1 }, Int32Data = { 1 } }) },
        };
    }
}
