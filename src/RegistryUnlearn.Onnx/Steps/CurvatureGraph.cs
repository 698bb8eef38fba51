using RegistryUnlearn.Onnx.Gradients;
using RegistryUnlearn.Onnx.Graphs;
using RegistryUnlearn.Onnx.Lowering;
using RegistryUnlearn.Onnx.Proto;

namespace RegistryUnlearn.Onnx.Steps;

/// <summary>
/// A layer whose weight gradient is a sum of outer products of output gradients and inputs: what Kronecker factors describe.
/// </summary>
/// <param name="Weight">Index of the weight among the model's parameters.</param>
/// <param name="Bias">Index of the bias, if it is a parameter.</param>
/// <param name="Inputs">Length of an input vector (of a patch), without the one that stands for the bias.</param>
/// <param name="Outputs">Length of an output vector.</param>
/// <param name="Positions">Output vectors per sample.</param>
/// <param name="InputMajor">The weight is stored [inputs, outputs] instead of [outputs, inputs].</param>
public sealed record CurvatureLayer(int Index, int Weight, int? Bias, long Inputs, long Outputs, long Positions, bool InputMajor)
{
    /// <summary>Weight and bias, as indices among the model's parameters.</summary>
    public IEnumerable<int> Parameters => Bias is { } bias ? [Weight, bias] : [Weight];

    /// <summary>Size of the input factor, the bias included.</summary>
    public long Columns => Inputs + (Bias is null ? 0 : 1);

    /// <summary>Output: Σ_b Σ_p a·aᵀ, [Inputs, Inputs].</summary>
    public string InputMoment => $"curvature/{Index}/input";

    /// <summary>Output: Σ_b Σ_p a, [Inputs].</summary>
    public string InputSum => $"curvature/{Index}/input-sum";

    /// <summary>Output: Σ_b Σ_p g·gᵀ, [Outputs, Outputs].</summary>
    public string OutputMoment => $"curvature/{Index}/output";

    /// <summary>Input: eigenvectors of the input factor in columns, [Columns, Columns].</summary>
    public string InputBasis => $"basis/{Index}/input";

    /// <summary>Input: eigenvectors of the output factor in columns, [Outputs, Outputs].</summary>
    public string OutputBasis => $"basis/{Index}/output";

    /// <summary>Input: what each pair of eigendirections is multiplied with, [Outputs, Columns].</summary>
    public string Scale => $"scale/{Index}";
}

/// <summary>
/// Graphs for a Kronecker-factored Gauss-Newton approximation (Martens and Grosse, ICML 2015; Grosse and Martens, ICML 2016 for
/// convolutions): one measures the factors, one multiplies gradients with the inverse.
/// </summary>
public static class CurvatureGraph
{
    /// <summary>
    /// Input [N, C], or [N, P, C] for positions: Gaussian noise u at the logits; the gradients of u·z sample the Gauss-Newton matrix JᵀJ
    /// of the logits.
    /// </summary>
    public const string Probe = "probe";

    /// <summary>Output prefix: a gradient multiplied with the inverse curvature.</summary>
    public const string Preconditioned = "preconditioned/";

    /// <summary>
    /// The factors of every Conv (one group), Gemm and MatMul layer whose weight is used once and whose input has fixed spatial sizes, and
    /// the plain gradients <c>gradient/{parameter}</c> of Σ u·z for the rest.
    /// </summary>
    /// <param name="largest">
    /// Layers with more inputs or outputs than this are left out: memory and time grow with its square and cube.
    /// </param>
    public static (ModelProto Graph, IReadOnlyList<CurvatureLayer> Layers) Factors(ForwardModel model, long classes, long largest)
    {
        var g = model.NewGraph();
        var parameters = model.AddParameterInputs(g);
        var logits = model.Layout.Arrange(g, model.Append(g, "model/", model.AddInput(g, "input", "batch"), parameters));
        var batch = g.Inputs["input"].Shape[0];
        var projected = g.SumAll(g.Mul(logits, g.Input(Probe, model.Layout.ArrangedType(batch, classes))));
        var differentiator = new Differentiator(g);
        differentiator.Refresh();
        var found = Layers(g, differentiator.Types, model, largest);
        var gradients = differentiator.Gradients(projected, [.. found.Select(f => new Value(f.Node.Output[0])), .. parameters]);
        foreach (var ((layer, node, geometry), gradient) in found.Zip(gradients))
            OutputFactors(g, layer, node, geometry, gradient);
        differentiator.Refresh();
        for (var i = 0; i < parameters.Length; i++)
            g.Output(StepGraph.Gradient + model.Parameters[i].Name, gradients[found.Count + i], model.Parameters[i].Type);
        return (g.Build(), [.. found.Select(f => f.Layer)]);
    }

    /// <summary>
    /// Gradients multiplied with the inverse curvature: inputs <c>gradient/…</c>, outputs <c>preconditioned/…</c>. Parameters outside the
    /// layers are not part of the graph.
    /// </summary>
    public static ModelProto Precondition(ForwardModel model, IReadOnlyList<CurvatureLayer> layers)
    {
        var g = model.NewGraph();
        var parts = layers.SelectMany(layer => layer.Parameters).ToList();
        var gradients = new Value[model.Parameters.Count];
        foreach (var i in parts)
            gradients[i] = g.Input(StepGraph.Gradient + model.Parameters[i].Name, model.Parameters[i].Type);
        Precondition(g, model, layers, gradients);
        foreach (var i in parts)
            g.Output(Preconditioned + model.Parameters[i].Name, gradients[i], model.Parameters[i].Type);
        return g.Build();
    }

    /// <summary>
    /// Replaces the gradients of the layers' parameters by Q_out · ((Q_outᵀ · M · Q_in) ∘ scale) · Q_inᵀ, M the weight's gradient with the
    /// bias as last column; the bases and scales are inputs of the graph.
    /// </summary>
    /// <param name="gradients">One per parameter; those outside the layers stay as they are.</param>
    public static void Precondition(
        GraphBuilder g, ForwardModel model, IReadOnlyList<CurvatureLayer> layers, Value[] gradients)
    {
        foreach (var layer in layers)
        {
            var matrix = Matrix(g, layer, gradients);
            var input = g.Input(layer.InputBasis, TensorType.Float(layer.Columns, layer.Columns));
            var output = g.Input(layer.OutputBasis, TensorType.Float(layer.Outputs, layer.Outputs));
            var rotated = g.MatMul(g.MatMul(g.Transpose(output, [1, 0]), matrix), input);
            var scaled = g.Mul(rotated, g.Input(layer.Scale, TensorType.Float(layer.Outputs, layer.Columns)));
            var result = g.MatMul(g.MatMul(output, scaled), g.Transpose(input, [1, 0]));
            var weight = g.Slice(result, [0], [layer.Inputs], [1], [1]);
            gradients[layer.Weight] = Like(layer.Weight, layer.InputMajor ? g.Transpose(weight, [1, 0]) : weight);
            if (layer.Bias is { } bias)
                gradients[bias] = Like(bias, g.Slice(result, [layer.Inputs], [layer.Columns], [1], [1]));
        }

        Value Like(int parameter, Value value) => g.Reshape(value, [.. model.Parameters[parameter].Shape]);
    }

    static Value Matrix(GraphBuilder g, CurvatureLayer layer, Value[] gradients)
    {
        var weight = gradients[layer.Weight];
        var rows = layer.InputMajor ? g.Transpose(weight, [1, 0]) : g.Reshape(weight, layer.Outputs, layer.Inputs);
        return layer.Bias is { } bias ? g.Concat([rows, g.Reshape(gradients[bias], layer.Outputs, 1)], 1) : rows;
    }

    static void OutputFactors(GraphBuilder g, CurvatureLayer layer, NodeProto node, Geometry? geometry, Value gradient)
    {
        Value x = new(node.Input[0]);
        // Columns of [B, length, positions] are the vectors; a matrix of samples is one such column per row.
        var inputs = geometry is null ? g.Reshape(x, -1, layer.Inputs, 1) : ConvGradWeight.Patches(g, geometry, x);
        var outputs = g.Reshape(gradient, -1, layer.Outputs, geometry is null ? 1 : layer.Positions);
        g.Output(layer.InputMoment, Moment(inputs), TensorType.Float(layer.Inputs, layer.Inputs));
        g.Output(layer.InputSum, g.ReduceSum(inputs, [0, 2], keep: false), TensorType.Float(layer.Inputs));
        g.Output(layer.OutputMoment, Moment(outputs), TensorType.Float(layer.Outputs, layer.Outputs));

        Value Moment(Value vectors)
        {
            var length = vectors == inputs ? layer.Inputs : layer.Outputs;
            var columns = g.Reshape(g.Transpose(vectors, [1, 0, 2]), length, -1);
            return g.Gemm(columns, columns, transB: true);
        }
    }

    static List<(CurvatureLayer Layer, NodeProto Node, Geometry? Geometry)> Layers(
        GraphBuilder g, TypeOracle types, ForwardModel model, long largest)
    {
        var index = model.Parameters.Select((p, i) => (p.Name, i)).ToDictionary(p => p.Name, p => p.i);
        var uses = g.Nodes.SelectMany(n => n.Input).Where(index.ContainsKey).GroupBy(n => n).ToDictionary(n => n.Key, n => n.Count());
        var layers = new List<(CurvatureLayer, NodeProto, Geometry?)>();
        foreach (var node in g.Nodes.Where(n => n.OpType is "Conv" or "Gemm" or "MatMul" && n.Input.Count > 1 && Once(n.Input[1])))
        {
            var weight = model.Parameters[index[node.Input[1]]];
            int? bias = node.Input.Count > 2 && Once(node.Input[2])
                && model.Parameters[index[node.Input[2]]].Count == OutputsOf(node, weight) ? index[node.Input[2]] : null;
            var geometry = node.OpType is "Conv" ? Geometry.Of(node, types[node.Input[0]], types[node.Input[1]]) : null;
            if (geometry is { IsFixed: false } or { Group: > 1 }
                || (node.OpType is "MatMul" && weight.Shape.Count != 2)
                || node.Int("transA", 0) == 1 || node.Float("alpha", 1) != 1 || node.Float("beta", 1) != 1)
                continue;
            var outputs = OutputsOf(node, weight);
            // A matrix product over more than one row per sample (tokens) counts every row as a position.
            var positions = geometry is not null ? ConvGradWeight.Positions(geometry) : RowsPerSample(types[node.Output[0]]);
            if (positions is null || Math.Max(outputs, weight.Count / outputs) > largest)
                continue;
            var inputMajor = node.OpType is "MatMul" || (node.OpType is "Gemm" && node.Int("transB", 0) == 0);
            var layer = new CurvatureLayer(
                layers.Count, index[node.Input[1]], bias, weight.Count / outputs, outputs, positions.Value, inputMajor);
            layers.Add((layer, node, geometry));
        }
        return layers;

        bool Once(string name) => uses.TryGetValue(name, out var n) && n == 1;
    }

    static long OutputsOf(NodeProto node, ModelParameter weight) =>
        node.OpType is "Conv" || (node.OpType is "Gemm" && node.Int("transB", 0) == 1) ? weight.Shape[0] : weight.Shape[^1];

    static long? RowsPerSample(TensorType output) =>
        output.Shape.Skip(1).SkipLast(1).All(d => d.IsFixed) ? output.Shape.Skip(1).SkipLast(1).Aggregate(1L, (n, d) => n * d.Size) : null;
}
