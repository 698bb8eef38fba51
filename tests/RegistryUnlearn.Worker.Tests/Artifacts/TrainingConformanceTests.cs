using System.Numerics.Tensors;
using RegistryUnlearn.Onnx.Losses;
using RegistryUnlearn.Onnx.Models;
using RegistryUnlearn.Onnx.Steps;
using RegistryUnlearn.Onnx.TrainingArtifacts;
using RegistryUnlearn.Training.Buffers;
using RegistryUnlearn.Training.Optimizers;
using RegistryUnlearn.Training.Runtime;
using RegistryUnlearn.Worker.Artifacts;
using RegistryUnlearn.Worker.Models;

namespace RegistryUnlearn.Worker.Tests.Artifacts;

/// <summary>The official ONNX Runtime Training engine trains on our artifacts as our own engine does on the model.</summary>
public sealed class TrainingConformanceTests : IDisposable
{
    const int Steps = 5, Batch = 4;

    /// <summary>The engine's own, which its JavaScript interface cannot change.</summary>
    const float LearningRate = 1e-3f;

    readonly DirectoryInfo folder = Directory.CreateTempSubdirectory("registry-unlearn-engine-");

    string this[string name] => Path.Combine(folder.FullName, name);

    [Theory]
    [InlineData("mlp", OrtOptimizer.AdamW)]
    [InlineData("mlp", OrtOptimizer.Sgd)]
    [InlineData("cnn", OrtOptimizer.AdamW)]
    [InlineData("resnet", OrtOptimizer.AdamW)]
    [InlineData("vit", OrtOptimizer.AdamW)]
    public async Task Trains_as_our_engine_does(string network, OrtOptimizer optimizer)
    {
        var (proto, _) = SmallNetworks.Of(network);
        ModelFile.Write(proto, this["model.onnx"]);
        await CompareAsync(this["model.onnx"], optimizer);
    }

    [Theory]
    [InlineData("mlp")]
    [InlineData("cnn")]
    [InlineData("resnet")]
    [InlineData("textcnn")]
    [InlineData("vit")]
    public Task Trains_exported_networks_as_our_engine_does(string network) =>
        CompareAsync(Path.Combine(Repository.Shared($"fixtures/gradients/{network}"), "model.onnx"), OrtOptimizer.AdamW);

    async Task CompareAsync(string modelPath, OrtOptimizer kind)
    {
        TrainingEngine.Require();
        ArtifactBuilder.Build(modelPath, this["artifacts"], new() { Optimizer = kind });
        using var model = ClassifierModel.Load(modelPath);
        var batches = Enumerable.Range(0, Steps).Select(i => new SeededBatch(model, i)).ToArray();
        var official = Assert.Single(await TrainingEngine.RunAsync(folder.FullName,
            [new(Train: this["artifacts"], Steps: [.. batches.Select(b => b.Feeds(model))])]));
        Assert.Null(official.Error);

        using var parameters = model.Initial.Clone();
        using var gradients = new TensorBlock(model.Forward.Parameters);
        using IOptimizer optimizer = kind is OrtOptimizer.Sgd
            ? new SgdMomentum(model.Forward.Parameters, 0) : new AdamW(model.Forward.Parameters);
        using var session = new GraphSession(StepGraph.FirstOrder(model.Forward, (g, prefix, logits) =>
            ClassificationLosses.CrossEntropy(g, logits, model.AddLabels(g, prefix + "labels", prefix + "batch"), model.Classes)));
        using var step = new BoundStep(session, _ => Batch, parameters, gradients);
        var rounding = new HashSet<(int, int)>();
        for (var i = 0; i < Steps; i++)
        {
            batches[i].CopyTo(step);
            step.Run();
            Assert.Equal(step.Scalar(StepGraph.Loss), Assert.Single(official.Outputs![i]["loss"].Floats()), 1e-5);
            for (var p = 0; i == 0 && p < gradients.TensorCount; p++)
                Near(gradients[p], official.Outputs[0]["gradof::" + model.Forward.Parameters[p].Name].Floats(), "gradient", p);
            rounding.UnionWith(Smallest(gradients));
            optimizer.Step(parameters, gradients, LearningRate);
        }
        step.Run();
        Assert.Equal(step.Scalar(StepGraph.Loss), Assert.Single(official.Outputs![Steps]["loss"].Floats()), 1e-5);
        var trained = official.Parameters!.Floats();
        var start = 0;
        for (var p = 0; p < parameters.TensorCount; p++)
        {
            Near(parameters[p], trained.AsSpan(start, parameters[p].Length), "parameter", p);
            start += parameters[p].Length;
        }
        Assert.Equal(trained.Length, start);

        void Near(ReadOnlySpan<float> ours, ReadOnlySpan<float> theirs, string what, int p)
        {
            Assert.Equal(ours.Length, theirs.Length);
            for (var e = 0; e < ours.Length; e++)
                Assert.True(
                    Math.Abs(ours[e] - theirs[e])
                        <= (rounding.Contains((p, e)) ? Steps * 2 * LearningRate : 1e-5 * Math.Max(1, Math.Abs(ours[e]))),
                    $"{what} '{model.Forward.Parameters[p].Name}'[{e}] is {ours[e]} here and {theirs[e]} in the official engine");
        }
    }

    /// <summary>
    /// Elements whose gradient is no more than rounding, such as that of an attention's key bias, which is zero: Adam makes whole steps
    /// out of it, in whichever direction.
    /// </summary>
    static IEnumerable<(int Tensor, int Element)> Smallest(TensorBlock gradients)
    {
        var largest = TensorPrimitives.MaxMagnitude<float>(gradients.Part(0, (int)gradients.Length));
        for (var p = 0; p < gradients.TensorCount; p++)
            for (var e = 0; e < gradients[p].Length; e++)
                if (Math.Abs(gradients[p][e]) < 1e-6f * Math.Abs(largest)) yield return (p, e);
    }

    /// <summary>Samples and labels that a seed determines.</summary>
    sealed class SeededBatch
    {
        readonly float[]? floats;
        readonly long[]? tokens;
        readonly long[] labels, shape;

        public SeededBatch(ClassifierModel model, int seed)
        {
            var random = new Random(100 + seed);
            shape = [Batch, .. model.Forward.SampleShape];
            var count = shape.Aggregate(1L, (n, d) => n * d);
            if (model.Contract.InputType is Onnx.Proto.TensorProto.Types.DataType.Int64)
                tokens = [.. Enumerable.Range(0, (int)count).Select(_ => (long)random.Next(20))];
            else
                floats = [.. Enumerable.Range(0, (int)count).Select(_ => random.NextSingle() * 2 - 1)];
            labels = [.. Enumerable.Range(0, Batch).Select(_ => (long)random.Next(model.Classes))];
        }

        public Dictionary<string, EngineTensor> Feeds(ClassifierModel model) => new()
        {
            [model.Contract.InputName] = tokens is null ? EngineTensor.Of(shape, floats!) : EngineTensor.Of(shape, tokens),
            ["labels"] = EngineTensor.Of([Batch], labels),
        };

        public void CopyTo(BoundStep step)
        {
            if (tokens is null) floats.CopyTo(step["input"].Floats);
            else tokens.CopyTo(step["input"].Longs);
            labels.CopyTo(step["labels"].Longs);
        }
    }

    public void Dispose() => folder.Delete(recursive: true);
}
