using System.Text.Json;
using RegistryUnlearn.Onnx.Graphs;
using RegistryUnlearn.Training.Buffers;
using RegistryUnlearn.Unlearning.Data;
using RegistryUnlearn.Unlearning.Methods;

namespace RegistryUnlearn.Unlearning.Tests.Methods;

/// <summary>Models and data small enough to compute by hand or to train in a moment.</summary>
static class Tiny
{
    /// <summary>sin(a·i + b): numbers that another program makes again from two constants.</summary>
    public static float[] Wave(int count, double a, double b, double scale = 1) =>
        [.. Enumerable.Range(0, count).Select(i => (float)(scale * Math.Sin(a * i + b)))];

    /// <summary>logits = x · W + b, x flattened.</summary>
    public static TinyModel Linear(long[] sampleShape, int classes, float[] weights, float[] bias, long? batch = null) =>
        new(sampleShape, batch, (g, x, at) => g.Add("Gemm", [g.Add("Flatten", [x]), at("weight"), at("bias")]),
            ("weight", [sampleShape.Aggregate(1L, (n, d) => n * d), classes], weights), ("bias", [classes], bias));

    /// <summary>One hidden layer with Relu.</summary>
    public static TinyModel Perceptron(int inputs, int hidden, int classes, float[] w1, float[] b1, float[] w2, float[] b2) =>
        new([inputs], null, (g, x, at) => g.Add("Gemm", [g.Add("Relu", [g.Add("Gemm", [x, at("w1"), at("b1")])]), at("w2"), at("b2")]),
            ("w1", [inputs, hidden], w1), ("b1", [hidden], b1), ("w2", [hidden, classes], w2), ("b2", [classes], b2));

    public static DataSet Data(float[] inputs, long[] sampleShape, params long[] labels) => DataSet.From(
        NpyArray.Of<float>("x", [labels.Length, .. sampleShape], inputs), NpyArray.Of<long>("y", [labels.Length], labels));

    /// <summary>Consecutive rows.</summary>
    public static Subset Rows(this DataSet data, int from, int to, string role) =>
        data.Select([.. Enumerable.Range(from, to - from).Select(r => (long)r)], role);

    /// <summary>The options of a method from JSON text.</summary>
    public static object Options(IUnlearningMethod method, string json)
    {
        var (options, errors) = Read(method, json);
        Assert.Empty(errors);
        return options;
    }

    public static (object Options, List<string> Errors) Read(IUnlearningMethod method, string json)
    {
        var errors = new List<string>();
        var reader = new OptionReader(JsonDocument.Parse(json).RootElement, "options", errors);
        var options = method.ReadOptions(reader);
        reader.Finish();
        return (options, errors);
    }

    public static MethodRun Start(string method, UnlearningTask task, string json)
    {
        var named = MethodCatalog.Find(method)!;
        return named.Start(task, Options(named, json));
    }

    public static float[] Values(TensorBlock block) => [.. Enumerable.Range(0, block.TensorCount).SelectMany(i => block[i].ToArray())];

    public static void AssertClose(IReadOnlyList<double> expected, ReadOnlySpan<float> actual, double tolerance = 2e-6)
    {
        Assert.Equal(expected.Count, actual.Length);
        for (var i = 0; i < expected.Count; i++)
            Assert.Equal(expected[i], actual[i], tolerance * Math.Max(1, Math.Abs(expected[i])));
    }
}

/// <summary>A model with its parameters, in a graph whose batch is free or fixed.</summary>
sealed class TinyModel : IDisposable
{
    public TinyModel(
        long[] sampleShape, long? batch, Func<GraphBuilder, Value, Func<string, Value>, Value> body,
        params (string Name, long[] Shape, float[] Values)[] parameters)
    {
        var g = new GraphBuilder(17);
        var shape = TensorType.Float([batch is { } n ? (Dim)n : "batch", .. sampleShape.Select(d => (Dim)d)]);
        var tensors = parameters.ToDictionary(p => p.Name, p => g.Initializer(p.Name, Tensors.Of((ReadOnlySpan<float>)p.Values, p.Shape)));
        var logits = body(g, g.Input("input", shape), name => tensors[name]);
        g.Output("logits", logits, TensorType.Float(shape.Shape[0], parameters[^1].Shape[^1]));
        Forward = new ForwardModel(g.Build(), "input", "logits", sampleShape,
            [.. parameters.Select(p => new ModelParameter(p.Name, p.Shape))], t => t);
        Parameters = new TensorBlock(Forward.Parameters);
        for (var i = 0; i < parameters.Length; i++)
            parameters[i].Values.CopyTo(Parameters[i]);
    }

    public ForwardModel Forward { get; }

    public TensorBlock Parameters { get; }

    public void Dispose() => Parameters.Dispose();
}
