using System.Text.Json.Nodes;
using Google.Protobuf;
using RegistryUnlearn.Onnx.Graphs;
using RegistryUnlearn.Onnx.Proto;
using RegistryUnlearn.Registry;
using RegistryUnlearn.Unlearning.Data;

namespace RegistryUnlearn.Faults;

/// <summary>A registry with a two-layer network and forty samples: small enough to run a whole job many times.</summary>
static class TinyRegistry
{
    public const int Samples = 40;
    public const int Classes = 3;
    public const int Features = 6;

    /// <summary>Puts model and data into a store.</summary>
    public static async Task FillAsync(IObjectStore store, ModelProto? model = null, Action<float[]>? spoilInputs = null)
    {
        await store.TryCreateAsync("tiny/1/model.onnx", (model ?? Model()).ToByteArray());
        await store.TryCreateAsync("datasets/train.npz", Data("train", Samples, spoilInputs));
        await store.TryCreateAsync("datasets/holdout.npz", Data("holdout", Samples));
        await store.TryCreateAsync("datasets/test.npz", Data("test", Samples));
    }

    /// <summary>A request to forget four samples; the change may replace any part of it.</summary>
    public static string Request(Action<JsonObject>? change = null)
    {
        var request = JsonNode.Parse("""
            {
              "schemaVersion": 1, "model": "tiny@1", "seed": 5,
              "method": { "name": "finetune", "options": { "steps": 6, "batch": 8 } },
              "data": {
                "train": { "path": "datasets/train.npz" },
                "holdout": { "path": "datasets/holdout.npz" },
                "test": { "path": "datasets/test.npz" }
              },
              "forget": { "ids": ["train-3", "train-5", "train-8", "train-13"] },
              "retain": { "fraction": 0.5, "seed": 2 },
              "audit": { "gates": [] },
              "publish": { "parent": "keep", "alias": "production" }
            }
            """)!.AsObject();
        change?.Invoke(request);
        return request.ToJsonString();
    }

    public static ModelProto Model()
    {
        var rng = Rng.For(1, "model", 0);
        var g = new GraphBuilder(17);
        var x = g.Input("input", TensorType.Float("batch", Features));
        var hidden = g.Add("Relu", [g.Add("Gemm", [x, Weight("fc1.weight", Features, 8), Weight("fc1.bias", 8)])]);
        var logits = g.Add("Gemm", [hidden, Weight("fc2.weight", 8, Classes), Weight("fc2.bias", Classes)]);
        g.Output("logits", logits, TensorType.Float("batch", Classes));
        return g.Build();

        Value Weight(string name, params long[] shape)
        {
            var values = new float[shape.Aggregate(1L, (n, d) => n * d)];
            rng.FillNormal(values);
            return g.Initializer(name, Tensors.Of((ReadOnlySpan<float>)values, shape));
        }
    }

    /// <summary>
    /// Samples with ids such as train-3 and labels that depend on the first two features; every thirteenth is of the same person.
    /// </summary>
    public static byte[] Data(string name, int count, Action<float[]>? spoil = null)
    {
        var rng = Rng.For(2, name, 0);
        var inputs = new float[count * Features];
        rng.FillNormal(inputs);
        var labels = new long[count];
        for (var i = 0; i < count; i++)
            labels[i] = inputs[i * Features] > 0.5f ? 2 : inputs[i * Features + 1] > 0 ? 1 : 0;
        spoil?.Invoke(inputs);
        return Npz(
            NpyArray.Of<float>("x", [count, Features], inputs), NpyArray.Of<long>("y", [count], labels),
            NpyArray.OfStrings("id", [.. Enumerable.Range(0, count).Select(i => $"{name}-{i}")]),
            NpyArray.OfStrings("group", [.. Enumerable.Range(0, count).Select(i => $"person-{i % 13}")]));
    }

    public static byte[] Npz(params NpyArray[] arrays)
    {
        using var stream = new MemoryStream();
        using (var npz = new NpzWriter(stream, leaveOpen: true))
            foreach (var array in arrays)
                npz.Add(array);
        return stream.ToArray();
    }

    /// <summary>The files below a folder, by path.</summary>
    public static async Task<Dictionary<string, byte[]>> FilesAsync(IObjectStore store, string folder)
    {
        var files = new Dictionary<string, byte[]>();
        await foreach (var entry in store.ListAsync(folder))
            files[entry.Path] = (await store.ReadAsync(entry.Path))!.Content.ToArray();
        return files;
    }
}
