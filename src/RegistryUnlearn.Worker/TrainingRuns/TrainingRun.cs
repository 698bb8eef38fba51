using Microsoft.ML.OnnxRuntime;
using RegistryUnlearn.Onnx.Models;
using RegistryUnlearn.Training.Buffers;
using RegistryUnlearn.Training.Devices;
using RegistryUnlearn.Training.Engines;
using RegistryUnlearn.Training.Evaluation;
using RegistryUnlearn.Unlearning.Data;
using RegistryUnlearn.Unlearning.Methods;
using RegistryUnlearn.Unlearning.StopRules;
using RegistryUnlearn.Worker.Artifacts;
using RegistryUnlearn.Worker.Files;
using RegistryUnlearn.Worker.Models;

namespace RegistryUnlearn.Worker.TrainingRuns;

/// <param name="OptionsPath">JSON object with the options of the method <c>train</c>; null for its defaults.</param>
/// <param name="Test">Samples that are only measured.</param>
/// <param name="Seed">Decides the order of the samples.</param>
/// <param name="Engine">Computes the gradients.</param>
public sealed record TrainingRequest(
    string Model, string Data, string Out, string? OptionsPath, string? Test, Normalization Normalization, ulong Seed,
    LogitChoice Logits, ParameterPatterns? Patterns, EngineKind Engine = EngineKind.Portable);

/// <param name="Loss">Of the last step.</param>
/// <param name="Remaining">At the speed so far.</param>
public readonly record struct TrainingProgress(int Step, int Steps, float Loss, double StepsPerSecond, TimeSpan Remaining);

/// <param name="Options">With every default spelled out.</param>
/// <param name="Test">Null without test samples.</param>
public sealed record TrainingReport(
    int Steps, float FirstLoss, float LastLoss, double Seconds, Accuracy Train, Accuracy? Test, object Options,
    IReadOnlyList<TrainedParameter> Parameters, string Out);

/// <summary>
/// Share of samples whose largest logit is at their label, 0..1; where samples have a label per position, the mean of each sample's share.
/// </summary>
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
    /// <exception cref="DeviceException">This build does not have the engine.</exception>
    /// <exception cref="OperationCanceledException">Cancelled; nothing was written.</exception>
    public static TrainingReport Run(
        TrainingRequest request, TimeProvider clock, Action<TrainingProgress> progress, CancellationToken cancellation)
    {
        if (request.Engine is EngineKind.OrtTraining) OrtTrainingEngine.RequireAvailable();
        var method = MethodCatalog.Find(Method) ?? throw new InvalidOperationException($"there is no method {Method}");
        var options = ReadOptions(method, request.OptionsPath);
        var data = DataSet.Load(request.Data, new DataSetOptions { Normalization = request.Normalization });
        var test = request.Test is null ? null : DataSet.Load(request.Test, new DataSetOptions { Normalization = request.Normalization });
        using var model = ClassifierModel.Load(request.Model, request.Logits, request.Patterns, data);
        string?[] inputs = [request.Data, request.Test, request.OptionsPath];
        ModelOutput.RequireWritable(model, request.Out, inputs.OfType<string>());
        foreach (var set in new[] { data, test }.OfType<DataSet>()) model.RequireFits(set);

        using var artifacts = request.Engine is EngineKind.OrtTraining
            ? OnnxModelException.In(request.Model, () => new TemporaryArtifacts(model)) : null;
        var task = new UnlearningTask(
            model.Forward, model.Initial, model.Classes, null, data.All("training"), null, null, request.Seed)
        {
            Engine = artifacts is null ? null : (p, g) => new OrtTrainingEngine(artifacts.Files, model.Forward, p, g),
        };
        var before = Measure(model.Initial);
        using var run = OnnxModelException.In(request.Model, () => method.Start(task, options));
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
        var result = run.Result;
        var after = Measure(result);
        cancellation.ThrowIfCancellationRequested();
        ModelOutput.Write(model, result, request.Out);
        return new(
            run.Steps, run.Traces[0].RememberLoss, run.Traces[^1].RememberLoss, seconds,
            new(data.Count, before.Train, after.Train), test is null ? null : new(test.Count, before.Test, after.Test), options,
            [.. model.Selection.Trainable.Select(p => new TrainedParameter(p.Name, p.Shape, p.Why))], request.Out);

        (double Train, double Test) Measure(TensorBlock parameters) => OnnxModelException.In(request.Model, () =>
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

    /// <exception cref="InputException">ONNX Runtime refused the samples, such as tokens that the model has no embedding for.</exception>
    static double AccuracyOf(Evaluator evaluator, DataSet data, ClassifierModel model)
    {
        var source = SampleSource.Of(data.All("measured"));
        try
        {
            return LogitScores.Of(evaluator, source, model.Classes).Accuracy(source.Labels);
        }
        catch (OnnxRuntimeException e)
        {
            throw new InputException(data.File, $"the model does not run on these samples: {e.Message}", e);
        }
    }
}
