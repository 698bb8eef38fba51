using RegistryUnlearn.Onnx.Gradients;
using RegistryUnlearn.Onnx.Graphs;
using RegistryUnlearn.Onnx.Proto;

namespace RegistryUnlearn.Onnx.TrainingArtifacts;

/// <summary>
/// A node of an operator that only ONNX Runtime Training has, as its lowering sees it: the graph so far consists of standard operators.
/// </summary>
sealed class GradientOperator(GraphBuilder graph, TypeOracle types, NodeProto node, IReadOnlyDictionary<string, TensorType> declared)
{
    public GraphBuilder G => graph;

    public NodeProto Node => node;

    public Value In(int i) => new(node.Input[i]);

    public bool HasIn(int i) => i < node.Input.Count && node.Input[i].Length > 0;

    public TensorType Type(int i) => TypeOf(In(i));

    public TensorType TypeOf(Value value)
    {
        if (!types.Knows(value.Name)) types.Update(graph);
        return types[value.Name];
    }

    /// <summary>
    /// The value that output i is the gradient of, or one of its shape: by its name, which ONNX Runtime makes of the value's; else zeros of
    /// the declared shape. Null if neither tells.
    /// </summary>
    public Value? Forward(int i)
    {
        var name = node.Output[i];
        if (name.EndsWith(OrtTrainingContract.GradientSuffix, StringComparison.Ordinal)
            && new Value(name[..^OrtTrainingContract.GradientSuffix.Length]) is var value
            && (graph.Producer(value) is not null || graph.Inputs.ContainsKey(value.Name)))
            return value;
        return declared.TryGetValue(name, out var type) && type.IsFixed ? graph.Zeros(graph.Ints(type.Sizes)) : null;
    }

    /// <summary>
    /// The gradients of a standard operator by this product's own rules: output gradient times the operator, differentiated. The copies of
    /// the inputs keep the derivative from going further back.
    /// </summary>
    /// <param name="inputs">Floats first; null where an input of the operator is left out.</param>
    public Value[] ByRule(string op, Value outputGradient, Value?[] inputs, int differentiable)
    {
        Value[] copies = [.. inputs.Select((v, i) =>
            v is null ? default : i < differentiable ? graph.Add("Identity", [v.Value]) : v.Value)];
        var output = graph.Add(op, copies, [.. node.Attribute.Select(a => a.Clone())]);
        return new Differentiator(graph).Gradients(graph.SumAll(graph.Mul(outputGradient, output)), copies[..differentiable]);
    }
}
