using RegistryUnlearn.Onnx.Graphs;
using RegistryUnlearn.Onnx.Models;
using RegistryUnlearn.Onnx.Proto;

namespace RegistryUnlearn.Onnx.Gradients;

/// <summary>What a rule sees: the node, its inputs and outputs with their types, and the cotangents of its outputs.</summary>
public sealed class RuleContext(GraphBuilder graph, TypeOracle types, NodeProto node, IReadOnlyDictionary<string, Value> cotangents)
{
    /// <summary>The graph that the rule appends to.</summary>
    public GraphBuilder G => graph;

    public NodeProto Node => node;

    public int InputCount => node.Input.Count;

    public int OutputCount => node.Output.Count;

    public Value In(int i) => new(node.Input[i]);

    public bool HasIn(int i) => i < node.Input.Count && node.Input[i].Length > 0;

    public Value Out(int i) => new(node.Output[i]);

    /// <summary>The cotangent of output i; zeros if nothing depends on that output.</summary>
    public Value DOut(int i = 0) => cotangents.TryGetValue(node.Output[i], out var value) ? value : graph.Zeros(graph.Shape(Out(i)));

    public TensorType InType(int i) => types[node.Input[i]];

    public TensorType OutType(int i = 0) => types[node.Output[i]];

    public TensorType TypeOf(Value value) => types[value.Name];

    public long Int(string attribute, long otherwise) => node.Int(attribute, otherwise);

    public float Float(string attribute, float otherwise) => node.Float(attribute, otherwise);

    public long[]? Ints(string attribute) => node.Ints(attribute);

    /// <summary>The integers of an input that must be constant for the rule to apply.</summary>
    /// <exception cref="OnnxModelException">The input is computed at run time.</exception>
    public long[] ConstantInts(int i) =>
        graph.ConstantInts(In(i)) ?? DerivedConstants.Integers(graph, types, In(i)) ?? throw NotConstant(i);

    /// <summary>The floats of an input that must be constant for the rule to apply.</summary>
    /// <exception cref="OnnxModelException">The input is computed at run time.</exception>
    public float[] ConstantFloats(int i) =>
        graph.ConstantFloats(In(i)) ?? DerivedConstants.Floats(graph, types, In(i)) ?? throw NotConstant(i);

    /// <summary>The error for a form of the operator that its rule does not cover.</summary>
    /// <param name="form">What the node has, as in "with a cache of keys and values".</param>
    /// <param name="remedy">What to do, as in "export the model without one".</param>
    public OnnxModelException Refuse(string form, string remedy) =>
        new($"{node.OpType} (node '{node.Name}') with {form} has no gradient rule; {remedy}");

    OnnxModelException NotConstant(int i) => new(
        $"input {i} ('{node.Input[i]}') of {node.OpType} (node '{node.Name}') must be a constant for its gradient; export the model with "
            + "fixed shapes, or fold constants first");

    /// <summary>The shape of a value as an int64 vector, constant where it is fixed.</summary>
    public Value ShapeOf(Value value, TensorType type) => type.IsFixed ? graph.Ints(type.Sizes) : graph.Shape(value);

    public Value ShapeOfIn(int i) => ShapeOf(In(i), InType(i));

    /// <summary>A value with as many elements as input i, in the shape of input i.</summary>
    public Value ReshapeLikeIn(Value value, int i) =>
        InType(i).Shape.Count(d => !d.IsFixed) <= 1 && !InType(i).Sizes.Contains(0)
            ? graph.Reshape(value, InType(i).Sizes) : graph.Reshape(value, ShapeOfIn(i));

    /// <summary>
    /// The one place that knows broadcasting: sums a cotangent of shape <paramref name="from"/> over the axes along which input i was
    /// repeated, and gives it the shape of input i. An axis is repeated when input i has the fixed size 1 there and the result does not.
    /// </summary>
    public Value Unbroadcast(Value cotangent, TensorType from, int i)
    {
        var to = InType(i);
        var lead = from.Rank - to.Rank;
        var axes = Enumerable.Range(0, from.Rank)
            .Where(a => a < lead || (to.Shape[a - lead] == 1 && from.Shape[a] != 1)).Select(a => (long)a).ToArray();
        if (axes.Length == 0)
            return cotangent;
        var sum = graph.ReduceSum(cotangent, axes, keep: lead == 0);
        return lead == 0 || axes.Length == lead ? sum : ReshapeLikeIn(sum, i);
    }

    public Value Unbroadcast(Value cotangent, int i) => Unbroadcast(cotangent, OutType(), i);
}
