using RegistryUnlearn.Onnx.Graphs;
using RegistryUnlearn.Onnx.Models;
using RegistryUnlearn.Onnx.Proto;

namespace RegistryUnlearn.Onnx.Intake;

/// <summary>One node on its way to a newer form: it may be changed, and nodes may be put before and behind it.</summary>
sealed class NodeRewrite(NodeProto node, KnownValues values, FreshNames names)
{
    readonly List<NodeProto> before = [];
    readonly List<NodeProto> after = [];

    public NodeProto Node => node;

    public IEnumerable<NodeProto> Result => before.Append(node).Concat(after);

    public bool HasInput(int slot) => slot < node.Input.Count && node.Input[slot].Length > 0;

    /// <summary>Number of axes of input 0 or output 0, which have as many; null if the model does not record it.</summary>
    public int? Rank => values.Rank(node.Input[0]) ?? values.Rank(node.Output[0]);

    /// <summary>The floats behind an input, if it is a constant that is stored in the model itself.</summary>
    public float[]? ConstantFloats(int slot) => values.Constant(node.Input[slot]) is { } tensor ? Tensors.Floats(tensor) : null;

    /// <summary>A node before this one; returns its output.</summary>
    public string Before(string op, string[] inputs, params AttributeProto[] attributes) => Put(before, op, inputs, attributes);

    public string Constant(TensorProto tensor) => Before("Constant", [], Attributes.Of("value", tensor));

    public string Constant(params long[] values) => Constant(Tensors.Of(values, values.Length));

    public string Constant(params float[] values) => Constant(Tensors.Of((ReadOnlySpan<float>)values, values.Length));

    public string Scalar(float value) => Constant(Tensors.Scalar(value));

    /// <summary>A node behind this one that makes this node's output 0; returns the name under which this node now passes it on.</summary>
    public void Behind(string op, string[] inputs, params AttributeProto[] attributes)
    {
        var (output, inner) = (node.Output[0], names.Next($"{node.Output[0]}/{node.OpType}"));
        node.Output[0] = inner;
        var last = new NodeProto { OpType = op, Name = $"{node.Name}/{op}", Input = { inner }, Output = { output } };
        last.Input.AddRange(inputs);
        last.Attribute.AddRange(attributes);
        after.Add(last);
    }

    /// <summary>Removes an attribute and returns it; null if the node has none of the name.</summary>
    public AttributeProto? Take(string name)
    {
        if (node.Find(name) is not { } attribute) return null;
        node.Attribute.Remove(attribute);
        return attribute;
    }

    /// <summary>Sets an attribute, replacing one of its name.</summary>
    public void Set(AttributeProto attribute)
    {
        Take(attribute.Name);
        node.Attribute.Add(attribute);
    }

    /// <summary>Sets an input, with absent ones before it where the node has fewer.</summary>
    public void SetInput(int slot, string value)
    {
        while (node.Input.Count <= slot) node.Input.Add("");
        node.Input[slot] = value;
    }

    public OnnxModelException Bad(string problem, string remedy) => new($"{NodeLabel.Of(node)}: {problem}. {remedy}");

    string Put(List<NodeProto> where, string op, string[] inputs, AttributeProto[] attributes)
    {
        var output = names.Next($"{node.Output[0]}/{op}");
        var made = new NodeProto { OpType = op, Name = output, Output = { output } };
        made.Input.AddRange(inputs);
        made.Attribute.AddRange(attributes);
        where.Add(made);
        return output;
    }
}
