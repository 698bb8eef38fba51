using RegistryUnlearn.Cli.Tests.Support;
using RegistryUnlearn.Onnx.Graphs;
using RegistryUnlearn.Onnx.Proto;
using static RegistryUnlearn.Cli.Tests.Support.Make;

namespace RegistryUnlearn.Cli.Tests;

/// <summary>Models exported for one batch size, as exporters freeze it, beside the same models exported for any.</summary>
public sealed class FixedBatchTests
{
    const int Features = 6, Classes = 3;

    /// <summary>A linear model with a number of its own for each of the four samples of a batch: it has no meaning for others.</summary>
    internal static ModelProto Fixed
    {
        get
        {
            var model = Model(Value("x", "4", "2"), Value("logits", "4", "3"), Node("Gemm", ["x", "w"], "z", ("transB", 1)),
                Node("Add", ["z", "own"], "logits"));
            model.Graph.Initializer.Add([Tensor("w", [3, 2], new float[6]), Tensor("own", [4, 3], new float[12])]);
            return model;
        }
    }

    // The network on x, given the batch size where it was frozen.
    static readonly Dictionary<string, Func<GraphBuilder, Value, long?, Value>> Networks = new()
    {
        ["nothing frozen"] = (g, x, _) => Head(g, x, Features),
        ["flattened"] = (g, x, n) => Head(g, g.Reshape(g.Reshape(x, n ?? 0, 2, 3), n ?? 0, -1), Features),
        ["reshaped whole"] = (g, x, n) => Head(g, g.Reshape(g.Reshape(x, n ?? -1, 2, 3), n ?? -1, Features), Features),
        ["token in front"] = (g, x, n) =>
        {
            var token = g.Initializer("token", Tensors.Of((ReadOnlySpan<float>)[0.3f, -0.2f, 0.5f], 1, 1, 3));
            var rows = n is null ? g.Expand(token, g.Concat([g.Slice(g.Shape(x), [0], [1], [0], [1]), g.Ints(1, 3)], 0)) : token;
            return Head(g, g.Reshape(g.Concat([rows, g.Reshape(x, n ?? 0, 2, 3)], 1), n ?? 0, 9), 9);
        },
        ["expanded"] = (g, x, n) =>
        {
            var shift = g.Initializer("shift", Tensors.Of((ReadOnlySpan<float>)[0.3f, -0.2f, 0.5f, 1, 2, 3], 1, Features));
            var shape = n is { } size ? g.Ints(size, Features) : g.Shape(x);
            return Head(g, g.Mul(x, g.Expand(shift, shape)), Features);
        },
    };

    static Value Head(GraphBuilder g, Value rows, int width) => g.MatMul(g.Tanh(rows), g.Initializer("w", Tensors.Of(
        (ReadOnlySpan<float>)[.. Enumerable.Range(0, width * Classes).Select(i => MathF.Sin(1 + i))], width, Classes)));

    static ModelProto Export(string network, long? batch)
    {
        var g = new GraphBuilder(17);
        var x = g.Input("x", TensorType.Float(batch is { } n ? n : "N", Features));
        g.Output("logits", Networks[network](g, x, batch), TensorType.Float(batch is { } m ? m : "N", Classes));
        return g.Build();
    }

    public static TheoryData<string, long> Cases => new(
        from network in Networks.Keys
        from batch in new[] { 1L, 8 }
        where network != "token in front" || batch == 1
        select (network, batch));

    [Theory, MemberData(nameof(Cases))]
    public async Task A_batch_that_was_frozen_is_freed(string network, long batch)
    {
        using var work = new Workspace().Write("fixed.onnx", Export(network, batch)).Write("free.onnx", Export(network, null)).Write(
            "batch.npz", Floats("input", [5, Features], [.. Enumerable.Range(0, 5 * Features).Select(i => MathF.Cos(i))]),
            Longs("labels", [5], 0, 2, 1, 1, 0));
        foreach (var name in new[] { "fixed", "free" })
        {
            var outcome = await work.RunAsync($"inspect gradients {{{name}.onnx}} --batch {{batch.npz}} --out {{{name}.npz}}");
            Assert.Equal((0, ""), (outcome.Code, outcome.Error));
        }
        var (actual, expected) = (work.Read("fixed.npz"), work.Read("free.npz"));
        Assert.Equal(expected.Keys.Order(StringComparer.Ordinal), actual.Keys.Order(StringComparer.Ordinal));
        foreach (var (name, array) in expected)
        {
            float[] wanted = array.ToSingles(), got = actual[name].ToSingles();
            Assert.Equal(wanted.Length, got.Length);
            for (var i = 0; i < wanted.Length; i++) Assert.Equal(wanted[i], got[i], 1e-6f);
        }
    }

    [Fact]
    public async Task The_trained_model_keeps_its_own_batch()
    {
        using var work = new Workspace().Write("model.onnx", Export("flattened", 1)).Write("train.npz",
            Floats("x", [5, Features], [.. Enumerable.Range(0, 5 * Features).Select(i => MathF.Cos(i))]), Longs("y", [5], 0, 2, 1, 1, 0));
        var outcome = await work.RunAsync("train {model.onnx} --data {train.npz} --out {out.onnx}");
        Assert.Equal(0, outcome.Code);
        ModelProto before = ModelProto.Parser.ParseFrom(File.ReadAllBytes(work["model.onnx"])),
            after = ModelProto.Parser.ParseFrom(File.ReadAllBytes(work["out.onnx"]));
        Assert.Equal(before.Graph.Node, after.Graph.Node);
        Assert.Equal(before.Graph.Input, after.Graph.Input);
    }
}
