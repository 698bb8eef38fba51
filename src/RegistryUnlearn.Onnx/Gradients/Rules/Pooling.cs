using RegistryUnlearn.Onnx.Graphs;
using RegistryUnlearn.Onnx.Lowering;
using RegistryUnlearn.Onnx.Models;
using RegistryUnlearn.Onnx.Proto;

namespace RegistryUnlearn.Onnx.Gradients.Rules;

/// <summary>Pooling over windows. Which element is a maximum is piecewise constant, so only the values carry gradients.</summary>
static class Pooling
{
    public static IReadOnlyList<Rule> Rules { get; } =
    [
        new("", "MaxPool", 8, r => [Adjoint.Emit(r.G, Adjoint.MaxPoolGradOp, [r.DOut(), r.In(0)], Window(r))]),
        Adjoint.Rule(Adjoint.MaxPoolGradOp, r => [Adjoint.Emit(r.G, Adjoint.MaxPoolGatherOp, [r.DOut(), r.In(1)], r.Node.Attribute), null]),
        Adjoint.Rule(Adjoint.MaxPoolGatherOp, r => [Adjoint.Emit(r.G, Adjoint.MaxPoolGradOp, [r.DOut(), r.In(1)], r.Node.Attribute), null]),
        new("", "AveragePool", 7, r => [Adjoint.Emit(r.G, Adjoint.AveragePoolGradOp, [r.DOut(), r.In(0)], FixedWindow(r))]),
        Adjoint.Rule(Adjoint.AveragePoolGradOp, r =>
        [
            r.G.Add("AveragePool", [r.DOut()],
            [
                .. Geometry.Of(r.Node).Window.Where(a => r.G.Opset >= 19 || a.Name != "dilations"),
                Attributes.Of("count_include_pad", r.Int("count_include_pad", 0)), Attributes.Of("ceil_mode", r.Int("ceil_mode", 0)),
            ]),
            null,
        ]),
    ];

    /// <summary>The definition pads for the whole window, ONNX Runtime for one without gaps.</summary>
    static void RequireOneMeaning(RuleContext r)
    {
        if (r.Node.Text("auto_pad", "NOTSET") is "SAME_UPPER" or "SAME_LOWER" && r.Node.Ints("dilations")?.Any(d => d > 1) == true)
            throw new OnnxModelException($"{r.Node.OpType} (node '{r.Node.Name}') has auto_pad with dilations, which runtimes pad "
                + "differently; export it with explicit pads");
    }

    static AttributeProto[] Window(RuleContext r)
    {
        RequireOneMeaning(r);
        return
        [
            .. Geometry.Of(r.Node, r.InType(0), null).Complete,
            Attributes.Of("ceil_mode", r.Int("ceil_mode", 0)), Attributes.Of("count_include_pad", r.Int("count_include_pad", 0)),
        ];
    }

    static AttributeProto[] FixedWindow(RuleContext r)
    {
        if (!Geometry.Of(r.Node, r.InType(0), null).IsFixed)
            throw new OnnxModelException($"AveragePool (node '{r.Node.Name}') needs fixed spatial sizes for its gradient; give the input's "
                + "height and width in the model");
        return [.. Window(r), Attributes.Of("out", r.OutType().Sizes[2..])];
    }
}
