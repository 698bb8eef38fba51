using RegistryUnlearn.Onnx.Graphs;
using RegistryUnlearn.Onnx.Intake;
using RegistryUnlearn.Onnx.Models;
using RegistryUnlearn.Onnx.Proto;
using RegistryUnlearn.Onnx.Tests.Graphs;
using RegistryUnlearn.Onnx.Tests.Models;

namespace RegistryUnlearn.Onnx.Tests.Intake;

/// <summary>A node in the form of an old operator set, run by ONNX Runtime as it is, and its form in the working copy agree.</summary>
public sealed class OpsetUpgradeTests
{
    static readonly long[] Image = [2, 3, 4, 6];

    /// <param name="Shape">Of the input x.</param>
    public sealed record Row(int Opset, string Node, long[] Shape, AttributeProto[] Attributes, params TensorProto[] Stored)
    {
        public NodeProto ToNode() => Build.Node(Node, Attributes);

        public override string ToString() => $"{Node} at {Opset} [{string.Join(",", Attributes.Select(a => a.Name))}]";
    }

    static readonly Row[] All =
    [
        // The forms that change.
        new(9, "Slice x -> y", Image, [Ints("starts", 1, -5), Ints("ends", 3, 100), Ints("axes", 1, 3)]),
        new(9, "Slice x -> y", Image, [Ints("starts", 1, 0, 2, 0), Ints("ends", 2, 3, 4, 5)]),
        new(9, "TopK x -> y i", [3, 5], [Of("k", 2L), Of("axis", 1L)]),
        new(9, "Upsample x s -> y", Image, [Of("mode", "nearest")], Raw("s", [4], 1, 1, 2, 3)),
        new(9, "Upsample x s -> y", Image, [Of("mode", "linear")], Raw("s", [4], 1, 1, 2, 1.5f)),
        new(10, "Resize x s -> y", Image, [Of("mode", "nearest")], Raw("s", [4], 1, 1, 2, 1.6f)),
        new(10, "Resize x s -> y", [1, 1, 7, 9], [Of("mode", "nearest")], Raw("s", [4], 1, 1, 0.6f, 0.5f)),
        new(10, "Resize x s -> y", [1, 1, 7, 9], [Of("mode", "nearest")], Raw("s", [4], 1, 1, 1.7f, 0.6f)),
        new(10, "Resize x s -> y", Image, [Of("mode", "linear")], Raw("s", [4], 1, 1, 1.7f, 0.6f)),
        new(12, "Resize x r s -> y", Image, [Of("mode", "nearest"), Of("nearest_mode", "floor")], Raw("r", [0]), Raw("s", [4], 1, 1, 2, 2)),
        new(12, "Resize x r s n -> y", Image, [Of("mode", "linear")], Raw("r", [0]), Raw("s", [0]), Build.Integers("n", 2, 3, 8, 3)),
        new(9, "Clip x -> y", Image, [Of("min", -0.4f), Of("max", 0.3f)]),
        new(9, "Clip x -> y", Image, [Of("max", 0.3f)]),
        new(9, "Clip x -> y", Image, []),
        new(9, "Pad x -> y", Image, [Ints("pads", 0, 0, 1, 2, 0, 0, 2, 1), Of("value", 0.5f)]),
        new(9, "Pad x -> y", Image, [Ints("pads", 0, 0, 1, 2, 0, 0, 2, -1), Of("mode", "reflect")]),
        new(9, "Scatter x i u -> y", [3, 3], [Of("axis", 1L)], Indices("i", [1, 2], 2, 0), Raw("u", [1, 2], 7, 8)),
        new(9, "Squeeze x -> y", [1, 3, 1], [Ints("axes", 0)]),
        new(12, "Squeeze x -> y", [1, 3, 1], []),
        new(9, "Unsqueeze x -> y", [2, 3], [Ints("axes", 0, 3)]),
        new(9, "ReduceSum x -> y", Image, [Ints("axes", 1, 3), Of("keepdims", 0L)]),
        new(11, "ReduceSum x -> y", Image, [Ints("axes", -1)]),
        new(12, "ReduceSum x -> y", Image, []),
        new(9, "Split x -> y z", Image, [Of("axis", 3L), Ints("split", 2, 4)]),
        new(12, "Split x -> y z", Image, [Of("axis", 2L)]),
        new(9, "Softmax x -> y", Image, []),
        new(12, "Softmax x -> y", [2, 3], []),
        new(12, "Softmax x -> y", Image, [Of("axis", 3L)]),
        new(12, "Softmax x -> y", Image, [Of("axis", -1L)]),
        new(12, "Softmax x -> y", Image, [Of("axis", -2L)]),
        new(9, "Softmax x -> y", Image, [Of("axis", 0L)]),
        new(11, "LogSoftmax x -> y", Image, [Of("axis", 2L)]),
        new(11, "Hardmax x -> y", Image, [Of("axis", 1L)]),
        new(9, "BatchNormalization x g b m v -> y", Image, [Of("epsilon", 0.1f)], Channels("g"), Channels("b"), Channels("m"),
            Channels("v")),
        new(13, "BatchNormalization x g b m v -> y", Image, [], Channels("g"), Channels("b"), Channels("m"), Channels("v")),
        new(10, "RoiAlign x r i -> y", Image, [Of("output_height", 2L), Of("output_width", 2L), Of("sampling_ratio", 2L)],
            Raw("r", [1, 4], 0.5f, 0.5f, 3, 2.5f), Indices("i", [1], 1)),
        .. new[]
        {
            "ReduceMax", "ReduceMin", "ReduceMean", "ReduceProd", "ReduceL1", "ReduceL2", "ReduceLogSumExp", "ReduceSumSquare",
        }.Select(op => new Row(17, $"{op} x -> y", Image, [Ints("axes", 1, -1)])),
        new(17, "ReduceLogSum x -> y", Image, [Ints("axes", 0), Of("keepdims", 0L)]),
        new(17, "ReduceMean x -> y", Image, []),
        new(17, "Split x -> y z", Image, [Of("axis", 3L)]),
        new(18, "GroupNormalization x g b -> y", [2, 6, 4], [Of("num_groups", 3L)], Channels("g"), Channels("b")),

        // The same form for all versions.
        new(9, "AveragePool x -> y", Image, [Ints("kernel_shape", 2, 3), Ints("pads", 1, 0, 0, 1), Of("count_include_pad", 1L)]),
        new(9, "MaxPool x -> y", Image, [Ints("kernel_shape", 2, 2), Ints("strides", 2, 2), Of("auto_pad", "SAME_UPPER")]),
        new(9, "LpPool x -> y", Image, [Ints("kernel_shape", 2, 2), Of("p", 1L)]),
        new(9, "Conv x w -> y", Image, [Ints("kernel_shape", 2, 2), Of("auto_pad", "SAME_LOWER")], Build.Learned("w", 2, 3, 2, 2)),
        new(9, "ConvTranspose x w -> y", Image, [Ints("strides", 2, 2), Ints("output_shape", 7, 11), Of("auto_pad", "SAME_UPPER")],
            Build.Learned("w", 3, 2, 2, 2)),
        new(9, "ConvTranspose x w -> y", Image, [Ints("strides", 2, 2), Ints("output_shape", 7, 11)], Build.Learned("w", 3, 2, 2, 2)),
        new(9, "Gemm x w c -> y", [2, 3], [Of("alpha", 0.5f), Of("transB", 1L)], Build.Learned("w", 4, 3), Build.Learned("c", 4)),
        new(9, "Gather x i -> y", Image, [Of("axis", 1L)], Indices("i", [2], 2, 0)),
        new(9, "Pow x c -> y", Image, [], Raw("c", [], 2)),
        new(9, "PRelu x c -> y", Image, [], Raw("c", [3, 1, 1], 0.1f, 0.2f, 0.3f)),
        new(9, "InstanceNormalization x g b -> y", Image, [], Channels("g"), Channels("b")),
        new(9, "LRN x -> y", Image, [Of("size", 3L)]),
        new(9, "DepthToSpace x -> y", [1, 8, 2, 2], [Of("blocksize", 2L)]),
        new(9, "Flatten x -> y", Image, [Of("axis", 2L)]),
        new(9, "ArgMax x -> y", Image, [Of("axis", 3L)]),
        new(9, "OneHot i d v -> y", Image, [Of("axis", 1L)], Indices("i", [2], 1, 0), Indices("d", [1], 3), Raw("v", [2], 0, 1)),
        new(11, "CumSum x a -> y", Image, [Of("exclusive", 1L)], Indices("a", [], 2)),
        new(9, "ReduceMean x -> y", Image, [Ints("axes", 1, 3)]),
        new(9, "LSTM x w r b -> y h c", [5, 2, 3], [Of("hidden_size", 2L)], Build.Learned("w", 1, 8, 3), Build.Learned("r", 1, 8, 2),
            Build.Learned("b", 1, 16)),
        new(9, "GRU x w r b -> y h", [5, 2, 3], [Of("hidden_size", 2L), Of("linear_before_reset", 1L)], Build.Learned("w", 1, 6, 3),
            Build.Learned("r", 1, 6, 2), Build.Learned("b", 1, 12)),
        new(9, "RNN x w r -> y h", [5, 2, 3], [Of("hidden_size", 2L)], Build.Learned("w", 1, 2, 3), Build.Learned("r", 1, 2, 2)),
        new(9, "MeanVarianceNormalization x -> y", Image, []),
        new(9, "Tile x n -> y", [2, 3], [], Build.Integers("n", 2, 1)),
        new(9, "Expand x n -> y", [2, 1], [], Build.Integers("n", 2, 3)),
    ];

    public static TheoryData<Row> Rows => [.. All];

    [Theory, MemberData(nameof(Rows), DisableDiscoveryEnumeration = true)]
    public void Upgraded_node_computes_the_same(Row row)
    {
        var old = Model(row);
        Dictionary<string, Tensor> feeds = new() { ["x"] = Input(row.Shape) };
        using var stock = new Evaluation(old);
        var expected = stock.Run(feeds);
        foreach (var output in old.Graph.Output)
        {
            var upgraded = new ForwardModel(Newer(row, old), "x", output.Name, row.Shape[1..], [], t => t);
            var g = upgraded.NewGraph();
            var y = upgraded.Append(g, "copy/", upgraded.AddInput(g, "x", "N"), []);
            var actual = Evaluation.Once(g, feeds, y)[0];
            Assert.Equal(expected[output.Name].Shape, actual.Shape);
            if (actual.Values is float[] floats)
                Assert.All(expected[output.Name].Floats.Zip(floats), p => Assert.Equal(p.First, p.Second, 1e-6f));
            else
                Assert.Equal(expected[output.Name].Values, actual.Values);
        }
    }

    [Fact]
    public void Every_upgrade_has_a_row()
    {
        var tested = All.SelectMany(r => OpsetUpgrades.All.Where(u => u.Op == r.ToNode().OpType && r.Opset < u.Since));
        Assert.Empty(OpsetUpgrades.All.Except(tested).Select(u => $"{u.Op} {u.Since}"));
    }

    [Fact]
    public void Nodes_in_bodies_are_upgraded()
    {
        var then = new GraphProto { Name = "then", Node = { Build.Node("ReduceSum x -> t", Ints("axes", 1)) } };
        var otherwise = new GraphProto { Name = "else", Node = { Build.Node("ReduceMax x -> e", Ints("axes", 1)) } };
        then.Output.Add(Build.Value("t: N, 1"));
        otherwise.Output.Add(Build.Value("e: N, 1"));
        var model = Build.Model(Build.Node("If c -> y", Body("then_branch", then), Body("else_branch", otherwise)),
            new TensorProto { Name = "c", DataType = (int)TensorProto.Types.DataType.Bool, Int32Data = { 1 } }).With("x: N, 3", "y: N, 1");
        model.OpsetImport[0].Version = 11;
        var forward = new ForwardModel(model, "x", "y", [3], [], t => t);
        var g = forward.NewGraph();
        var y = forward.Append(g, "copy/", forward.AddInput(g, "x", "N"), []);
        Assert.Equal([6], Evaluation.Once(g, new Dictionary<string, Tensor> { ["x"] = Tensor.Matrix(3, 1, 2, 3) }, y)[0].Floats);
    }

    [Fact]
    public void Nearest_resize_by_computed_scales_is_refused()
    {
        var model = Build.Model(Build.Node("Exp z -> s"), Build.Node("Resize x s -> y"), Raw("z", [4], 0, 0, 0, 0))
            .With("x: N, 1, 2, 2", "y: N, 1, 2, 2");
        model.OpsetImport[0].Version = 10;
        var refusal = Assert.Throws<OnnxModelException>(() => WorkingCopy.Of(model));
        Assert.Equal("node 'Y' (Resize): nearest Resize before operator set 11 with scales that are no constant rounds in a way that is "
            + "not known here. Export the model with operator set 11 or newer, or with fixed sizes", refusal.Message);
    }

    static ModelProto Model(Row row)
    {
        var model = Build.Model([row.ToNode(), .. row.Stored]);
        model.OpsetImport[0].Version = row.Opset;
        model.Graph.Input.Add(new TensorType(TensorProto.Types.DataType.Float, [.. row.Shape.Select(d => (Dim)d)]).ToValueInfo("x"));
        model.Graph.Output.AddRange(model.Graph.Node[0].Output.Select(o => new ValueInfoProto { Name = o }));
        return model;
    }

    /// <summary>
    /// What shall be upgraded: the model itself, or for forms that changed after version 17, which models keep, a newer model with the
    /// node in a function of the old version.
    /// </summary>
    static ModelProto Newer(Row row, ModelProto old)
    {
        if (row.Opset < GraphBuilder.OldestOpset) return old;
        var call = old.Graph.Node[0].Clone();
        (call.Domain, call.OpType) = ("local", "Old");
        call.Attribute.Clear();
        var model = old.Clone();
        model.OpsetImport[0].Version = 21;
        model.Graph.Node[0] = call;
        model.Functions.Add(new FunctionProto
        {
            Domain = "local",
            Name = "Old",
            Input = { call.Input },
            Output = { call.Output },
            Node = { old.Graph.Node[0] },
            OpsetImport = { old.OpsetImport[0] },
        });
        return model;
    }

    /// <summary>Values of both signs without order or ties.</summary>
    static Tensor Input(long[] shape) =>
        new(Enumerable.Range(1, (int)shape.Aggregate(1L, (n, d) => n * d)).Select(i => MathF.Sin(1.7f * i) + i / 500f).ToArray(), shape);

    static TensorProto Channels(string name) => Raw(name, [3], 1.1f, 0.9f, 1.3f);

    static TensorProto Raw(string name, long[] dims, params float[] values) => Build.Raw(name, dims, values);

    static TensorProto Indices(string name, long[] dims, params long[] values)
    {
        var tensor = Tensors.Of((ReadOnlySpan<long>)values, dims);
        tensor.Name = name;
        return tensor;
    }

    static AttributeProto Body(string name, GraphProto body) =>
        new() { Name = name, Type = AttributeProto.Types.AttributeType.Graph, G = body };

    static AttributeProto Ints(string name, params long[] values) => Attributes.Of(name, (IEnumerable<long>)values);

    static AttributeProto Of(string name, long value) => Attributes.Of(name, value);

    static AttributeProto Of(string name, float value) => Attributes.Of(name, value);

    static AttributeProto Of(string name, string value) => Attributes.Of(name, value);
}
