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

    public static Rule Rule(string op, Func<RuleContext, Value?[]> pull) => new(Domain, op, 1, pull);

    public static Value Emit(GraphBuilder g, string op, ReadOnlySpan<Value> ins, IEnumerable<AttributeProto> attributes) =>
        g.Add($"{Domain}.{op}", ins, [.. attributes]);

    public static Value SliceGrad(GraphBuilder g, Value dy, NodeProto slice, TensorType x) =>
        Emit(g, SliceGradOp, [dy, .. slice.Input.Select(i => new Value(i))], [Attributes.Of("x_shape", x.Sizes)]);
}
