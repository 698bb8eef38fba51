using System.Numerics.Tensors;
using RegistryUnlearn.Onnx.Graphs;
using RegistryUnlearn.SampleMaker;
using RegistryUnlearn.Training.Buffers;
using RegistryUnlearn.Training.Evaluation;
using RegistryUnlearn.Unlearning.Data;
using RegistryUnlearn.Unlearning.Methods;
using RegistryUnlearn.Unlearning.Methods.Train;
using RegistryUnlearn.Unlearning.Runs;
using RegistryUnlearn.Unlearning.StopRules;

namespace RegistryUnlearn.Benchmarks.Unlearning;

/// <summary>Networks for handwritten digits, trained in seconds, and what they say of samples.</summary>
static class DigitsLab
{
    static readonly TrainOptions Recipe =
        new(Epochs: 60, Batch: 32, new(OptimizerKind.Adamw, 0.003f, 0.9f, 0, Schedule.Cosine));

    public static Digit[] ReadAll() => Digit.ReadAll(Path.Combine(AppContext.BaseDirectory, "digits.csv.gz"));

    /// <param name="sampleShape">Of 64 values.</param>
    public static DataSet Data(Digit[] digits, long[] labels, params long[] sampleShape) => DataSet.From(
        NpyArray.Of<byte>("x", [digits.Length, .. sampleShape], digits.SelectMany(d => d.Pixels).ToArray()),
        NpyArray.Of<long>("y", [digits.Length], labels), normalization: new(Digit.Brightest, [0], [1]));

    /// <summary>From new parameters.</summary>
    public static TensorBlock Train(ForwardModel model, Subset samples, ulong seed)
    {
        using var initial = new TensorBlock(model.Parameters);
        for (var i = 0; i < initial.TensorCount; i++)
        {
            if (model.Parameters[i].Shape is not { Count: > 1 } shape)
                continue;
            Rng.For(seed, "safety/initial", i).FillNormal(initial[i]);
            // Dense layers keep outputs first; what is multiplied from the left keeps them last.
            var fanIn = model.Uses.First(u => u.Parameter == i).Operator is "MatMul"
                ? shape[0] : model.Parameters[i].Count / shape[0];
            TensorPrimitives.Multiply(initial[i], MathF.Sqrt(1f / fanIn), initial[i]);
        }
        var task = new UnlearningTask(model, initial, Networks.Classes, null, samples, null, samples.Count, seed);
        using var run = new TrainMethod().Start(task, Recipe);
        while (!run.IsDone)
            run.Advance();
        return run.Result.Clone();
    }

    /// <summary>Percent.</summary>
    public static double Accuracy(ForwardModel model, TensorBlock parameters, Subset samples)
    {
        var (logits, labels) = Logits(model, parameters, samples);
        return 100.0 * labels.Select((label, i) => TensorPrimitives.IndexOfMax(Row(logits, i)) == label ? 1 : 0).Average();
    }

    /// <summary>Mean logit-scaled confidence, cut at ±20, where float32 ends.</summary>
    public static double Confidence(ForwardModel model, TensorBlock parameters, Subset samples)
    {
        var (logits, labels) = Logits(model, parameters, samples);
        return labels.Select((label, i) =>
            Math.Clamp(LogitScores.Confidence(Row(logits, i), (int)label), -20, 20)).Average();
    }

    static ReadOnlySpan<float> Row(float[] logits, int i) => logits.AsSpan(i * Networks.Classes, Networks.Classes);

    static (float[] Logits, long[] Labels) Logits(ForwardModel model, TensorBlock parameters, Subset samples)
    {
        using var evaluator = Evaluator.Frozen(model, parameters);
        var source = SampleSource.Of(samples);
        var logits = new float[source.Count * Networks.Classes];
        evaluator.Logits(source.Count, source.FillFrom, logits);
        return (logits, source.Labels);
    }
}
