using Google.Protobuf;
using RegistryUnlearn.Onnx.Graphs;
using RegistryUnlearn.Onnx.Proto;
using RegistryUnlearn.Registry;
using RegistryUnlearn.Unlearning.Data;

namespace RegistryUnlearn.Worker.Tests.Jobs;

/// <summary>
/// A language model of eight words that knows the word before: tokens int64 [N, T] to logits [N, T, 8]; and sentences that it learns, in
/// which the word after next follows from the word, but for some that say otherwise. Sentences are padded behind their words.
/// </summary>
static class TextRegistry
{
    public const int Length = 6, Words = 8, Width = 6;

    public static ModelProto Model(bool tokensAsInt32 = false)
    {
        var g = new GraphBuilder(17);
        var element = tokensAsInt32 ? TensorProto.Types.DataType.Int32 : TensorProto.Types.DataType.Int64;
        var tokens = g.Input("tokens", new(element, ["batch", "length"]));
        var embedding = g.Initializer("embedding", Tensors.Of((ReadOnlySpan<float>)Wave(Words * Width, 0.9f), Words, Width));
        var head = g.Initializer("head", Tensors.Of((ReadOnlySpan<float>)Wave(Width * Words, 1.7f), Width, Words));
        g.Output("logits", g.MatMul(g.Tanh(g.Gather(embedding, tokens, 0)), head), TensorType.Float("batch", "length", Words));
        return g.Build();
    }

    static float[] Wave(int count, float rate) => [.. Enumerable.Range(0, count).Select(i => 0.5f * MathF.Sin(rate * (i + 1)))];

    /// <summary>Sentence i: six words, of which the last i mod 3 are padding; wrong sentences go backwards.</summary>
    public static (long[] Tokens, long[] Labels) Sentences(int from, int count, Func<int, bool> wrong)
    {
        var (tokens, labels) = (new long[count * Length], new long[count * Length]);
        for (var i = 0; i < count; i++)
            for (var t = 0; t < Length; t++)
            {
                var word = (from + i * 3 + t) % Words;
                var padded = t >= Length - (from + i) % 3;
                tokens[i * Length + t] = padded ? 0 : word;
                labels[i * Length + t] = padded ? -100 : (word + (wrong(i) ? Words - 1 : 1)) % Words;
            }
        return (tokens, labels);
    }

    public static byte[] Set(int from, int count, Func<int, bool> wrong)
    {
        var (tokens, labels) = Sentences(from, count, wrong);
        using var stream = new MemoryStream();
        using (var npz = new NpzWriter(stream, leaveOpen: true))
        {
            npz.Add<long>("x", [count, Length], tokens);
            npz.Add<long>("y", [count, Length], labels);
        }
        return stream.ToArray();
    }

    /// <summary>Fills a registry with the model, forty sentences of which the first four are wrong, and others.</summary>
    public static async Task FillAsync(IObjectStore store, byte[]? model = null)
    {
        await Put("words/1/model.onnx", model ?? Model().ToByteArray());
        await Put("datasets/train.npz", Set(0, 40, i => i < 4));
        await Put("datasets/holdout.npz", Set(1, 20, _ => false));
        await Put("datasets/test.npz", Set(2, 20, _ => false));

        async Task Put(string path, byte[] content) => await store.TryCreateAsync(path, content);
    }

    const string Holdout = ", \"holdout\": {\"path\": \"datasets/holdout.npz\"}";

    public static string Request(string method, string options = "{}", string holdout = Holdout) => $$"""
        {
          "schemaVersion": 1, "model": "words@1", "seed": 3,
          "method": {"name": "{{method}}", "options": {{options}}},
          "data": {"train": {"path": "datasets/train.npz"} {{holdout}}, "test": {"path": "datasets/test.npz"} },
          "forget": {"ids": ["0", "1", "2", "3"]}, "retain": {"fraction": 0.5, "seed": 1}, "audit": {"gates": []}
        }
        """;
}
