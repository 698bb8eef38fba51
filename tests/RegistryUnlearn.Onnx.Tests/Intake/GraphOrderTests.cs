using RegistryUnlearn.Onnx.Intake;
using RegistryUnlearn.Onnx.Models;
using RegistryUnlearn.Onnx.Proto;
using RegistryUnlearn.Onnx.Tests.Models;

namespace RegistryUnlearn.Onnx.Tests.Intake;

/// <summary>Graphs that can run in no order, or mean two things, are refused by name before anything is built of them.</summary>
public sealed class GraphOrderTests
{
    const string Remedy = ". The file is damaged or was put together wrongly; export the model again";

    public static TheoryData<NodeProto[], string> Refused => new()
    {
        {
            [Build.Node("Add x b -> a"), Build.Node("Exp a -> h"), Build.Node("Neg h -> b"), Build.Node("Exp b -> y")],
            "graph: nodes read each other's results in a circle: node 'A' (Add) → node 'H' (Exp) → node 'B' (Neg) → node 'A' (Add)"
        },
        { [Build.Node("Add x y -> y")], "graph: nodes read each other's results in a circle: node 'Y' (Add) → node 'Y' (Add)" },
        { [Build.Node("Exp x -> y"), Build.Node("Neg x -> y")], "node 'Y' (Neg): makes 'y', which node 'Y' (Exp) makes as well" },
        { [Build.Node("Exp x -> w"), Build.Node("Neg w -> y")], "node 'W' (Exp): makes 'w', which is an input or initializer" },
        { [Build.Node("Add x q -> y")], "node 'Y' (Add): reads 'q', which no node, input or initializer of the model gives" },
        { [Build.Node("Exp x -> z")], "output 'y': no node, input or initializer of the model gives it" },
        {
            [Build.Node("If c -> y", Body("then_branch", "Exp q -> t"), Body("else_branch", "Exp x -> t")), Build.Node("Not x -> c")],
            "node 'T' (Exp): reads 'q', which no node, input or initializer of the model gives"
        },
    };

    [Theory, MemberData(nameof(Refused), DisableDiscoveryEnumeration = true)]
    public void Graphs_without_order_are_refused(NodeProto[] nodes, string message)
    {
        var model = Build.Model([.. nodes, Build.Learned("w", 2)]).With("x: N, 2", "y: N, 2").Wrap();
        var refusal = Assert.Throws<OnnxModelException>(() => model.Working);
        Assert.Equal(("model.onnx", "model.onnx: " + message + Remedy), (refusal.File, refusal.Message));
    }

    [Fact]
    public void Nodes_are_put_in_order_and_bodies_may_read_what_is_around_them()
    {
        var model = Build.Model(
            Build.Node("Neg h -> y"), Build.Node("If c -> h", Body("then_branch", "Exp late -> t"), Body("else_branch", "Exp x -> t")),
            Build.Node("Exp x -> late"), Build.Node("Not x -> c"), Build.Node("Abs x -> side")).With("x: N, 2", "y: N, 2");
        Assert.Equal(["LATE", "C", "H", "Y", "SIDE"], WorkingCopy.Of(model).Graph.Node.Select(n => n.Name));
        Assert.Equal("Y", model.Graph.Node[0].Name);
    }

    static AttributeProto Body(string name, string node)
    {
        var body = new GraphProto { Name = name, Node = { Build.Node(node) } };
        body.Output.Add(Build.Value("t: N, 2"));
        return new() { Name = name, Type = AttributeProto.Types.AttributeType.Graph, G = body };
    }
}
