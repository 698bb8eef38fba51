using RegistryUnlearn.Onnx.Gradients;
using RegistryUnlearn.Onnx.Graphs;
using RegistryUnlearn.Onnx.Proto;
using RegistryUnlearn.Onnx.Tests.Graphs;
using static RegistryUnlearn.Onnx.Proto.TensorProto.Types;

namespace RegistryUnlearn.Onnx.Tests.TrainingArtifacts;

/// <summary>One row: an operator and the operator with which ONNX Runtime Training computes its gradient.</summary>
/// <param name="Shapes">Of the inputs x0, x1, ...; all are differentiated.</param>
/// <param name="Output">Of the output, and so of its gradient dy.</param>
/// <param name="Forward">The operator in standard form.</param>
/// <param name="Emitted">What ONNX Runtime's gradient builder emits: appends the nodes that make x0_grad, x1_grad, ... from dy.</param>
sealed record GradientCase(
    string Name, long[][] Shapes, long[] Output, Func<GraphBuilder, Value[], Value> Forward, Action<GraphBuilder, Value, Value[]> Emitted)
{
    /// <value>Whether the official engine computes this operator on the CPU; for some it has no kernel, or one that only throws.</value>
    public bool HasKernel { get; init; } = true;

    IEnumerable<string> Inputs => Shapes.Select((_, i) => $"x{i}");

    string[] Gradients => [.. Inputs.Select(i => i + "_grad")];

    /// <summary>The graph that ONNX Runtime Training runs.</summary>
    public ModelProto Official()
    {
        var (g, x, dy) = Start();
        g.Import("com.microsoft", 1);
        Emitted(g, dy, x);
        for (var i = 0; i < Shapes.Length; i++)
            g.Output(Gradients[i], new(Gradients[i]), TensorType.Float([.. Shapes[i].Select(d => (Dim)d)]));
        return g.Build();
    }

    /// <summary>The same gradients by this product's differentiation.</summary>
    public ModelProto Ours()
    {
        var (g, x, dy) = Start();
        var gradients = new Differentiator(g).Gradients(g.SumAll(g.Mul(dy, Forward(g, x))), x);
        for (var i = 0; i < Shapes.Length; i++) g.Output(Gradients[i], gradients[i]);
        return g.Build();
    }

    /// <summary>Values between −1 and 1 apart from zero, seeded by the row's name.</summary>
    public Dictionary<string, Tensor> Values()
    {
        var random = new Random(Name.Sum(c => c));
        return Inputs.Zip(Shapes).Append(("dy", Output)).ToDictionary(i => i.Item1, i => new Tensor(
            Enumerable.Range(0, (int)i.Item2.Aggregate(1L, (n, d) => n * d)).Select(_ =>
                (0.05f + 0.95f * random.NextSingle()) * (random.Next(2) * 2 - 1)).ToArray(), i.Item2));
    }

    (GraphBuilder, Value[], Value) Start()
    {
        var g = new GraphBuilder(GraphBuilder.OldestOpset);
        Value[] x = [.. Inputs.Zip(Shapes).Select(i => g.Input(i.First, Fixed(i.Second)))];
        return (g, x, g.Input("dy", Fixed(Output)));
    }

    static TensorType Fixed(long[] shape) => new(DataType.Float, [.. shape.Select(d => (Dim)d)]);

    public override string ToString() => Name;
}
