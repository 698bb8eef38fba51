using RegistryUnlearn.Onnx.Models;
using RegistryUnlearn.Onnx.Proto;
using RegistryUnlearn.Training.Buffers;
using RegistryUnlearn.Training.Evaluation;
using RegistryUnlearn.Unlearning.Data;
using RegistryUnlearn.Unlearning.Methods;
using RegistryUnlearn.Worker.Files;
using RegistryUnlearn.Worker.Models;

namespace RegistryUnlearn.Worker.TrainingRuns;

/// <param name="OptionsPath">JSON object with the options of the method <c>train</c>; null for its defaults.</param>
/// <param name="Test">Samples that are only measured.</param>
/// <param name="Seed">Decides the order of the samples.</param>
public sealed record TrainingRequest(
    string Model, string Data, string Out, string? OptionsPath, string? Test, Normalization Normalization, ulong Seed,
    LogitChoice Logits, ParameterPatterns? Patterns);

/// <param name="Loss">Of the last step.</param>
/// <param name="Remaining">At the speed so far.</param>
public readonly record struct TrainingProgress(int Step, int Steps, float Loss, double StepsPerSecond, TimeSpan Remaining);

/// <param name="Options">With every default spelled out.</param>
/// <param name="Test">Null without test samples.</param>
public sealed record TrainingReport(
    int Steps, float FirstLoss, float LastLoss, double Seconds, Accuracy Train, Accuracy? Test, object Options,
    IReadOnlyList<TrainedParameter> Parameters, string Out);

/// <summary>Share of samples whose largest logit is at their label, 0..1.</summary>
public sealed record Accuracy(int Samples, double Before, double After);

public sealed record TrainedParameter(string Name, IReadOnlyList<long> Shape, string Why);

/// <summary>Trains a model on samples by the method <c>train</c> and writes the same model with the new parameters.</summary>
public static class TrainingRun
{
    const string Method = "train";

    /// <param name="progress">Called after every step.</param>
    /// <exception cref="InputException">Options or paths that cannot be used.</exception>
    /// <exception cref="OnnxModelException">The model cannot be trained here.</exception>
    /// <exception cref="DataException">The data cannot be used.</exception>
    /// <exception cref="DivergedException">Training did not stay finite.</exception>
    /// <exception cref="OperationCanceledException">Cancelled; nothing was written.</exception>
    public static TrainingReport Run(
        TrainingRequest request, TimeProvider clock, Action<TrainingProgress> progress, CancellationToken cancellation)
    {
        var method = MethodCatalog.Find(Method) ?? throw new InvalidOperationException($"there is no method {Method}");
        var options = ReadOptions(method, request.OptionsPath);
        var data = DataSet.Load(request.Data, new DataSetOptions { Normalization = request.Normalization });
        var test = request.Test is null ? null : DataSet.Load(request.Test, new DataSetOptions { Normalization = request.Normalization });
        using var model = ClassifierModel.Load(
            request.Model, request.Logits, request.Patterns, [.. data.SampleShape.Select(d => (long)d)]);
        string?[] inputs = [request.Data, request.Test, request.OptionsPath];
        ModelOutput.RequireWritable(model, request.Out, inputs.OfType<string>());
        foreach (var set in new[] { data, test }.OfType<DataSet>()) RequireFits(set, model);

        var task = new UnlearningTask(
            model.Forward, model.Initial, model.Classes, null, data.All("training"), null, null, request.Seed);
        var before = Measure(model.Initial);
        using var run = ClassifierModel.InFile(request.Model, () => method.Start(task, options));
        var start = clock.GetTimestamp();
        while (!run.IsDone)
        {
            cancellation.ThrowIfCancellationRequested();
            run.Advance();
            var elapsed = clock.GetElapsedTime(start);
            var speed = run.Step / Math.Max(elapsed.TotalSeconds, 1e-9);
            progress(new(run.Step, run.Steps, run.Traces[^1].RememberLoss, speed, TimeSpan.FromSeconds((run.Steps - run.Step) / speed)));
        }
        var seconds = clock.GetElapsedTime(start).TotalSeconds;
        var after = Measure(run.Result);
        cancellation.ThrowIfCancellationRequested();
        ModelOutput.Write(model, run.Result, request.Out);
        return new(
            run.Steps, run.Traces[0].RememberLoss, run.Traces[^1].RememberLoss, seconds,
            new(data.Count, before.Train, after.Train), test is null ? null : new(test.Count, before.Test, after.Test), options,
            [.. model.Selection.Trainable.Select(p => new TrainedParameter(p.Name, p.Shape, p.Why))], request.Out);

        (double Train, double Test) Measure(TensorBlock parameters) => ClassifierModel.InFile(request.Model, () =>
        {
            using var evaluator = Evaluator.Frozen(model.Forward, parameters);
            return (AccuracyOf(evaluator, data, model), test is null ? 0 : AccuracyOf(evaluator, test, model));
        });
    }

    static object ReadOptions(IUnlearningMethod method, string? path)
    {
        var errors = new List<string>();
        using var document = path is null ? null : JsonFile.Parse(path);
        var reader = new OptionReader(document?.RootElement ?? default, "options", errors);
        var options = method.ReadOptions(reader);
        reader.Finish();
        return errors.Count == 0 ? options : throw new InputException(path!, errors);
    }

    static void RequireFits(DataSet data, ClassifierModel model)
    {
        if (model.Forward.InputElement is not TensorProto.Types.DataType.Float)
            throw new OnnxModelException(model.File.Path, $"input '{model.Contract.InputName}'",
                "takes token indices; training from data sets of numbers needs a float input", "Choose a model with a float input");
        if (!data.SampleShape.Select(d => (long)d).SequenceEqual(model.Forward.SampleShape))
            throw new InputException(data.File, $"samples have shape ({string.Join(", ", data.SampleShape)}), "
                + $"the model takes ({string.Join(", ", model.Forward.SampleShape)}); choose the data set that the model belongs to");
        data.RequireClasses(model.Classes);
    }

    static double AccuracyOf(Evaluator evaluator, DataSet data, ClassifierModel model)
    {
        var classes = model.Classes;
        var source = SampleSource.Of(data.All("measured"));
        var logits = new float[checked(data.Count * classes)];
        evaluator.Logits(data.Count, source.FillFrom, logits);
        var right = 0;
        for (var i = 0; i < data.Count; i++)
            if (System.Numerics.Tensors.TensorPrimitives.IndexOfMax<float>(logits.AsSpan(i * classes, classes)) == data.Labels[i]) right++;
        return (double)right / data.Count;
    }
}
