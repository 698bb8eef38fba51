using RegistryUnlearn.Onnx.Models;
using RegistryUnlearn.Onnx.Proto;
using static RegistryUnlearn.Onnx.Proto.TensorProto.Types;

namespace RegistryUnlearn.Onnx.Tests.Models;

public sealed class ParameterDetectionTests
{
    static AttributeProto Value(params float[] values) => Build.Tensor("value", Build.Raw("", [values.Length], values));

    static TensorProto Filled(string name, float value, params long[] dims) =>
        Build.Raw(name, dims, [.. Enumerable.Repeat(value, (int)dims.Aggregate(1L, (a, b) => a * b))]);

    static TensorProto Sinusoid(string name, int positions, int width) => Build.Raw(name, [1, positions, width],
        [.. from t in Enumerable.Range(0, positions)
            from j in Enumerable.Range(0, width)
            let angle = t / Math.Pow(10000, j / 2 * 2.0 / width)
            select (float)(j % 2 == 0 ? Math.Sin(angle) : Math.Cos(angle))]);

    static ModelProto Graph(params Google.Protobuf.IMessage[] parts) => Build.Model(parts).With("x: N, 3", "y: N, 2");

    static TensorProto W(string name = "w") => Build.Learned(name, 3, 3);

    public static TheoryData<string, ModelProto, string> Detected => new()
    {
        { "Conv", Graph(Build.Node("Conv x w b -> y"), W(), W("b")), "w b" },
        { "ConvTranspose", Graph(Build.Node("ConvTranspose x w b -> y"), W(), W("b")), "w b" },
        { "Gemm", Graph(Build.Node("Gemm x w b -> y"), W("b"), W()), "b w" },
        { "Gemm, constant on the left", Graph(Build.Node("Gemm w x -> y"), W()), "w" },
        { "MatMul either side", Graph(Build.Node("MatMul x w -> h"), Build.Node("MatMul v h -> y"), W(), W("v")), "w v" },
        { "Einsum", Graph(Build.Node("Einsum x w -> y"), W()), "w" },
        { "embedding", Graph(Build.Node("Gather w x -> y"), W()), "w" },
        { "BatchNormalization", Graph(Build.Node("BatchNormalization x s b m v -> y"), Filled("s", 1, 3), Filled("b", 0, 3), W("m"),
            W("v")), "s b" },
        { "one tensor as scale and variance", Graph(Build.Node("BatchNormalization x s b s s -> y"), W("s"), W("b")), "b" },
        { "LayerNormalization", Graph(Build.Node("LayerNormalization x s b -> y"), Filled("s", 1, 3), Filled("b", 0, 3)), "s b" },
        { "InstanceNormalization", Graph(Build.Node("InstanceNormalization x s b -> y"), W("s"), W("b")), "s b" },
        { "GroupNormalization", Graph(Build.Node("GroupNormalization x s b -> y"), W("s"), W("b")), "s b" },
        { "RMSNormalization", Graph(Build.Node("RMSNormalization x s -> y"), W("s")), "s" },
        { "PRelu", Graph(Build.Node("PRelu x s -> y"), Filled("s", 0.25f, 1)), "s" },
        { "LSTM", Graph(Build.Node("LSTM x w r b _ h c p -> y"), W(), W("r"), W("b"), W("h"), W("c"), W("p")), "w r b h c p" },
        { "GRU", Graph(Build.Node("GRU x w r b -> y"), W(), W("r"), W("b")), "w r b" },
        { "RNN", Graph(Build.Node("RNN x w r b -> y"), W(), W("r"), W("b")), "w r b" },
        { "group norm of an exporter", Graph(
            Build.Node("InstanceNormalization x s b -> h"), Build.Node("Mul h g -> i"), Build.Node("Add i c -> y"),
            Filled("s", 1, 3), Filled("b", 0, 3), W("g"), W("c")), "g c" },
        { "normalisation without parameters", Graph(
            Build.Node("Constant -> s", Value(1, 1, 1)), Build.Node("Gemm x w -> h"), Build.Node("LayerNormalization h s -> y"), W()),
            "w" },
        { "Constant nodes", Graph(
            Build.Node("Constant -> w", Value(1, 2, 3)),
            Build.Node("Constant -> v", new AttributeProto { Name = "value_floats", Floats = { 1, 2 } }),
            Build.Node("MatMul x w -> h"), Build.Node("Add h v -> y")), "w v" },
        { "half", Graph(Build.Node("Cast w -> c"), Build.Node("Gemm x c -> y"),
            new TensorProto { Name = "w", DataType = (int)DataType.Float16, Dims = { 2 }, Int32Data = { 0x3C00, 0xC000 } }), "w" },
        { "behind rearranging operators", Graph(
            Build.Node("Identity a -> a1"), Build.Node("Transpose b -> b1"), Build.Node("Reshape c shape -> c1"),
            Build.Node("Flatten d -> d1"),
            Build.Node("Squeeze e -> e1"), Build.Node("Unsqueeze f shape -> f1"), Build.Node("Slice g shape shape -> g1"),
            Build.Node("Cast h -> h1"),
            Build.Node("Concat a1 b1 c1 d1 -> p"), Build.Node("Concat e1 f1 g1 h1 -> q"), Build.Node("Gemm x p q -> y"),
            W("a"), W("b"), W("c"), W("d"), W("e"), W("f"), W("g"), W("h"), Build.Integers("shape", 1)), "a b c d e f g h" },
        { "behind a shape taken from the data", Graph(
            Build.Node("Shape x -> s"), Build.Node("Expand w s -> e"), Build.Node("Gemm x v -> h"), Build.Node("Concat e h -> y"), W(),
            W("v")), "w v" },
        { "not behind DequantizeLinear", Graph(
            Build.Node("DequantizeLinear q s -> w"), Build.Node("Gemm x w b -> y"), Build.Integers("q", 1, 2), W("s"), W("b")), "b" },
        { "tied", Graph(Build.Node("Gemm x w -> h"), Build.Node("Transpose w -> t"), Build.Node("Gemm h t -> y"), W()), "w" },
        { "low rank", Graph(Build.Node("MatMul a b -> ab"), Build.Node("Add w ab -> s"), Build.Node("Gemm x s -> y"), W("a"), W("b"), W()),
            "a b w" },
        { "weight norm", Graph(
            Build.Node("ReduceL2 v -> n"), Build.Node("Div v n -> d"), Build.Node("Mul g d -> w"), Build.Node("Conv x w -> y"), W("g"),
            W("v")), "g v" },
        { "learned addend and factor", Graph(
            Build.Node("MatMul x w -> a"), Build.Node("Add bias a -> b"), Build.Node("Mul b scale -> c"), Build.Node("Add c pos -> y"),
            W(), Filled("bias", 0, 3), Filled("scale", 1, 3), W("pos")), "w bias scale pos" },
        { "constants of the formula", Graph(
            Build.Node("MatMul x w -> a"), Build.Node("Add a eps -> b"), Build.Node("Div b sqrt2 -> c"), Build.Node("Mul c half -> d"),
            Build.Node("Constant -> one", Value(1, 1)), Build.Node("Mul d one -> e"), Build.Node("Add e mask -> f"),
            Build.Node("Mul f keep -> g"),
            Build.Node("Add g sines -> h"), Build.Node("Pow h two -> i"), Build.Node("Concat i zeros -> j"), Build.Node("Add j mask2 -> y"),
            W(), Filled("eps", 1e-5f, 1), Filled("sqrt2", 1.4142135f, 3), Filled("half", 0.5f),
            Build.Raw("mask", [2, 2], 0, float.NegativeInfinity, 0, 0),
            Build.Raw("mask2", [2, 2], 0, -1e4f, 0, 0), Build.Raw("keep", [3], 1, 0, 1), Sinusoid("sines", 6, 8), Filled("two", 2, 2),
            Filled("zeros", 0, 2, 3)), "w" },
        { "preprocessing of the raw input", Graph(
            Build.Node("Sub x mean -> a"), Build.Node("Div a std -> b"), Build.Node("MatMul b w -> y"),
            Build.Learned("mean", 1, 3, 1, 1), Build.Learned("std", 1, 3, 1, 1), W()), "w" },
        { "normalisation written out", Graph(
            Build.Node("Gemm x w -> a"), Build.Node("Sub a bn.running_mean -> b"), Build.Node("Add var eps -> c"),
            Build.Node("Sqrt c -> d"),
            Build.Node("Div b d -> e"), Build.Node("Mul e gamma -> y"), W(), W("bn.running_mean"), W("var"), Filled("eps", 1e-5f),
            W("gamma")), "w gamma" },
        { "relative positions that a network makes of coordinates", Graph(
            Build.Node("MatMul x w -> a"), Build.Node("MatMul attn.relative_coords_table v -> t"), Build.Node("Sigmoid t -> s"),
            Build.Node("Add a s -> y"), W(), W("v"), W("attn.relative_coords_table")),
            "w v" },
        { "relative positions by constant indices", Graph(
            Build.Node("MatMul x w -> a"), Build.Node("Gather table index -> t"), Build.Node("Add a t -> y"), W(), W("table"),
            Build.Integers("index", 0, 1)),
            "w table" },
        { "not what leads nowhere", Graph(Build.Node("Gemm x w -> y"), Build.Node("Gemm x dead -> z"), W(), W("dead"), W("unused")), "w" },
        { "not integers", Graph(Build.Node("Gemm x w -> h"), Build.Node("Add h i -> y"), W(), Build.Integers("i", 1, 2)), "w" },
        { "not another domain's Conv", Graph(
            new NodeProto { OpType = "Conv", Domain = "com.microsoft", Input = { "x", "v" }, Output = { "h" } },
            Build.Node("Gemm h w -> y"), W("v"), W()).Importing("com.microsoft"), "w" },
        { "in a branch", Graph(
            Build.Node("Gemm x w -> h"), new NodeProto { OpType = "If", Input = { "h" }, Output = { "y" }, Attribute =
                { new AttributeProto { Name = "then_branch",
                    G = new GraphProto { Node = { Build.Node("Gemm h v -> r") }, Output = { Build.Value("r: 1") } } } } },
            W("v"), W()), "v w" },
    };

    static ModelProto OfPyTorch(params Google.Protobuf.IMessage[] parts)
    {
        var model = Graph(parts);
        model.ProducerName = "pytorch";
        return model;
    }

    public static TheoryData<string, ModelProto, string> DetectedInExportsOfPyTorch => new()
    {
        { "class token and positions of zeros", OfPyTorch(
            Build.Node("Conv x w -> h"), Build.Node("Expand cls shape -> e"), Build.Node("Concat e h -> i"), Build.Node("Add i pos -> y"),
            W(), Filled("cls", 0, 1, 1, 4), Filled("pos", 0, 1, 5, 4), Build.Integers("shape", -1, 1, 1)), "w cls pos" },
        { "scale of a layer", OfPyTorch(
            Build.Node("Conv x w -> h"), Build.Node("Mul gamma h -> y"), W(), Filled("gamma", 1e-6f, 4, 1, 1)), "w gamma" },
        { "single numbers", OfPyTorch(
            Build.Node("Gemm x w -> h"), Build.Node("Exp log_temperature -> t"), Build.Node("Clip t _ most -> c"),
            Build.Node("Mul h c -> i"),
            Build.Node("Sigmoid gate -> g"), Build.Node("Mul i g -> j"), Build.Node("Div j onnx::Div_3 -> y"),
            W(), Filled("log_temperature", 1.5f), Filled("most", 100), Filled("gate", 0), Filled("onnx::Div_3", 2)),
            "w log_temperature gate" },
        { "constants that were folded", OfPyTorch(
            Build.Node("Gemm x w -> h"), Build.Node("Add h onnx::Add_7 -> i"), Build.Node("Concat i 12 -> j"),
            Build.Node("Add j attention_mask -> k"), Build.Node("Clip onnx::Clip_9 -> n"), Build.Node("Div v n -> d"),
            Build.Node("MatMul k d -> y"),
            W(), Filled("onnx::Add_7", 0, 2, 3), Filled("12", 0, 2, 3), Filled("attention_mask", 0, 2, 3),
            Build.Learned("onnx::Clip_9", 3, 1), W("v")), "w v" },
        { "the mask between shifted windows", OfPyTorch(
            Build.Node("MatMul x w -> h"), Build.Node("Add h onnx::Add_4 -> y"), W(), Build.Raw("onnx::Add_4", [2, 2], 0, -100, -100, 0)),
            "w" },
        { "a normalisation that comes first", OfPyTorch(
            Build.Node("ReduceMean x -> m"), Build.Node("Sub x m -> c"), Build.Node("Mul c c -> s"), Build.Node("ReduceMean s -> v"),
            Build.Node("Sqrt v -> r"), Build.Node("Div c r -> n"), Build.Node("Mul n scale -> a"), Build.Node("Add a shift -> b"),
            Build.Node("Gemm b w -> y"), Build.Learned("scale", 3), Build.Learned("shift", 3), W()), "scale shift w" },
    };

    [Theory]
    [MemberData(nameof(Detected))]
    [MemberData(nameof(DetectedInExportsOfPyTorch))]
    public void Parameters_are_told_from_constants(string name, ModelProto model, string expected)
    {
        var selection = ParameterDetection.Detect(model.Wrap());
        Assert.True(expected == string.Join(' ', selection.Trainable.Select(p => p.Name)),
            $"{name}: {string.Join(", ", selection.Trainable.Select(p => p.Name))}; "
            + $"frozen {string.Join("; ", selection.Frozen.Select(f => $"{f.Name}: {f.Why}"))}");
        Assert.Equal(model.Wrap().Tensors.Count(t => t.IsFloat), selection.Trainable.Count + selection.Frozen.Count);
    }

    [Fact]
    public void A_tensor_listed_as_graph_input_too_is_a_parameter()
    {
        var model = Graph(Build.Node("Gemm x w -> h"), Build.Node("Add h b -> y"), W(), W("b"));
        model.IrVersion = 3;
        model.Graph.Input.Add(Build.Value("w: 3, 3"));
        model.Graph.Input.Add(Build.Value("b: 3, 3"));
        Assert.Equal(["w", "b"], ParameterDetection.Detect(model.Wrap()).Trainable.Select(p => p.Name));
    }

    [Fact]
    public void The_choice_says_why()
    {
        var selection = ParameterDetection.Detect(Graph(
            Build.Node("Transpose w -> t"), Build.Node("Gemm x t -> h"), Build.Node("Add h eps -> y"), W(), Filled("eps", 1e-5f),
                W("unused")).Wrap());
        var parameter = Assert.Single(selection.Trainable);
        Assert.Equal(("w", "Gemm", "H", 1, "input 1 of Gemm 'H'"),
            (parameter.Name, parameter.Operator, parameter.Node, parameter.Slot, parameter.Why));
        Assert.Equal([3L, 3L], parameter.Shape);
        Assert.Equal(DataType.Float, parameter.ElementType);
        Assert.Equal([("eps", "input 1 of Add 'Y': a single number"), ("unused", "no node on the way to the output uses it")],
            selection.Frozen.Select(f => (f.Name, f.Why)));
    }

    [Fact]
    public void Only_what_leads_to_the_named_output_counts()
    {
        var model = Graph(Build.Node("Gemm x w -> y"), Build.Node("Gemm x v -> z"), W(), W("v"));
        model.Graph.Output.Add(Build.Value("z: N, 2"));
        Assert.Equal(["w", "v"], ParameterDetection.Detect(model.Wrap()).Trainable.Select(p => p.Name));
        Assert.Equal(["v"], ParameterDetection.Detect(model.Wrap(), output: "z").Trainable.Select(p => p.Name));
    }

    static ModelFile Layers() => Graph(
        Build.Node("Gemm x l1.w l1.b -> a"), Build.Node("BatchNormalization a bn.w bn.b bn.m bn.v -> b"),
        Build.Node("Mul b temperature -> c"),
        Build.Node("Gemm c l2.w l2.b -> y"),
        W("l1.w"), W("l1.b"), W("bn.w"), W("bn.b"), W("bn.m"), W("bn.v"), Filled("temperature", 2), W("l2.w"), W("l2.b"), W("unused"),
        Build.Integers("n", 1)).Wrap();

    [Theory]
    [InlineData("", "", "l1.w l1.b bn.w bn.b l2.w l2.b")]
    [InlineData("l2.*", "", "l2.w l2.b")]
    [InlineData("l?.w", "", "l1.w l2.w")]
    [InlineData("l2.w", "", "l2.w")]
    [InlineData("", "bn.*", "l1.w l1.b l2.w l2.b")]
    [InlineData("*", "*.b", "l1.w bn.w l2.w")]
    [InlineData("* temperature", "", "l1.w l1.b bn.w bn.b temperature l2.w l2.b")]
    [InlineData("bn.*", "", "bn.w bn.b")]
    public void Patterns_choose_among_the_detected_and_names_add(string include, string exclude, string expected)
    {
        var selection = ParameterDetection.Detect(Layers(), Patterns(include, exclude));
        Assert.Equal(expected, string.Join(' ', selection.Trainable.Select(p => p.Name)));
        Assert.Equal(10, selection.Trainable.Count + selection.Frozen.Count);
    }

    [Theory]
    [InlineData("L2.*", "", "parameter pattern 'L2.*': selects no trainable parameter. Choose among l1.w, l1.b, bn.w, bn.b, l2.w, l2.b")]
    [InlineData("", "typo", "parameter pattern 'typo': selects no trainable parameter")]
    [InlineData("bn.m", "", "initializer 'bn.m': holds running statistics, which are never trained")]
    [InlineData("unused", "", "initializer 'unused': no node on the way to the output uses it")]
    [InlineData("n", "", "initializer 'n': INT64 elements are not floats")]
    [InlineData("", "*", "the patterns exclude all of them")]
    public void Patterns_that_select_nothing_fit_are_refused(string include, string exclude, string expected) =>
        Assert.Contains(expected, Assert.Throws<OnnxModelException>(() =>
            ParameterDetection.Detect(Layers(), Patterns(include, exclude))).Message);

    [Fact]
    public void A_model_without_parameters_says_what_was_looked_at()
    {
        var model = Graph(Build.Node("Relu x -> a"), Build.Node("Relu a -> b"), Build.Node("Mul b half -> y"), Filled("half", 0.5f),
            W("unused"), Build.Integers("n", 1));
        var message = Assert.Throws<OnnxModelException>(() => ParameterDetection.Detect(model.Wrap())).Message;
        Assert.Contains("none found; looked at 3 nodes (2 Relu, 1 Mul) and 2 float tensors of 3 "
            + "('half' (input 1 of Mul 'Y': a single number), 'unused' (no node on the way to the output uses it)). "
            + "Name the parameters in the request", message);
    }

    static ParameterPatterns Patterns(string include, string exclude) =>
        new(include.Split(' ', StringSplitOptions.RemoveEmptyEntries), exclude.Split(' ', StringSplitOptions.RemoveEmptyEntries));
}
