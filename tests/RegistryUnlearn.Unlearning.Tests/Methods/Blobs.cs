using RegistryUnlearn.Onnx.Graphs;
using RegistryUnlearn.Training.Buffers;
using RegistryUnlearn.Training.Evaluation;
using RegistryUnlearn.Unlearning.Data;
using RegistryUnlearn.Unlearning.Methods;
using RegistryUnlearn.Unlearning.Methods.Train;
using RegistryUnlearn.Unlearning.Runs;
using RegistryUnlearn.Unlearning.StopRules;

namespace RegistryUnlearn.Unlearning.Tests.Methods;

/// <summary>
/// Noisy 8×8 images of a spot whose place is the class, and a small convolution network that was trained on 120 of them, of which the
/// first 12 have wrong labels that it memorised. Made once.
/// </summary>
static class Blobs
{
    public const int Classes = 3, Wrong = 12, Trained = 120, Held = 60;
    const int Side = 8;

    static readonly Lazy<(DataSet Data, TinyModel Model)> Made = new(Make);

    public static DataSet Data => Made.Value.Data;

    public static TinyModel Model => Made.Value.Model;

    public static Subset Forget => Data.Rows(0, Wrong, "forget");

    public static Subset Retained => Data.Rows(Wrong, Wrong + 40, "retained");

    public static Subset Holdout => Data.Rows(Trained, Trained + Held, "holdout");

    public static UnlearningTask Task(ulong seed = 1, bool holdout = true) =>
        new(Model.Forward, Model.Parameters, Classes, Forget, Retained, holdout ? Holdout : null, Trained, seed);

    public static double Accuracy(TensorBlock parameters, Subset subset)
    {
        using var evaluator = Evaluator.Live(Model.Forward, parameters);
        var source = SampleSource.Of(subset);
        return LogitScores.Of(evaluator, source, Classes).Accuracy(source.Labels);
    }

    static (DataSet, TinyModel) Make()
    {
        var data = Draw();
        using var start = Network();
        using var run = new TrainMethod().Start(
            new(start.Forward, start.Parameters, Classes, null, data.Rows(0, Trained, "retained"), null, null, 3),
            new TrainOptions(60, 30, new(OptimizerKind.Adamw, 0.01f, 0.9f, 0, Schedule.Cosine)));
        while (!run.IsDone)
            run.Advance();
        var trained = Network();
        trained.Parameters.CopyFrom(run.Result);
        return (data, trained);
    }

    static DataSet Draw()
    {
        var rng = Rng.For(7, "blobs", 0);
        var inputs = new float[(Trained + Held) * Side * Side];
        var labels = new long[Trained + Held];
        rng.FillNormal(inputs);
        for (var i = 0; i < labels.Length; i++)
        {
            var image = inputs.AsSpan(i * Side * Side, Side * Side);
            var place = i % Classes;
            var row = (place is 2 ? 4 : 1) + rng.NextInt32(2);
            var column = (place is 0 ? 0 : place is 1 ? 4 : 2) + rng.NextInt32(2);
            foreach (ref var pixel in image)
                pixel *= 0.35f;
            for (var p = 0; p < 4; p++)
                image[((row + (p / 2)) * Side) + column + (p % 2)] += 1;
            labels[i] = i < Wrong ? (place + 1) % Classes : place;
        }
        return Tiny.Data(inputs, [1, Side, Side], labels);
    }

    static TinyModel Network()
    {
        var rng = Rng.For(8, "network", 0);
        return new([1, Side, Side], null, (g, x, at) =>
        {
            var conv = g.Add("Relu", [g.Add("Conv", [x, at("conv.weight"), at("conv.bias")], Attributes.Of("pads", [1L, 1, 1, 1]))]);
            var pooled = g.Add("MaxPool", [conv], Attributes.Of("kernel_shape", [2L, 2]), Attributes.Of("strides", [2L, 2]));
            var hidden = g.Add("Relu", [g.Add("Gemm", [g.Add("Flatten", [pooled]), at("fc1.weight"), at("fc1.bias")])]);
            return g.Add("Gemm", [hidden, at("fc2.weight"), at("fc2.bias")]);
        },
        Normal("conv.weight", 9, 6, 1, 3, 3), ("conv.bias", [6], new float[6]), Normal("fc1.weight", 96, 96, 24),
            ("fc1.bias", [24], new float[24]),
        Normal("fc2.weight", 24, 24, Classes), ("fc2.bias", [Classes], new float[Classes]));

        (string, long[], float[]) Normal(string name, int fanIn, params long[] shape)
        {
            var values = new float[shape.Aggregate(1L, (n, d) => n * d)];
            rng.FillNormal(values);
            return (name, shape, [.. values.Select(v => v * MathF.Sqrt(2f / fanIn))]);
        }
    }
}
