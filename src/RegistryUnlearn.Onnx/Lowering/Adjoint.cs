using RegistryUnlearn.Onnx.Gradients;
using RegistryUnlearn.Onnx.Graphs;
using RegistryUnlearn.Onnx.Proto;

namespace RegistryUnlearn.Onnx.Lowering;

/// <summary>
/// Operators of our own that exist only while a graph is built: each is the transpose of a linear standard operator, so that its
/// gradient is that operator again and second derivatives stay as cheap as first ones. <see cref="LoweringTable"/> writes them in
/// standard operators, in the formulation that runs fastest for their shape.
/// </summary>
static class Adjoint
{
    public const string Domain = "registryunlearn.adjoint";

    /// <summary>(dY, W, X) → gradient of Conv with respect to X; X gives only its shape.</summary>
    public const string ConvGradInputOp = "ConvGradInput";

    /// <summary>(X, dY) → gradient of Conv with respect to W.</summary>
    public const string ConvGradWeightOp = "ConvGradWeight";

    /// <summary>(dY, X) → dY at the positions of the maxima of X's windows.</summary>
    public const string MaxPoolGradOp = "MaxPoolGrad";

    /// <summary>(V, X) → the elements of V at the positions of the maxima of X's windows.</summary>
    public const string MaxPoolGatherOp = "MaxPoolGather";

    /// <summary>(dY, X) → gradient of AveragePool with respect to X; X gives only its shape.</summary>
    public const string AveragePoolGradOp = "AveragePoolGrad";

    /// <summary>(dY, X, starts, ends, axes, steps) → gradient of Slice with respect to X; X gives only its shape.</summary>
    public const string SliceGradOp = "SliceGrad";

    /// <summary>A standard node whose output has the name and the type of an adjoint operator's.</summary>
    /// <param name="g">Receives a constant where the node needs one.</param>
    public static NodeProto StandIn(GraphBuilder g, NodeProto node)
    {
        var alike = node.OpType switch
        {
            ConvGradInputOp => new NodeProto { OpType = "Identity", Input = { node.Input[2] } },
            ConvGradWeightOp => new() { OpType = "ConstantOfShape", Input = { WeightShape().Name } },
            MaxPoolGatherOp => new()
            {
                OpType = "MaxPool",
                Input = { node.Input[1] },
                Attribute = { Geometry.Of(node).Window, Attributes.Of("ceil_mode", node.Int("ceil_mode", 0)) },
            },
            _ => new() { OpType = "Identity", Input = { node.Input[1] } },
        };
        alike.Name = node.Name;
        alike.Output.Add(node.Output);
        return alike;

        // Not a fresh name: the graph that the node comes from may have it.
        Value WeightShape()
        {
            var shape = Geometry.Of(node).WeightShape;
            return g.Initializer($"shape of {node.Output[0]}", Tensors.Of(shape, shape.Length));
        }
    }

    public static Rule Rule(string op, Func<RuleContext, Value?[]> pull) => new(Domain, op, 1, pull);

    public static Value Emit(GraphBuilder g, string op, ReadOnlySpan<Value> ins, IEnumerable<AttributeProto> attributes) =>
        g.Add($"{Domain}.{op}", ins, [.. attributes]);

    public static Value SliceGrad(GraphBuilder g, Value dy, NodeProto slice, TensorType x) =>
        Emit(g, SliceGradOp, [dy, .. slice.Input.Select(i => new Value(i))], [Attributes.Of("x_shape", x.Sizes)]);
}
