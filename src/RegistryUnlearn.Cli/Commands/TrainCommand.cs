using System.CommandLine;
using System.CommandLine.Parsing;
using System.Globalization;
using RegistryUnlearn.Cli.Output;
using RegistryUnlearn.Training.Engines;
using RegistryUnlearn.Unlearning.Data;
using RegistryUnlearn.Worker.TrainingRuns;

namespace RegistryUnlearn.Cli.Commands;

static class TrainCommand
{
    const string OrtTraining = "ort-training";

    public static Command Create(CommandHost host)
    {
        var model = CommonOptions.Model();
        var data = CommonOptions.File("--data", "train.npz", "Training samples: arrays x and y.");
        var output = CommonOptions.File("--out", "model.onnx", "The trained model; another path than the model's own.");
        var options = new Option<string?>("--method-options")
        {
            Description = "JSON object: epochs, batch, optimizer, learningRate, momentum, weightDecay, schedule.",
            HelpName = "file",
        };
        var scale = new Option<float>("--scale")
        {
            Description = "Samples are divided by this number first.",
            HelpName = "number",
            DefaultValueFactory = _ => 1,
        };
        var mean = Numbers("--mean", "Then this is subtracted: one number, or one per channel, separated by commas. Default: 0.");
        var std = Numbers("--std", "Then they are divided by this: as many numbers as means. Default: 1.");
        var seed = new Option<ulong>("--seed") { Description = "Decides the order of the samples.", HelpName = "n" };
        var test = new Option<string?>("--test") { Description = "Samples that are only measured.", HelpName = "test.npz" };
        var engine = CommonOptions.Choice("--engine", "What computes gradients; ort-training needs a build with "
            + "-p:OnnxRuntimeFlavor=Training.", "portable", OrtTraining);
        var logits = CommonOptions.Logits();
        var classAxis = CommonOptions.ClassAxis();
        Option<string[]> include = CommonOptions.Include(), exclude = CommonOptions.Exclude();
        var command = new Command("train", "Train a model on samples and write the same model with the new parameters.")
        {
            model, data, output, options, scale, mean, std, seed, test, logits, classAxis, include, exclude, CommonOptions.Device, engine,
        };
        return host.Run(command, (parsed, cancellation) =>
        {
            float[] means = parsed.GetValue(mean) ?? [], deviations = parsed.GetValue(std) ?? [];
            var request = new TrainingRequest(
                parsed.GetRequiredValue(model), parsed.GetRequiredValue(data), parsed.GetRequiredValue(output),
                parsed.GetValue(options), parsed.GetValue(test),
                new Normalization(parsed.GetValue(scale), means.Length > 0 ? means : Repeat(0, deviations),
                    deviations.Length > 0 ? deviations : Repeat(1, means)),
                parsed.GetValue(seed), CommonOptions.LogitChoice(parsed, logits, classAxis),
                CommonOptions.Patterns(parsed, include, exclude),
                parsed.GetValue(engine) == OrtTraining ? EngineKind.OrtTraining : EngineKind.Portable);
            using var line = host.NewProgress();
            var report = TrainingRun.Run(request, host.Clock, p => line.Show(() => Text.Progress(p), p.Step == p.Steps), cancellation);
            return new Answer(report, screen => Print(report, screen));
        });
    }

    static float[] Repeat(float value, float[] like) => [.. Enumerable.Repeat(value, Math.Max(like.Length, 1))];

    static Option<float[]?> Numbers(string name, string description) => new(name)
    {
        Description = description,
        HelpName = "numbers",
        CustomParser = result => ParseNumbers(name, result),
    };

    static float[]? ParseNumbers(string name, ArgumentResult result)
    {
        var numbers = new List<float>();
        foreach (var word in result.Tokens.SelectMany(t => t.Value.Split(',')))
        {
            if (float.TryParse(word, NumberStyles.Float, CultureInfo.InvariantCulture, out var number))
            {
                numbers.Add(number);
                continue;
            }
            result.AddError($"'{word}' in {name} is not a number; give numbers separated by commas, such as 0.49,0.48,0.45.");
            return null;
        }
        return [.. numbers];
    }

    static void Print(TrainingReport report, TextScreen screen)
    {
        screen.Table(["parameter", "shape", "why"], report.Parameters.Select(p => (string[])[p.Name, Text.Shape(p.Shape), p.Why]));
        screen.Line();
        string[] Row(string name, Accuracy a) => [name, Text.Count(a.Samples), Text.Percent(a.Before), Text.Percent(a.After)];
        screen.Table(["samples", "count", "accuracy before", "after"],
            report.Test is { } test ? [Row("train", report.Train), Row("test", test)] : [Row("train", report.Train)]);
        screen.Line();
        screen.Line($"{report.Steps} steps in {report.Seconds.ToString("F1", CultureInfo.InvariantCulture)} s; "
            + $"loss {Text.Number(report.FirstLoss)} to {Text.Number(report.LastLoss)}.");
        screen.Line($"Model written to {report.Out}");
    }
}
