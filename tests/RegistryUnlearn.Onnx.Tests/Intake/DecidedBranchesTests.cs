using RegistryUnlearn.Onnx.Gradients;
using RegistryUnlearn.Onnx.Graphs;
using RegistryUnlearn.Onnx.Intake;
using RegistryUnlearn.Onnx.Models;
using RegistryUnlearn.Onnx.Proto;
using RegistryUnlearn.Onnx.Tests.Graphs;
using RegistryUnlearn.Onnx.Tests.Models;
using static RegistryUnlearn.Onnx.Proto.TensorProto.Types;

namespace RegistryUnlearn.Onnx.Tests.Intake;

/// <summary>An If whose condition never changes gives way to its branch; any other is refused where a gradient passes.</summary>
public sealed class DecidedBranchesTests
{
    static readonly TensorProto One = Build.Integers("one", 1), Three = Build.Integers("three", 3);

    public static TheoryData<string, NodeProto[], bool> Decided => new()
    {
        { "stored", [Build.Node("Identity yes -> c")], true },
        { "negated", [Build.Node("Not yes -> c")], false },
        { "a size", [Build.Node("Shape x -> s"), Build.Node("Gather s one -> d"), Build.Node("Equal d three -> c")], true },
        { "a size from the back", [Build.Node("Shape x -> s"), Build.Node("Constant -> i", Of("value_int", -1)),
            Build.Node("Gather s i -> d"), Build.Node("Greater d three -> c")], false },
        { "an odd size", [Build.Node("Shape x -> s"), Build.Node("Gather s one -> d"), Build.Node("Constant -> two", Of("value_int", 2)),
            Build.Node("Mod d two -> m"), Build.Node("Cast m -> c", Of("to", (long)DataType.Bool))], true },
        { "a size and a flag", [Build.Node("Shape x -> s"), Build.Node("Gather s one -> d"), Build.Node("Less d three -> l"),
            Build.Node("Or l yes -> o"), Build.Node("And o yes -> c")], true },
    };

    [Theory, MemberData(nameof(Decided), DisableDiscoveryEnumeration = true)]
    public void The_branch_takes_its_place(string condition, NodeProto[] before, bool taken)
    {
        var model = Model(before);
        Assert.DoesNotContain(WorkingCopy.Of(model).Graph.Node, n => n.OpType == "If");
        var forward = new ForwardModel(model, "x", "y", [3], [new("w", [3])], t => t);
        var g = forward.NewGraph();
        Value x = forward.AddInput(g, "x", "N"), w = g.Input("w", TensorType.Float(3));
        var y = forward.Append(g, "", x, [w]);
        var differentiator = new Differentiator(g);
        var gradient = differentiator.Gradients(g.SumAll(y), [w])[0];
        var feeds = new Dictionary<string, Tensor> { ["x"] = Tensor.Matrix(3, 1, 2, 3, 4, 5, 6), ["w"] = Tensor.Of(1, -1, 2) };
        var results = Evaluation.Once(g, feeds, y, gradient);
        // 2 x·w + 10, or −x·w.
        Assert.True(results[0].Floats.SequenceEqual(taken ? (float[])[12, 6, 22, 18, 0, 34] : [-1, 2, -6, -4, 5, -12]), condition);
        Assert.Equal(taken ? [10, 14, 18] : (float[])[-5, -7, -9], results[1].Floats);
    }

    /// <summary>A value from around the branch, one that it stores, and one value twice.</summary>
    [Fact]
    public void Branches_may_pass_values_on()
    {
        var then = Branch([Build.Node("Neg h -> t")], "h", Build.Raw("k", [3], 7, 8, 9));
        then.Output.Add(new[] { "k", "t", "t" }.Select(o => Build.Value($"{o}: N, 3")));
        var node = Build.Node("If yes -> a b d e", Body("then_branch", then), Body("else_branch", then.Clone()));
        var model = Build.Model([Build.Node("Exp x -> h"), node, Build.Node("Sum a b d e -> y"), Flag("yes")]).With("x: N, 3", "y: N, 3");
        var forward = new ForwardModel(model, "x", "y", [3], [], t => t);
        var g = forward.NewGraph();
        var y = forward.Append(g, "", forward.AddInput(g, "x", "N"), []);
        // h + k − 2h with h = 1
        Assert.Equal([6f, 7, 8], Evaluation.Once(g, new Dictionary<string, Tensor> { ["x"] = Tensor.Matrix(3, 0, 0, 0) }, y)[0].Floats);
    }

    public static TheoryData<string, NodeProto[]> Open => new()
    {
        { "the batch", [Build.Node("Shape x -> s"), Build.Node("Gather s zero -> d"), Build.Node("Equal d three -> c")] },
        { "a value", [Build.Node("ReduceSum x -> r"), Build.Node("Cast r -> c", Of("to", (long)DataType.Bool))] },
    };

    [Theory, MemberData(nameof(Open), DisableDiscoveryEnumeration = true)]
    public void Another_condition_is_refused_by_the_name_of_its_node(string condition, NodeProto[] before)
    {
        var forward = new ForwardModel(Model(before), "x", "y", [3], [new("w", [3])], t => t);
        var g = forward.NewGraph();
        Value x = forward.AddInput(g, "x", "N"), w = g.Input("w", TensorType.Float(3));
        var loss = g.SumAll(forward.Append(g, "", x, [w]));
        var refusal = Assert.Throws<OnnxModelException>(() => new Differentiator(g).Gradients(loss, [w]));
        Assert.True(refusal.Message.Contains("operator If (node 'CHOICE') cannot be differentiated: control flow is not differentiated; "
            + "export the model with control flow unrolled or folded", StringComparison.Ordinal), $"{condition}: {refusal.Message}");
    }

    /// <summary>Two Ifs whose branches use the same names, one within the other.</summary>
    static ModelProto Model(NodeProto[] before)
    {
        var inner = If("If yes -> sum", Branch([Build.Node("Add h k -> t")], "t", Build.Raw("k", [3], 10, 10, 10)),
            Branch([Build.Node("Identity h -> t")], "t"));
        var node = If("If c -> choice",
            Branch([inner, Build.Node("Add sum h -> t"), Build.Node("Identity t -> out")], "out"),
            Branch([Build.Node("Neg h -> t")], "t"));
        var model = Build.Model([Build.Node("Mul x w -> h"), .. before, node, Build.Node("Identity choice -> y"),
            Build.Raw("w", [3], 1, 1, 1), One, Three, Build.Integers("zero", 0), Flag("yes")]).With("x: N, 3", "y: N, 3");
        foreach (var tensor in model.Graph.Initializer.Where(t => t.Name is "one" or "three" or "zero")) tensor.Dims.Clear();
        return model;
    }

    static NodeProto If(string text, GraphProto then, GraphProto otherwise) =>
        Build.Node(text, Body("then_branch", then), Body("else_branch", otherwise));

    static AttributeProto Body(string name, GraphProto body) =>
        new() { Name = name, Type = AttributeProto.Types.AttributeType.Graph, G = body };

    static GraphProto Branch(NodeProto[] nodes, string output, params TensorProto[] stored) => new()
    {
        Name = "branch",
        Node = { nodes },
        Initializer = { stored },
        Output = { Build.Value($"{output}: N, 3") },
    };

    static TensorProto Flag(string name) => new() { Name = name, DataType = (int)DataType.Bool, Int32Data = { 1 } };

    static AttributeProto Of(string name, long value) => Attributes.Of(name, value);
}
