using System.CommandLine;
using RegistryUnlearn.Cli.Output;
using RegistryUnlearn.Onnx.TrainingArtifacts;
using RegistryUnlearn.Training.Harmonization;
using RegistryUnlearn.Worker.Artifacts;

namespace RegistryUnlearn.Cli.Commands;

static class ArtifactsCommand
{
    public static Command Create(CommandHost host) => new("artifacts", "Training artifacts of a model.") { Build(host), Import(host) };

    static Command Build(CommandHost host)
    {
        var model = CommonOptions.Model();
        var output = CommonOptions.File("--out", "folder", "A new or empty folder, or artifacts that are to be replaced.");
        var logits = CommonOptions.Logits();
        var classAxis = CommonOptions.ClassAxis();
        var fix = CommonOptions.Fix();
        var optimizer = CommonOptions.Choice("--optimizer", "Optimizer of ONNX Runtime Training.", "adamw", "sgd");
        var harmonizer = new Option<bool>("--harmonizer")
        {
            Description = "Also write the graph that harmonizes the gradients of what is remembered and what is forgotten.",
        };
        var scope = CommonOptions.Choice("--scope", "Where the harmonizer looks for conflicts: in all parameters, or in each.",
            "global", "tensor");
        var mode = CommonOptions.Choice("--mode", "Which gradients the harmonizer projects.", "protect-remember", "symmetric");
        Option<string[]> include = CommonOptions.Include(), exclude = CommonOptions.Exclude();
        var command = new Command("build", "Write what ONNX Runtime Training needs to train a model: graphs and checkpoint.")
        {
            model, output, logits, classAxis, fix, optimizer, harmonizer, scope, mode, include, exclude,
        };
        return host.Run(command, (parsed, _) =>
        {
            var folder = parsed.GetRequiredValue(output);
            var index = ArtifactBuilder.Build(parsed.GetRequiredValue(model), folder, new()
            {
                Logits = CommonOptions.LogitChoice(parsed, logits, classAxis),
                Patterns = CommonOptions.Patterns(parsed, include, exclude),
                Sizes = parsed.GetValue(fix)!,
                Optimizer = parsed.GetValue(optimizer) == "sgd" ? OrtOptimizer.Sgd : OrtOptimizer.AdamW,
                Harmonizer = !parsed.GetValue(harmonizer) ? null : new(
                    parsed.GetValue(scope) == "tensor" ? HarmonizationScope.Tensor : HarmonizationScope.Global,
                    parsed.GetValue(mode) == "symmetric" ? HarmonizationMode.Symmetric : HarmonizationMode.ProtectRemember),
            });
            return new Answer(index, screen => Print(index, folder, screen));
        });
    }

    static Command Import(CommandHost host)
    {
        var folder = new Argument<string>("folder")
        {
            Description = "Holds training_model.onnx and checkpoint, and perhaps eval_model.onnx.",
        };
        var output = CommonOptions.File("--out", "folder", "A new or empty folder.");
        var command = new Command("import",
            "Take over artifacts of ONNX Runtime's own generator: the model behind them, and their training graph in standard operators.")
        {
            folder, output,
        };
        return host.Run(command, (parsed, _) =>
        {
            var report = ArtifactImporter.Import(parsed.GetRequiredValue(folder), parsed.GetRequiredValue(output));
            return new Answer(report, screen => Print(report, screen));
        });
    }

    static void Print(ImportReport report, TextScreen screen)
    {
        screen.Table(["operator", "replaced"], report.Lowered.Select(o => (string[])[o.Key, Text.Count(o.Value)]));
        screen.Line();
        screen.Line($"{report.Trainable.Count} parameters are trained, {report.Frozen.Count} are not.");
        screen.Line($"Model written to {report.Model}, training graph to {report.Training}");
    }

    static void Print(ArtifactIndex index, string folder, TextScreen screen)
    {
        screen.Table(["file", "role", "bytes", "sha256"],
            index.Files.Select(f => (string[])[f.Name, f.Role, Text.Count(f.Bytes), f.Sha256]));
        screen.Line();
        screen.Line($"{index.Inputs.Count(i => i.Role == "parameter")} parameters, operator set {index.Opset}, written to {folder}");
    }
}
