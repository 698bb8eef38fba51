using RegistryUnlearn.Onnx.Graphs;
using RegistryUnlearn.Onnx.Losses;
using RegistryUnlearn.Onnx.Steps;
using RegistryUnlearn.Training.Buffers;

namespace RegistryUnlearn.Training.Tests.Runtime;

/// <summary>Models of a few nodes, built in memory, with seeded values.</summary>
sealed class SmallModel
{
    readonly GraphBuilder graph = new(GraphBuilder.OldestOpset);
    readonly List<ModelParameter> parameters = [];

    /// <summary>Appends nodes to a graph; parameters are declared by <see cref="Parameter"/>.</summary>
    public static ForwardModel Of(long[] sample, Func<SmallModel, GraphBuilder, Value, Value> body, long? batch = null)
    {
        var model = new SmallModel();
        var x = model.graph.Input("x", TensorType.Float([batch is { } n ? n : "n", .. sample.Select(d => (Dim)d)]));
        var logits = body(model, model.graph, x);
        model.graph.Output("z", logits);
        return new ForwardModel(model.graph.Build(), "x", "z", sample, model.parameters, tensor => tensor);
    }

    public Value Parameter(string name, params long[] shape)
    {
        parameters.Add(new(name, shape));
        return graph.Initializer(name, Tensors.Of(new float[shape.Aggregate(1L, (n, d) => n * d)], shape));
    }

    /// <summary>conv3×3 2→3, relu, maxpool 2, gemm 12→4 on 2×4×4 images.</summary>
    public static ForwardModel Cnn(long? batch = null) => Of([2, 4, 4], (m, g, x) =>
    {
        var y = g.Add("Conv", [x, m.Parameter("conv.w", 3, 2, 3, 3), m.Parameter("conv.b", 3)], Attributes.Of("pads", [1, 1, 1, 1]));
        y = g.Add("MaxPool", [g.Add("Relu", [y])], Attributes.Of("kernel_shape", [2, 2]), Attributes.Of("strides", [2, 2]));
        return g.Add("Gemm", [g.Reshape(y, -1, 12), m.Parameter("fc.w", 4, 12), m.Parameter("fc.b", 4)], Attributes.Of("transB", 1));
    }, batch);

    public static BatchLoss CrossEntropy(long classes) => (g, prefix, logits) =>
        ClassificationLosses.CrossEntropy(g, logits, g.Input(prefix + "labels", TensorType.Int64(prefix + "batch")), classes);

    public static TensorBlock Random(ForwardModel model, int seed)
    {
        var block = new TensorBlock(model.Parameters);
        for (var i = 0; i < block.TensorCount; i++)
            Fill(block[i], seed + i);
        return block;
    }

    public static void Fill(Span<float> values, int seed)
    {
        var random = new Random(seed);
        foreach (ref var value in values)
            value = random.NextSingle() * 2 - 1;
    }
}
