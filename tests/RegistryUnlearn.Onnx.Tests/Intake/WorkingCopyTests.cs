using System.Runtime.InteropServices;
using Google.Protobuf;
using RegistryUnlearn.Onnx.Gradients;
using RegistryUnlearn.Onnx.Graphs;
using RegistryUnlearn.Onnx.Intake;
using RegistryUnlearn.Onnx.Models;
using RegistryUnlearn.Onnx.Proto;
using RegistryUnlearn.Onnx.Tests.Graphs;
using RegistryUnlearn.Onnx.Tests.Models;
using static RegistryUnlearn.Onnx.Proto.TensorProto.Types;

namespace RegistryUnlearn.Onnx.Tests.Intake;

/// <summary>Whatever form an exporter chose, the working copy has one, and the same parameters are found in it.</summary>
public sealed class WorkingCopyTests
{
    static readonly Dictionary<string, Tensor> Samples = new() { ["x"] = Tensor.Matrix(2, 1, -2, 0.5f, 3) };

    public static TheoryData<DataType, bool, float> OtherFloats => new()
    {
        // 0.1 as it is in the type: 0x2E66, 0x3DCD, and as float32.
        { DataType.Float16, true, 0.0999755859375f }, { DataType.Float16, false, 0.0999755859375f },
        { DataType.Bfloat16, true, 0.10009765625f }, { DataType.Bfloat16, false, 0.10009765625f },
        { DataType.Double, true, 0.1f }, { DataType.Double, false, 0.1f },
    };

    [Theory, MemberData(nameof(OtherFloats))]
    public void Other_float_types_are_computed_in_float32(DataType type, bool raw, float tenth)
    {
        var model = Build.Model(
            Build.Node("Mul x w -> h"), Build.Node("Constant -> c", Build.Tensor("value", Stored("", type, raw, 2))),
            Build.Node("Add h c -> s"), Build.Node("Cast s -> f", Attributes.Of("to", 1L)),
            Build.Node("Cast f -> y", Attributes.Of("to", (long)type)), Stored("w", type, raw, 0.1f, 3), Stored("k", type, raw, 1, 1));
        model.Graph.Input.Add(Build.Value("x: N, 2", type));
        model.Graph.Output.Add(Build.Value("y: N, 2", type));
        var forward = new ForwardModel(model, "x", "y", [2], [new("w", [2])], t => t);
        Assert.Equal(DataType.Float, forward.InputElement);
        var g = forward.NewGraph();
        var w = g.Constant(Tensors.Of([tenth, 3f], 2));
        var y = forward.Append(g, "copy/", forward.AddInput(g, "x", "N"), [w]);
        Assert.Equal([tenth + 2, -4, 0.5f * tenth + 2, 11], Evaluation.Once(g, Samples, y)[0].Floats);

        // The same with the weights as constants of the copy.
        forward = new ForwardModel(model, "x", "y", [2], [], t => t);
        g = forward.NewGraph();
        y = forward.Append(g, "copy/", forward.AddInput(g, "x", "N"), []);
        Assert.Equal([tenth + 2, -4, 0.5f * tenth + 2, 11], Evaluation.Once(g, Samples, y)[0].Floats);
    }

    [Fact]
    public void Sizes_in_double_stay_double()
    {
        var model = Build.Model(Build.Node("Cast x -> d", Attributes.Of("to", (long)DataType.Double)), Build.Node("Mul d s -> e"),
            Build.Node("Cast e -> y", Attributes.Of("to", 1L)), Stored("s", DataType.Double, true, 0.1f)).With("x: N, 2", "y: N, 2");
        model.Graph.Initializer[0].Dims.Clear();
        Assert.Equal((long)DataType.Double, WorkingCopy.Of(model).Graph.Node[0].Int("to", 0));
    }

    public static TheoryData<AttributeProto, string> Constants => new()
    {
        { Build.Tensor("value", Tensors.Of([1.5f, 2.5f], 2)), "float[2]" },
        { new() { Name = "value_floats", Floats = { 1.5f, 2.5f }, Type = AttributeProto.Types.AttributeType.Floats }, "float[2]" },
        { Attributes.Of("value_float", 1.5f), "float[]" },
        { Attributes.Of("value_ints", [3L, 4]), "int64[2]" },
        { Attributes.Of("value_int", 3L), "int64[]" },
    };

    [Theory, MemberData(nameof(Constants), DisableDiscoveryEnumeration = true)]
    public void Constants_become_stored_tensors(AttributeProto value, string type)
    {
        var model = Build.Model(Build.Node("Constant -> c", value), Build.Node("Identity c -> y")).With("x: N, 2", "y: 2");
        model.Graph.Output[0].Type = null;
        var copy = WorkingCopy.Of(model);
        var stored = Assert.Single(copy.Graph.Initializer);
        var storedType = new TensorType((DataType)stored.DataType, [.. stored.Dims.Select(d => (Dim)d)]);
        Assert.Equal(("c", type), (stored.Name, storedType.ToString()));
        Assert.Equal(storedType.IsFloat ? 1.5f : 3f, Tensors.Floats(stored)?[0] ?? Tensors.Integers(stored)![0]);
        Assert.Equal(["Identity"], copy.Graph.Node.Select(n => n.OpType));
    }

    /// <summary>A weight as a Constant node, as a graph input, copied by Identity: one tensor, one gradient that is a sum.</summary>
    [Theory, InlineData("initializer"), InlineData("constant"), InlineData("graph input")]
    public void Parameter_behind_identity_is_one_tensor(string form)
    {
        var weight = Build.Raw("w", [2, 2], 1, 2, 3, 4);
        var model = Build.Model(Build.Node("Identity w -> w2"), Build.Node("MatMul x w -> h"), Build.Node("MatMul h w2 -> y"))
            .With("x: N, 2", "y: N, 2");
        if (form is "constant")
            model.Graph.Node.Insert(0, Build.Node("Constant -> w", Build.Tensor("value", weight)));
        else
            model.Graph.Initializer.Add(weight);
        if (form is "graph input")
            model.Graph.Input.Add(Build.Value("w: 2, 2"));
        var file = model.Wrap();
        Assert.Equal(["w"], ParameterDetection.Detect(file).Trainable.Select(p => p.Name));

        var forward = new ForwardModel(file.Working, "x", "y", [2], [new("w", [2, 2])], t => t);
        var g = forward.NewGraph();
        var w = forward.AddParameterInputs(g);
        var y = forward.Append(g, "copy/", forward.AddInput(g, "x", "N"), w);
        var gradient = new Differentiator(g).Gradients(g.SumAll(y), w)[0];
        var feeds = new Dictionary<string, Tensor> { ["x"] = Tensor.Matrix(2, 1, 1), ["w"] = Tensor.Matrix(2, 1, 2, 3, 4) };
        // d/dW of 1ᵀW·W·1 = (W·1)·1ᵀ stacked the other way: x ⊗ (W·1) + (xᵀW) ⊗ 1 with W·1 = (3, 7), xᵀW = (4, 6).
        Assert.Equal([7, 11, 9, 13], Evaluation.Once(g, feeds, gradient)[0].Floats);
    }

    [Fact]
    public void Dropout_passes_its_input_on()
    {
        var model = Build.Model(Build.Node("Dropout x r t -> d m"), Build.Node("Where m d x -> y"), Build.Raw("r", [], 0.9f),
            new TensorProto { Name = "t", DataType = (int)DataType.Bool, Int32Data = { 1 } }).With("x: N, 2", "y: N, 2");
        var forward = new ForwardModel(model, "x", "y", [2], [], t => t);
        var g = forward.NewGraph();
        var y = forward.Append(g, "copy/", forward.AddInput(g, "x", "N"), []);
        Assert.Equal(Samples["x"].Floats, Evaluation.Once(g, Samples, y)[0].Floats);
    }

    public static TheoryData<ModelProto, string> Refused => new()
    {
        {
            Build.Model(Build.Node("BatchNormalization x a b c d -> y", Attributes.Of("training_mode", 1L)), Build.Learned("a", 2),
                Build.Learned("b", 2), Build.Learned("c", 2), Build.Learned("d", 2)),
            "node 'Y' (BatchNormalization): is in training mode. Export the model in evaluation mode (model.eval() in PyTorch)"
        },
        {
            Build.Model(Build.Node("Constant -> c", new AttributeProto { Name = "sparse_value", SparseTensor = new() }),
                Build.Node("Add x c -> y")),
            "node 'C' (Constant): is sparse. Export the model with dense constants"
        },
        {
            Build.Model(new NodeProto { OpType = "Magic", Domain = "our.ops", Input = { "x" }, Output = { "y" } }),
            "node 'y' (our.ops.Magic): ONNX Runtime has no operators of 'our.ops' and the model no functions of these names. Export the "
                + "model with standard operators, or with its own ones as model-local functions"
        },
        {
            Build.Model(Build.Node("If c -> y", new AttributeProto
            {
                Name = "then_branch",
                G = new GraphProto { Node = { Build.Node("Constant -> t", Build.Tensor("value", Build.External("", [2], "t.bin"))) } },
            })),
            "node 'T' (Constant): keeps a tensor of a function, a branch or a loop body in another file. Save the model with these tensors "
                + "in the model file"
        },
        {
            Build.Model(new NodeProto { OpType = "Gelu", Domain = "com.microsoft", Input = { "x" }, Output = { "y" } }),
            "node 'y' (com.microsoft.Gelu): opset_import does not name operator domain 'com.microsoft'. Export the model again"
        },
    };

    [Theory, MemberData(nameof(Refused), DisableDiscoveryEnumeration = true)]
    public void Models_that_serve_nothing_are_refused(ModelProto model, string message) =>
        Assert.Equal(message, Assert.Throws<OnnxModelException>(() => WorkingCopy.Of(model.With("x: N, 2", "y: N, 2"))).Message);

    [Fact]
    public void Tensor_without_elements_is_no_parameter()
    {
        var file = Build.Model(Build.Node("MatMul x w -> h"), Build.Node("Concat h e -> y", Attributes.Of("axis", 1L)),
            Build.Learned("w", 2, 2), Build.Raw("e", [1, 0])).With("x: N, 2", "y: N, 2").Wrap();
        var frozen = Assert.Single(ParameterDetection.Detect(file).Frozen);
        Assert.Equal(("e", "input 1 of Concat 'Y': it has no elements"), (frozen.Name, frozen.Why));
        var refusal = Assert.Throws<OnnxModelException>(() => ParameterDetection.Detect(file, new(["e"], [])));
        Assert.Equal("model.onnx: initializer 'e': has no elements. Take its name out of the included parameters", refusal.Message);
    }

    static TensorProto Stored(string name, DataType type, bool raw, params float[] values)
    {
        var tensor = new TensorProto { Name = name, DataType = (int)type, Dims = { values.Length } };
        ushort[] bits = [.. values.Select(v => type is DataType.Float16 ? BitConverter.HalfToUInt16Bits((Half)v)
            : (ushort)((BitConverter.SingleToUInt32Bits(v) + 0x8000) >> 16))];
        double[] doubles = [.. values.Select(v => (double)v)];
        if (raw)
            tensor.RawData = ByteString.CopyFrom(
                type is DataType.Double ? MemoryMarshal.AsBytes(doubles.AsSpan()) : MemoryMarshal.AsBytes(bits.AsSpan()));
        else if (type is DataType.Double)
            tensor.DoubleData.Add(doubles);
        else
            tensor.Int32Data.Add(bits.Select(b => (int)b));
        return tensor;
    }
}
