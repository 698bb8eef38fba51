using RegistryUnlearn.Onnx.Graphs;
using RegistryUnlearn.Onnx.Models;
using RegistryUnlearn.Onnx.Proto;
using RegistryUnlearn.Onnx.Tests.Models;

namespace RegistryUnlearn.Onnx.Tests.Graphs;

public sealed class ForwardModelTests
{
    static ModelProto Affine() =>
        Build.Model(Build.Node("Mul x w -> h"), Build.Node("Add h c -> y"), Build.Raw("w", [2], 1, 2), Build.Raw("c", [2], 10, 20))
            .With("x: N, 2", "y: N, 2");

    static ForwardModel Wrap(ModelProto model) => new(model, "x", "y", [2], [new ModelParameter("w", [2])], t => t);

    public static TheoryData<Action<ModelProto>, string> Refused => new()
    {
        { m => m.OpsetImport[0].Version = 8,
            "opset_import: the model uses operator set 8, the oldest that can be read is 9. Export it again "
                + "with opset_version 13 or newer, or convert it with onnx.version_converter" },
        { m => m.OpsetImport[0].Domain = "com.example",
            "opset_import: names no version of the standard operator set. Export the model again" },
        { m => m.Graph.SparseInitializer.Add(new SparseTensorProto { Values = new() { Name = "s" } }),
            "sparse initializer 's': sparse tensors are not trained. Export the model with dense ones" },
    };

    [Theory, MemberData(nameof(Refused), DisableDiscoveryEnumeration = true)]
    public void Models_that_cannot_be_copied_are_refused(Action<ModelProto> change, string message)
    {
        var model = Affine();
        change(model);
        Assert.Equal(message, Assert.Throws<OnnxModelException>(() => Wrap(model)).Message);
    }

    [Theory, InlineData(9, 17), InlineData(13, 17), InlineData(17, 17), InlineData(21, 21)]
    public void Copies_use_operator_set_17_or_newer(int declared, int used)
    {
        var model = Affine();
        model.OpsetImport[0].Version = declared;
        Assert.Equal(used, Wrap(model).NewGraph().Opset);
    }

    [Fact]
    public void Two_copies_share_constants_and_take_their_own_parameters()
    {
        var model = Wrap(Affine());
        var g = model.NewGraph();
        Value first = model.AddInput(g, "a", "A"), second = model.AddInput(g, "b", "B");
        var parameters = model.AddParameterInputs(g);
        var y = model.Append(g, "first/", first, parameters);
        var z = model.Append(g, "second/", second, [g.Neg(parameters[0])]);
        Assert.Equal(["frozen/c"], g.Initializers.Keys);
        var feeds = new Dictionary<string, Tensor>
        {
            ["a"] = Tensor.Matrix(2, 1, 1),
            ["b"] = Tensor.Matrix(2, 1, 1, 2, 2),
            ["w"] = Tensor.Of(3, 4),
        };
        var results = Evaluation.Once(g, feeds, y, z);
        Assert.Equal([13, 24], results[0].Floats);
        Assert.Equal([7, 16, 4, 12], results[1].Floats);
    }

    [Fact]
    public void Nodes_without_a_name_stay_without()
    {
        var model = Affine();
        foreach (var node in model.Graph.Node) node.Name = "";
        var g = Wrap(model).NewGraph();
        var y = Wrap(model).Append(g, "copy/", Wrap(model).AddInput(g, "a", "A"), Wrap(model).AddParameterInputs(g));
        var feeds = new Dictionary<string, Tensor> { ["a"] = Tensor.Matrix(2, 1, 1), ["w"] = Tensor.Of(3, 4) };
        Assert.Equal([13, 24], Evaluation.Once(g, feeds, y)[0].Floats);
    }

    [Fact]
    public void Fixed_batch_sizes_are_kept()
    {
        var model = Build.Model(Build.Node("Mul x w -> y"), Build.Raw("w", [2], 1, 2)).With("x: 5, 2", "y: 5, 2");
        Assert.Equal(5, Wrap(model).FixedBatch);
        var g = Wrap(model).NewGraph();
        Wrap(model).AddInput(g, "input", "batch");
        Assert.Equal("float[5,2]", g.Inputs["input"].ToString());
        Assert.Null(Wrap(Affine()).FixedBatch);
    }
}
