using RegistryUnlearn.Onnx.Graphs;
using RegistryUnlearn.Onnx.Proto;
using RegistryUnlearn.Onnx.Tests.Graphs;
using RegistryUnlearn.Onnx.Tests.Models;

namespace RegistryUnlearn.Onnx.Tests.Intake;

/// <summary>Where max pooling goes before ReLU, and that it computes the same there.</summary>
public sealed class PooledActivationsTests
{
    static readonly string[] Pool = ["MaxPool h -> p"];

    public static TheoryData<string, string[], string, string[]> Graphs => new()
    {
        { "pooling of ReLU", ["Relu x -> h", .. Pool, "Neg p -> y"], "y", ["MaxPool", "Relu", "Neg"] },
        { "read elsewhere", ["Relu x -> h", .. Pool, "ReduceSum h -> s", "Add p s -> y"], "y", ["Relu", "MaxPool", "ReduceSum", "Add"] },
        { "asked for", ["Relu x -> h", .. Pool, "Neg p -> y"], "h", ["Relu"] },
        { "another activation", ["Sigmoid x -> h", .. Pool, "Neg p -> y"], "y", ["Sigmoid", "MaxPool", "Neg"] },
        { "indices", ["Relu x -> h", "MaxPool h -> p i", "Cast i -> c", "Add p c -> y"], "y", ["Relu", "MaxPool", "Cast", "Add"] },
    };

    [Theory, MemberData(nameof(Graphs))]
    public void Order(string graph, string[] nodes, string output, string[] expected)
    {
        var model = Build.Model([.. nodes.Select(Node)]).With("x: N, 2, 5, 5", "y: N, 2, K, K");
        var forward = new ForwardModel(model, "x", output, [2, 5, 5], [], t => t);
        var g = forward.NewGraph();
        var result = forward.Append(g, "", forward.AddInput(g, "x", "N"), []);
        g.Output("result", result);
        Assert.True(expected.SequenceEqual(g.Build().Graph.Node.Select(n => n.OpType).Where(op => op != "Identity")), graph);

        var x = new Tensor(Enumerable.Range(0, 50).Select(i => (i * 37 % 53 - 26) / 8f).ToArray(), 1, 2, 5, 5);
        model.Graph.Output[0] = Build.Value($"{output}: N, 2, K, K");
        using var stock = new Evaluation(model);
        Assert.Equal(stock.Run(new Dictionary<string, Tensor> { ["x"] = x })[output].Floats,
            Evaluation.Once(g, new Dictionary<string, Tensor> { ["x"] = x }, result)[0].Floats);
    }

    static NodeProto Node(string text) => Build.Node(text, [.. text.Split(' ')[0] switch
    {
        "MaxPool" => [Attributes.Of("kernel_shape", [3L, 3]), Attributes.Of("strides", [2L, 2]), Attributes.Of("pads", [1L, 1, 1, 1])],
        "Cast" => [Attributes.Of("to", (long)TensorProto.Types.DataType.Float)],
        _ => (AttributeProto[])[],
    }]);
}
