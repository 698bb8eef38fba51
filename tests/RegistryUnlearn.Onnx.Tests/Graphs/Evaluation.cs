using Google.Protobuf;
using Microsoft.ML.OnnxRuntime;
using Microsoft.ML.OnnxRuntime.Tensors;
using RegistryUnlearn.Onnx.Graphs;
using RegistryUnlearn.Onnx.Proto;
using RegistryUnlearn.Onnx.Runtime;

namespace RegistryUnlearn.Onnx.Tests.Graphs;

/// <summary>An array with a shape; elements are float, long, int or bool.</summary>
sealed record Tensor(Array Values, params long[] Shape)
{
    public static Tensor Of(params float[] values) => new(values, values.Length);

    public static Tensor Scalar(float value) => new(new[] { value });

    public static Tensor Matrix(int columns, params float[] values) => new(values, values.Length / columns, columns);

    public static Tensor Labels(params long[] values) => new(values, values.Length);

    public float[] Floats => (float[])Values;

    public OrtValue ToOrt() => Values switch
    {
        float[] v => OrtValue.CreateTensorValueFromMemory(v, Shape),
        long[] v => OrtValue.CreateTensorValueFromMemory(v, Shape),
        int[] v => OrtValue.CreateTensorValueFromMemory(v, Shape),
        _ => OrtValue.CreateTensorValueFromMemory((bool[])Values, Shape),
    };
}

/// <summary>A built model in ONNX Runtime: names and tensors in, names and float tensors out.</summary>
sealed class Evaluation : IDisposable
{
    readonly SessionOptions options = OrtRuntime.NewOptions();
    readonly InferenceSession session;

    /// <param name="domains">Operator domains that the model may use besides the standard one.</param>
    public Evaluation(ModelProto model, params string[] domains)
    {
        Assert.All(model.Graph.Node, n => Assert.True(n.Domain is "" or "ai.onnx" || domains.Contains(n.Domain), n.Domain));
        session = new InferenceSession(model.ToByteArray(), options);
    }

    public Dictionary<string, Tensor> Run(IReadOnlyDictionary<string, Tensor> inputs)
    {
        var feeds = inputs.ToDictionary(i => i.Key, i => i.Value.ToOrt());
        using var run = new RunOptions();
        using var results = session.Run(run, feeds, session.OutputNames);
        var outputs = session.OutputNames.Zip(results).ToDictionary(r => r.First, r => Read(r.Second));
        foreach (var feed in feeds.Values)
            feed.Dispose();
        return outputs;
    }

    /// <summary>Builds the graph with the given values as its outputs, runs it once and returns them in order.</summary>
    public static Tensor[] Once(GraphBuilder graph, IReadOnlyDictionary<string, Tensor> inputs, params Value[] values)
    {
        for (var i = 0; i < values.Length; i++)
            graph.Output($"result-{i}", values[i]);
        using var evaluation = new Evaluation(graph.Build());
        var outputs = evaluation.Run(inputs);
        return [.. values.Select((_, i) => outputs[$"result-{i}"])];
    }

    static Tensor Read(OrtValue value)
    {
        var info = value.GetTensorTypeAndShape();
        return info.ElementDataType is TensorElementType.Float
            ? new(value.GetTensorDataAsSpan<float>().ToArray(), info.Shape)
            : new(value.GetTensorDataAsSpan<long>().ToArray(), info.Shape);
    }

    public void Dispose()
    {
        session.Dispose();
        options.Dispose();
    }
}
