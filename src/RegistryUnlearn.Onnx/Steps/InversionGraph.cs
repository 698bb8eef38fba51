using RegistryUnlearn.Onnx.Gradients;
using RegistryUnlearn.Onnx.Graphs;
using RegistryUnlearn.Onnx.Losses;
using RegistryUnlearn.Onnx.Proto;

namespace RegistryUnlearn.Onnx.Steps;

/// <summary>
/// Graphs that look for a sample rather than for parameters: the gradient of a scalar by the input. Inputs are <c>input</c>,
/// <c>labels</c> and the parameters under their own names; the gradient is the output <see cref="InputGradient"/>.
/// </summary>
public static class InversionGraph
{
    public const string Target = "target/";
    public const string InputGradient = "gradient-of-input";
    public const string Cosine = "cosine";
    public const string Smoothness = "smoothness";

    /// <summary>Keeps the quotient finite where a gradient is zero.</summary>
    const float Tiny = 1e-20f;

    /// <summary>
    /// Gradient matching (Geiping et al., NeurIPS 2020; of parameter differences: Hu et al., IEEE S&amp;P 2024): the scalar is
    /// 1 − cos(∇_θ L(x, y), Δ) + w · TV(x), with one cosine over all parameters, Δ the inputs <c>target/{parameter}</c>, w the input
    /// <see cref="Smoothness"/> and TV the mean absolute difference of neighbouring pixels; 0 where samples are no images. Outputs
    /// <c>loss</c>, the scalar, and <c>cosine</c>.
    /// </summary>
    public static ModelProto Features(ForwardModel model, int classes)
    {
        var g = model.NewGraph();
        var parameters = model.AddParameterInputs(g);
        var input = model.AddInput(g, "input", "batch");
        var differentiator = new Differentiator(g);
        var gradients = differentiator.Gradients(CrossEntropy(g, model, input, parameters, classes), parameters);
        Value[] targets = [.. model.Parameters.Select(p => g.Input(Target + p.Name, p.Type))];
        var cosine = g.Div(
            Dot(g, gradients, targets),
            g.Sqrt(g.Add(g.Mul(Dot(g, gradients, gradients), Dot(g, targets, targets)), g.Scalar(Tiny))));
        var cost = g.Sub(g.Scalar(1), cosine);
        var weight = g.Input(Smoothness, TensorType.Float());
        cost = g.Add(cost, g.Mul(weight, model.SampleShape.Count == 3 ? Variation(g, input) : g.Scalar(0)));
        return Finish(g, model, differentiator, cost, input, cosine);
    }

    /// <summary>The scalar is the mean cross-entropy of the labels, output <c>loss</c>: descent makes samples that the model is sure of.
    /// </summary>
    public static ModelProto Probes(ForwardModel model, int classes)
    {
        var g = model.NewGraph();
        var parameters = model.AddParameterInputs(g);
        var input = model.AddInput(g, "input", "batch");
        var loss = CrossEntropy(g, model, input, parameters, classes);
        return Finish(g, model, new Differentiator(g), loss, input, cosine: null);
    }

    static Value CrossEntropy(GraphBuilder g, ForwardModel model, Value input, Value[] parameters, int classes)
    {
        var labels = model.Layout.AddLabels(g, "labels", model.FixedBatch is { } n ? n : "batch");
        var logits = model.Layout.Arrange(g, model.Append(g, "model/", input, parameters));
        return ClassificationLosses.CrossEntropy(g, new LabelledLogits(g, model.Layout, logits, labels, classes), classes);
    }

    static ModelProto Finish(
        GraphBuilder g, ForwardModel model, Differentiator differentiator, Value scalar, Value input, Value? cosine)
    {
        var gradient = differentiator.Gradients(scalar, [input])[0];
        differentiator.Refresh();
        g.Output(StepGraph.Loss, scalar);
        if (cosine is { } c)
            g.Output(Cosine, c);
        g.Output(InputGradient, gradient, differentiator.Types[input.Name]);
        return g.Build();
    }

    static Value Dot(GraphBuilder g, Value[] a, Value[] b) =>
        a.Zip(b).Select(pair => g.SumAll(g.Mul(pair.First, pair.Second))).Aggregate(g.Add);

    /// <summary>Mean absolute difference of neighbours along height and along width, the two added; [N, C, H, W].</summary>
    static Value Variation(GraphBuilder g, Value x)
    {
        return g.Add(Along(2), Along(3));

        Value Along(long axis) => g.MeanAll(g.Abs(g.Sub(
            g.Slice(x, [1], [long.MaxValue], [axis], [1]), g.Slice(x, [0], [-1], [axis], [1]))));
    }
}
