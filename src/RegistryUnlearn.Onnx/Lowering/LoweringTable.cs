using System.Collections.Frozen;
using RegistryUnlearn.Onnx.Graphs;
using RegistryUnlearn.Onnx.Proto;

namespace RegistryUnlearn.Onnx.Lowering;

/// <summary>
/// The one place where adjoint operators become standard ones. The formulations are those that measured fastest on ONNX Runtime's CPU
/// provider for the shape at hand (docs/performance.md).
/// </summary>
static class LoweringTable
{
    static readonly FrozenDictionary<string, Func<GraphBuilder, NodeProto, Value>> Lowerings =
        new Dictionary<string, Func<GraphBuilder, NodeProto, Value>>
        {
            [Adjoint.ConvGradInputOp] = (g, n) => ConvGradInput.Lower(g, Geometry.Of(n), In(n, 0), In(n, 1), In(n, 2)),
            [Adjoint.ConvGradWeightOp] = (g, n) => ConvGradWeight.Lower(g, Geometry.Of(n), In(n, 0), In(n, 1)),
            [Adjoint.MaxPoolGradOp] = PoolLowering.MaxPoolGrad,
            [Adjoint.MaxPoolGatherOp] = PoolLowering.MaxPoolGather,
            [Adjoint.AveragePoolGradOp] = PoolLowering.AveragePoolGrad,
            [Adjoint.SliceGradOp] = SliceGrad.Lower,
        }.ToFrozenDictionary();

    /// <summary>A graph with the given nodes, every adjoint operator replaced; values keep their names.</summary>
    public static GraphBuilder Lower(GraphBuilder graph, IEnumerable<NodeProto> nodes)
    {
        var lowered = graph.CloneWithoutNodes();
        foreach (var node in nodes)
            if (node.Domain == Adjoint.Domain)
                lowered.Keep(Identity(Lowerings[node.OpType](lowered, node), node.Output[0]));
            else
                lowered.Keep(node);
        return lowered;
    }

    static Value In(NodeProto node, int i) => new(node.Input[i]);

    static NodeProto Identity(Value from, string to) => new() { OpType = "Identity", Name = to, Input = { from.Name }, Output = { to } };
}
