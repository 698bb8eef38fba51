using RegistryUnlearn.Onnx.Graphs;
using RegistryUnlearn.Onnx.Intake;
using RegistryUnlearn.Onnx.Models;
using RegistryUnlearn.Onnx.Proto;
using RegistryUnlearn.Onnx.Tests.Graphs;
using RegistryUnlearn.Onnx.Tests.Models;

namespace RegistryUnlearn.Onnx.Tests.Intake;

/// <summary>Model-local functions: the working copy without them computes what ONNX Runtime computes with them.</summary>
public sealed class FunctionInliningTests
{
    const string Domain = "local";

    public sealed record Case(string Name, ModelProto Model)
    {
        public override string ToString() => Name;
    }

    static readonly Case[] All =
    [
        new("called twice", Model([Call("Twice x w -> h"), Call("Twice h w -> y")],
            Function("Twice", "a b -> c", [Build.Node("Mul a b -> m"), Build.Node("Add m a -> c")]))),
        new("nested, with values of the same names", Model([Call("Outer x w -> y")],
            Function("Outer", "a b -> c", [Call("Inner a b -> m"), Call("Inner m a -> c")]),
            Function("Inner", "b a -> c", [Build.Node("Sub a b -> m"), Build.Node("Exp m -> c")]))),
        new("attributes by reference", Model([Call("Leak x -> y", Attributes.Of("slope", 0.25f))],
            Function("Leak", "a -> c", [Build.Node("LeakyRelu a -> c", Reference("alpha", "slope"))], "slope"))),
        new("default of an attribute", Model([Call("Leak x -> y")],
            WithDefault(Function("Leak", "a -> c", [Build.Node("LeakyRelu a -> c", Reference("alpha", "slope"))]),
                Attributes.Of("slope", 0.75f)))),
        new("attribute that is not given", Model([Call("Leak x -> y")],
            Function("Leak", "a -> c", [Build.Node("LeakyRelu a -> c", Reference("alpha", "slope"))], "slope"))),
        new("attribute handed on", Model([Call("Outer x -> y", Attributes.Of("outer", 0.5f))],
            Function("Outer", "a -> c", [Call("Leak a -> c", Reference("slope", "outer"))], "outer"),
            Function("Leak", "a -> c", [Build.Node("LeakyRelu a -> c", Reference("alpha", "slope"))], "slope"))),
        new("optional input left out", Model([Call("Bound x _ w -> y")],
            Function("Bound", "a low high -> c", [Build.Node("ReduceMax high -> top", Attributes.Of("keepdims", 0L)),
                Build.Node("Clip a low top -> c")]))),
        new("optional output left out", Model([Call("Both x w -> _ y")],
            Function("Both", "a b -> c d", [Build.Node("Mul a b -> c"), Build.Node("Add c a -> d")]))),
        new("body of a branch", Model([Call("Chosen x w -> y")],
            Function("Chosen", "x h -> c",
            [
                Build.Node("ReduceSum h -> s", Attributes.Of("keepdims", 0L)),
                Build.Node("Constant -> zero", Build.Tensor("value", Tensors.Scalar(0))), Build.Node("Greater s zero -> p"),
                Build.Node("If p -> c", Branch("then_branch", Build.Node("Mul x h -> w"), "w"),
                    Branch("else_branch", Call("Half x -> w"), "w")),
            ]),
            Function("Half", "a -> c", [Build.Node("Add a a -> c")]))),
    ];

    public static TheoryData<Case> Cases => [.. All];

    [Theory, MemberData(nameof(Cases), DisableDiscoveryEnumeration = true)]
    public void Inlined_functions_compute_the_same(Case given)
    {
        Dictionary<string, Tensor> feeds = new() { ["x"] = Tensor.Matrix(3, -1, 2, -3, 4, 0.5f, -6) };
        using var stock = new Evaluation(given.Model, Domain);
        var forward = new ForwardModel(given.Model, "x", "y", [3], [], t => t);
        var g = forward.NewGraph();
        var y = forward.Append(g, "copy/", forward.AddInput(g, "x", "N"), []);
        Assert.DoesNotContain(g.Nodes, n => n.Domain.Length > 0);
        Assert.Equal(stock.Run(feeds)["y"].Floats, Evaluation.Once(g, feeds, y)[0].Floats);
    }

    /// <summary>The specification allows what ONNX Runtime does not: an output that is an input.</summary>
    [Fact]
    public void Input_is_passed_on()
    {
        var model = Model([Call("Same x w -> h k"), Build.Node("Add h k -> y")],
            Function("Same", "a b -> a c", [Build.Node("Neg b -> c")]));
        var forward = new ForwardModel(model, "x", "y", [3], [], t => t);
        var g = forward.NewGraph();
        var y = forward.Append(g, "copy/", forward.AddInput(g, "x", "N"), []);
        Assert.Equal([4, 7, 2], Evaluation.Once(g, new Dictionary<string, Tensor> { ["x"] = Tensor.Matrix(3, 5, 5, 5) }, y)[0].Floats);
    }

    [Fact]
    public void Parameters_are_found_through_functions()
    {
        var model = Model([Call("Layer x v -> y")], Function("Layer", "a b -> c", [Build.Node("MatMul a b -> c")]));
        model.Graph.Initializer.Add(Build.Learned("v", 3, 3));
        var found = Assert.Single(ParameterDetection.Detect(model.Wrap()).Trainable);
        Assert.Equal(("v", "input 1 of MatMul 'Y/C'"), (found.Name, found.Why));
    }

    [Fact]
    public void Function_of_an_older_operator_set_is_upgraded()
    {
        var function = Function("Old", "a b -> c", [Build.Node("Squeeze a -> s", Attributes.Of("axes", [0L])), Build.Node("Mul s b -> c")]);
        function.OpsetImport[0].Version = 11;
        var model = Model([Build.Node("Unsqueeze x zero -> u"), Call("Old u w -> y")], function);
        model.Graph.Initializer.Add(Build.Integers("zero", 0));
        var copy = WorkingCopy.Of(model);
        Assert.Equal(["UNSQUEEZE", "Y/S", "Y/C"], copy.Graph.Node.Select(n => n.Name.Replace("U", "UNSQUEEZE")));
    }

    public static TheoryData<ModelProto, string> Refused => new()
    {
        {
            Model([Call("A x -> y")], Function("A", "a -> c", [Call("B a -> c")]), Function("B", "a -> c", [Call("A a -> c")])),
            "function 'local.A': calls itself. Export the model without recursion"
        },
        {
            Model([Call("A x w w -> y")], Function("A", "a -> c", [Build.Node("Exp a -> c")])),
            "function 'local.A': has 1 inputs and 1 outputs, but node 'Y' (local.A) gives 3 and takes 1. Export the model again"
        },
        {
            Model([Call("A x -> y")], Function("A", "a -> c", []), Function("A", "a -> c", [])),
            "function 'local.A': appears twice. Names must be unique; export the model again"
        },
        {
            Model([Call("A x -> y")], Function("A", "a -> c", [Build.Node("Exp b -> c")])),
            "node 'Y/C' (Exp): reads 'Y/b', which no node, input or initializer of the model gives. The file is damaged or was put "
                + "together wrongly; export the model again"
        },
        {
            Model([Call("F29 x -> y")], [.. Enumerable.Range(0, 30).Select(i => Function($"F{i}", "a -> c",
                i == 0 ? [Build.Node("Exp a -> c")] : [Call($"F{i - 1} a -> m"), Call($"F{i - 1} m -> c")]))]),
            "function 'local.F1': makes the model larger than 100000 nodes. Export the model with fewer nested functions"
        },
        {
            Model([Call("A x -> y")], Newer(Function("A", "a -> c", [Build.Node("Exp a -> c")]))),
            "function 'local.A': uses operator set 21 in a model of operator set 17. Export the model again with one opset_version for all "
                + "of it"
        },
    };

    [Theory, MemberData(nameof(Refused), DisableDiscoveryEnumeration = true)]
    public void Functions_that_cannot_be_inlined_are_refused(ModelProto model, string message) =>
        Assert.Equal(message, Assert.Throws<OnnxModelException>(() => WorkingCopy.Of(model)).Message);

    static ModelProto Model(NodeProto[] nodes, params FunctionProto[] functions)
    {
        var model = Build.Model([.. nodes, Build.Raw("w", [3], 1, -2, 3)]).With("x: N, 3", "y: N, 3");
        model.OpsetImport.Add(new OperatorSetIdProto { Domain = Domain, Version = 1 });
        model.Functions.AddRange(functions);
        return model;
    }

    static NodeProto Call(string text, params AttributeProto[] attributes)
    {
        var node = Build.Node(text, attributes);
        node.Domain = Domain;
        for (var i = 0; i < node.Output.Count; i++)
            if (node.Output[i] is "_") node.Output[i] = "";
        node.Name = node.Output.Last().ToUpperInvariant();
        return node;
    }

    static FunctionProto Function(string name, string signature, NodeProto[] nodes, params string[] attributes)
    {
        var sides = signature.Split(" -> ");
        return new FunctionProto
        {
            Domain = Domain,
            Name = name,
            Input = { sides[0].Split(' ') },
            Output = { sides[1].Split(' ') },
            Node = { nodes },
            Attribute = { attributes },
            OpsetImport = { new OperatorSetIdProto { Version = 17 }, new OperatorSetIdProto { Domain = Domain, Version = 1 } },
        };
    }

    static FunctionProto WithDefault(FunctionProto function, AttributeProto value)
    {
        function.AttributeProto.Add(value);
        return function;
    }

    static FunctionProto Newer(FunctionProto function)
    {
        function.OpsetImport[0].Version = 21;
        return function;
    }

    static AttributeProto Reference(string name, string of) =>
        new() { Name = name, RefAttrName = of, Type = AttributeProto.Types.AttributeType.Float };

    static AttributeProto Branch(string name, NodeProto node, string output)
    {
        var body = new GraphProto { Name = name, Node = { node } };
        body.Output.Add(Build.Value($"{output}: N, 3"));
        return new() { Name = name, Type = AttributeProto.Types.AttributeType.Graph, G = body };
    }
}
