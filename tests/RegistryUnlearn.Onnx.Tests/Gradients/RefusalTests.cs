using RegistryUnlearn.Onnx.Gradients;
using RegistryUnlearn.Onnx.Graphs;
using RegistryUnlearn.Onnx.Models;
using RegistryUnlearn.Onnx.Proto;

namespace RegistryUnlearn.Onnx.Tests.Gradients;

/// <summary>What cannot be differentiated is said in full; nothing is dropped in silence.</summary>
public sealed class RefusalTests
{
    const string ControlFlow =
        "cannot be differentiated: control flow is not differentiated; export the model with control flow unrolled or folded";

    static readonly TensorType Image = TensorType.Float("N", 2, 4, 4);

    [Fact]
    public void Operator_without_rule() => Refuses(
        "operator Det (node 'det') has no gradient rule for operator set 17; exclude the parameters before it from training, or export the "
            + "model with operators listed in docs/operators.md",
        TensorType.Float("N", 2, 2), "Det");

    [Fact]
    public void Operator_of_another_domain_without_rule() => Refuses(
        "operator com.microsoft.Inverse (node 'com.microsoft.inverse') has no gradient rule for operator set 17; exclude the parameters "
            + "before it from training, or export the model with operators listed in docs/operators.md",
        TensorType.Float("N", 3, 3), "com.microsoft.Inverse");

    /// <summary>Rules, explicit refusals, forms without a rule and fused operators: one error for all, in the order of the graph.</summary>
    [Fact]
    public void Everything_that_is_refused_is_listed_at_once()
    {
        var (g, x) = Graph(TensorType.Float(1, 2, 4, 4));
        var y = x;
        for (var i = 0; i < 7; i++)
            y = At($"inverse-{i}", "com.microsoft.Inverse", y);
        y = At("grid", "GridSample", g.Exp(y), g.Constant(Tensors.Of(new float[32], 1, 4, 4, 2)));
        y = At("resize", "Resize", y, g.Constant(Tensors.Of([0f, 0, 0, 0, 1, 1, 1, 1], 8)),
            g.Constant(Tensors.Of([1f, 1, 2, 2], 4)), Attributes.Of("coordinate_transformation_mode", "tf_crop_and_resize"));
        var scalar = g.SumAll(At("det-a", "Det", At("inverse", "com.microsoft.Inverse", y)));
        var refusal = Assert.Throws<OnnxModelException>(() => new Differentiator(g).Gradients(scalar, [x]));
        const string Missing = "has no gradient rule for operator set 17; exclude the parameters before it from training, or export the "
            + "model with operators listed in docs/operators.md";
        Assert.Equal("4 obstacles between the trained parameters and the loss\n"
            + "  operator com.microsoft.Inverse (nodes 'inverse-0', 'inverse-1', 'inverse-2', 'inverse-3', 'inverse-4' and 3 more) "
            + $"{Missing}\n"
            + "  operator GridSample (node 'grid') cannot be differentiated: sampling at computed positions is not differentiated; train "
            + "only the layers behind it\n"
            + "  Resize (node 'resize') with antialias, tf_crop_and_resize or keep_aspect_ratio_policy has no gradient rule; export it "
            + "without\n"
            + $"  operator Det (node 'det-a') {Missing}", refusal.Message);

        Value At(string name, string op, Value a, Value b = default, Value c = default, params AttributeProto[] attributes)
        {
            Value[] ins = [.. new[] { a, b, c }.TakeWhile(v => v.Name is not null)];
            g.Add(op, ins, [new(name)], attributes);
            return new(name);
        }
    }

    [Fact]
    public void Operator_that_is_refused()
    {
        var (g, x) = Graph(TensorType.Float(3, 8, 1));
        Refuses("operator DFT (node 'dft') cannot be differentiated: it has no gradient rule yet; train only the layers behind it", g,
            Named(g, "DFT", [x]), x);
    }

    [Theory]
    [InlineData("a number of steps that is not fixed", "T")]
    [InlineData("more than 256 steps", "257")]
    public void Recurrent_layer_of_another_form(string form, string steps)
    {
        var (g, x) = Graph(TensorType.Float(long.TryParse(steps, out var count) ? count : steps, "N", 4));
        Value[] weights = [g.Constant(Tensors.Of(new float[20], 1, 5, 4)), g.Constant(Tensors.Of(new float[25], 1, 5, 5))];
        var y = Named(g, "RNN", [x, .. weights], Attributes.Of("hidden_size", 5L));
        Refuses($"RNN (node 'rnn') with {form} has no gradient rule; export it without, or train only the layers behind it", g, y, x);
    }

    /// <summary>The integers in between do not end the gradient in silence.</summary>
    [Fact]
    public void Quantized_values_on_the_way()
    {
        var (g, x) = Graph(TensorType.Float("N", 2));
        var scale = g.Scalar(0.1f);
        var y = Named(g, "DequantizeLinear", [g.Add("QuantizeLinear", [x, scale]), scale]);
        Refuses("operator DequantizeLinear (node 'dequantizelinear') cannot be differentiated: quantized models are not differentiated; "
            + "unlearn in the float32 model and quantize the result", g, y, x);
    }

    [Fact]
    public void Output_of_a_fused_operator_that_has_no_part()
    {
        var (g, x) = Graph(TensorType.Float("N", 2));
        Value[] outs = [new("norm"), new("mean")];
        g.Add("com.microsoft.SkipSimplifiedLayerNormalization", [g.Unsqueeze(x, 1), g.Unsqueeze(x, 1), g.Constant(Tensors.Of([1f, 1f], 2))],
            outs, Attributes.Of("epsilon", 0.1f));
        Refuses("output 1 of SkipSimplifiedLayerNormalization (node 'norm') is used; its gradient rule does not offer it, export the model "
            + "for inference", g, g.Add(g.SumAll(outs[0]), g.SumAll(outs[1])), x);
    }

    [Theory]
    [InlineData("mul"), InlineData("min"), InlineData("max")]
    public void Reduction_that_is_neither_none_nor_add(string reduction)
    {
        var g = new GraphBuilder(18);
        var x = g.Input("x", TensorType.Float(3));
        var y = Named(g, "ScatterElements", [x, g.Ints(1), g.Constant(Tensors.Of([2f], 1))], Attributes.Of("reduction", reduction));
        Refuses($"ScatterElements (node 'scatterelements') with reduction '{reduction}' has no gradient rule; export the model without it, "
            + "or train only the layers behind it", g, y, x);
    }

    [Fact]
    public void Attention_with_a_cache()
    {
        var g = new GraphBuilder(23);
        var x = g.Input("x", TensorType.Float("N", 2, 3, 4));
        Value[] outs = [new("attention"), new("keys"), new("values")];
        g.Add("Attention", [x, x, x, default, x, x], outs);
        Refuses("Attention (node 'attention') with a cache of keys and values has no gradient rule; export the model without one, as it "
            + "runs on a whole sequence", g, outs[0], x);
    }

    [Fact]
    public void Attention_mask_of_another_form()
    {
        var (g, x) = Graph(TensorType.Float(2, 3, 4));
        var ends = g.Cast(g.Ints(3, 2, 0, 1), TensorProto.Types.DataType.Int32);
        Value weights = g.Constant(Tensors.Of(new float[48], 4, 12)), bias = g.Constant(Tensors.Of(new float[12], 12));
        var y = Named(g, "com.microsoft.Attention", [x, weights, bias, ends], Attributes.Of("num_heads", 2L));
        Refuses("Attention (node 'com.microsoft.attention') with a mask of the form int32[4] has no gradient rule; give it a mask with one "
            + "element per sample and key", g, y, x);
    }

    [Fact]
    public void Size_that_depends_on_the_data()
    {
        var (g, x) = Graph(TensorType.Float(3));
        var y = Named(g, "Compress", [x, g.Greater(x, g.Scalar(0))]);
        Refuses("operator Compress (node 'compress') cannot be differentiated: the size of the result depends on the data; train only the "
            + "layers behind it", g, y, x);
    }

    [Theory]
    [InlineData("MaxPool", "SAME_UPPER", 17)]
    [InlineData("AveragePool", "SAME_LOWER", 19)]
    public void Automatic_padding_with_gaps_has_no_one_meaning(string op, string padding, int opset)
    {
        var g = new GraphBuilder(opset);
        var x = g.Input("x", TensorType.Float("N", 2, 8, 8));
        var y = Named(g, op, [x], Attributes.Of("kernel_shape", [2L, 2]), Attributes.Of("dilations", [2L, 1]),
            Attributes.Of("auto_pad", padding));
        Refuses($"{op} (node '{op.ToLowerInvariant()}') has auto_pad with dilations, which runtimes pad differently; export it with "
            + "explicit pads", g, y, x);
    }

    [Fact]
    public void Free_size_that_an_average_needs()
    {
        var (g, x) = Graph(TensorType.Float("N", 2, "H", 4));
        var y = Named(g, "AveragePool", [x], Attributes.Of("kernel_shape", [2L, 2]));
        Refuses("AveragePool (node 'averagepool') needs fixed spatial sizes for its gradient; give the input's height and width in the "
            + "model", g, y, x);
    }

    [Fact]
    public void Free_size_that_a_reflection_needs()
    {
        var (g, x) = Graph(TensorType.Float("N", "H"));
        var y = Named(g, "Pad", [x, g.Ints(0, 1, 0, 1)], Attributes.Of("mode", "reflect"));
        Refuses("Pad (node 'pad') needs a fixed size of axis 1 for its gradient; give the input's height and width in the model", g, y, x);
    }

    [Fact]
    public void Free_size_that_a_product_needs()
    {
        var (g, x) = Graph(TensorType.Float("N", "H"));
        var y = Named(g, "ReduceProd", [x], Attributes.Of("axes", [1L]));
        Refuses("ReduceProd (node 'reduceprod') needs a fixed size of axis 1 for its gradient; export the model with fixed shapes",
            g, y, x);
    }

    [Fact]
    public void Einsum_that_repeats_an_axis()
    {
        var (g, x) = Graph(TensorType.Float("N", 1, 3));
        var y = Named(g, "Einsum", [x, g.Input("other", TensorType.Float("N", 4, 3))], Attributes.Of("equation", "bij,bij->bi"));
        Refuses("Einsum (node 'einsum') with an axis of size one repeated in the output has no gradient rule; repeat it with Expand before",
            g, y, x);
    }

    [Fact]
    public void Resize_with_scales_computed_at_run_time()
    {
        var (g, x) = Graph(Image);
        var y = Named(g, "Resize", [x, default, Named(g, "Exp", [g.Input("scales", TensorType.Float(4))])]);
        Refuses("input 2 ('exp') of Resize (node 'resize') must be a constant for its gradient; export the model with fixed shapes, or "
            + "fold constants first", g, y, x);
    }

    [Fact]
    public void Automatic_padding_with_strides_of_a_free_size()
    {
        var (g, x) = Graph(TensorType.Float("N", 2, "H", 4));
        var y = Named(g, "MaxPool", [x], Attributes.Of("kernel_shape", [2L, 2]), Attributes.Of("strides", [2L, 2]),
            Attributes.Of("auto_pad", "SAME_UPPER"));
        Refuses("MaxPool (node 'maxpool') has auto_pad with strides on an axis without a fixed size; export it with explicit pads", g, y,
            x);
    }

    [Fact]
    public void Output_shape_of_a_transposed_convolution_of_a_free_size()
    {
        var (g, x) = Graph(TensorType.Float("N", 1, "L"));
        var y = Named(g, "ConvTranspose", [x, g.Constant(Tensors.Of([1f, 2f], 1, 1, 2))], Attributes.Of("output_shape", [5L]));
        Refuses("ConvTranspose (node 'convtranspose') has automatic padding on an axis without a fixed size; export it with explicit pads",
            g, y, x);
    }

    [Fact]
    public void Axes_computed_at_run_time()
    {
        var (g, x) = Graph(TensorType.Float("N", 2));
        var y = Named(g, "ReduceSum", [x, g.Input("axes", TensorType.Int64(1))]);
        Refuses("input 1 ('axes') of ReduceSum (node 'reducesum') must be a constant for its gradient; export the model with fixed shapes, "
            + "or fold constants first", g, y, x);
    }

    [Fact]
    public void Batch_normalization_in_training_mode()
    {
        var (g, x) = Graph(Image);
        var two = g.Constant(Tensors.Of([1f, 1f], 2));
        Value[] outs = [new("batchnormalization"), new("mean"), new("variance")];
        g.Add("BatchNormalization", [x, two, two, two, two], outs, Attributes.Of("training_mode", 1L));
        Refuses("BatchNormalization (node 'batchnormalization') is in training mode; export the model for inference, the graph that is "
            + "edited is the graph that is served", g, outs[0], x);
    }

    [Fact]
    public void Dropout_in_training_mode()
    {
        var (g, x) = Graph(TensorType.Float("N", 2));
        var training = g.Constant(new TensorProto { DataType = (int)TensorProto.Types.DataType.Bool, Int32Data = { 1 } });
        var y = Named(g, "Dropout", [x, g.Scalar(0.5f), training]);
        Refuses("Dropout (node 'dropout') is in training mode, or its mode is not a constant; export the model for inference, the graph "
            + "that is edited is the graph that is served", g, y, x);
    }

    /// <summary>The body reads x from outside, so that x is no input of the node.</summary>
    [Fact]
    public void If_whose_bodies_read_a_parameter()
    {
        var (g, x) = Graph(TensorType.Float(2));
        var y = Named(g, "If", [g.Input("condition", new(TensorProto.Types.DataType.Bool, []))], Body("then_branch", "Exp", x),
            Body("else_branch", "Neg", x));
        Refuses($"operator If (node 'if') {ControlFlow}", g, y, x);
    }

    [Fact]
    public void Loop_over_a_parameter()
    {
        var (g, x) = Graph(TensorType.Float(2));
        var body = Body("body", "Identity", new("carried"));
        foreach (var name in new[] { "i", "continue" })
            body.G.Input.Add(new TensorType(name is "i" ? TensorProto.Types.DataType.Int64 : TensorProto.Types.DataType.Bool, [])
                .ToValueInfo(name));
        body.G.Input.Add(TensorType.Float(2).ToValueInfo("carried"));
        body.G.Output.Insert(0, new ValueInfoProto { Name = "continue" });
        var y = Named(g, "Loop", [g.Constant(Tensors.Of([2L], dims: [])), default, x], body);
        Refuses($"operator Loop (node 'loop') {ControlFlow}", g, y, x);
    }

    /// <summary>Control flow that decides shapes only is no obstacle.</summary>
    [Fact]
    public void Control_flow_beside_the_path_is_accepted()
    {
        var (g, x) = Graph(TensorType.Float(2));
        var other = g.Input("other", TensorType.Float(2));
        var y = Named(g, "If", [g.Input("condition", new(TensorProto.Types.DataType.Bool, []))], Body("then_branch", "Exp", other),
            Body("else_branch", "Neg", other));
        Assert.Single(new Differentiator(g).Gradients(g.SumAll(g.Mul(x, y)), [x]));
    }

    [Fact]
    public void Half_precision_on_the_way()
    {
        var (g, x) = Graph(TensorType.Float("N", 2));
        var half = g.Cast(x, TensorProto.Types.DataType.Float16);
        var y = Named(g, "Mul", [half, half]);
        Refuses("operator Mul (node 'mul') computes 'mul' as float16[N,2]; gradients are computed in float32 only, export the model with "
            + "float32 activations", g, g.Cast(y), x);
    }

    [Fact]
    public void Something_that_is_no_scalar()
    {
        var (g, x) = Graph(TensorType.Float("N", 2));
        var y = Named(g, "Exp", [x]);
        var refusal = Assert.Throws<OnnxModelException>(() => new Differentiator(g).Gradients(y, [x]));
        Assert.Equal("only a float scalar can be differentiated, 'exp' is float[N,2]", refusal.Message);
    }

    [Fact]
    public void Rule_with_a_result_of_the_wrong_shape_is_named()
    {
        var (g, x) = Graph(TensorType.Float("N", 2));
        var y = g.SumAll(Named(g, "Exp", [x]));
        var differentiator = new Differentiator(g)
        {
            Rules = (node, graph) => node.OpType is "Exp" ? new Rule("", "Exp", 1, r => [r.G.ReduceSum(r.DOut(), [0], keep: true)])
                : RuleTable.Find(node, graph),
        };
        differentiator.Gradients(y, [x]);
        var refusal = Assert.Throws<OnnxModelException>(differentiator.Refresh);
        Assert.Equal("the gradient rule of operator Exp (node 'exp') gave float[1,2] for 'x', which is float[N,2]; this is a defect, "
            + "please report it with the model", refusal.Message);
    }

    static AttributeProto Body(string name, string op, Value reads)
    {
        var body = new GraphProto
        {
            Name = name,
            Node = { new NodeProto { OpType = op, Input = { reads.Name }, Output = { $"{name}/y" } } },
        };
        body.Output.Add(TensorType.Float(2).ToValueInfo($"{name}/y"));
        return new AttributeProto { Name = name, Type = AttributeProto.Types.AttributeType.Graph, G = body };
    }

    static (GraphBuilder, Value X) Graph(TensorType type)
    {
        var g = new GraphBuilder(17);
        g.Import("com.microsoft", 1);
        return (g, g.Input("x", type));
    }

    /// <summary>A node whose name and output are the operator's name in lower case.</summary>
    static Value Named(GraphBuilder g, string op, Value[] ins, params AttributeProto[] attributes)
    {
        var y = new Value(op.ToLowerInvariant());
        g.Add(op, ins, [y], attributes);
        return y;
    }

    static void Refuses(string message, TensorType type, string op, params TensorProto[] constants) =>
        Refuses(message, type, op, constants, []);

    static void Refuses(string message, TensorType type, string op, TensorProto[] constants, AttributeProto[] attributes)
    {
        var (g, x) = Graph(type);
        Refuses(message, g, Named(g, op, [x, .. constants.Select(g.Constant)], attributes), x);
    }

    static void Refuses(string message, GraphBuilder g, Value y, Value x)
    {
        var scalar = g.SumAll(y);
        var refusal = Assert.Throws<OnnxModelException>(() => new Differentiator(g).Gradients(scalar, [x]));
        Assert.Equal(message, refusal.Message);
    }
}
