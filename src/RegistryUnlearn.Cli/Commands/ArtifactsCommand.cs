using System.CommandLine;
using RegistryUnlearn.Cli.Output;
using RegistryUnlearn.Worker.Artifacts;

namespace RegistryUnlearn.Cli.Commands;

static class ArtifactsCommand
{
    public static Command Create(CommandHost host) => new("artifacts", "Training artifacts of a model.") { Build(host) };

    static Command Build(CommandHost host)
    {
        var model = CommonOptions.Model();
        var output = CommonOptions.File("--out", "folder", "A new or empty folder, or artifacts that are to be replaced.");
        var logits = CommonOptions.Logits();
        var classAxis = CommonOptions.ClassAxis();
        Option<string[]> include = CommonOptions.Include(), exclude = CommonOptions.Exclude();
        var command = new Command("build", "Write the training graph, the evaluation graph and the parameters of a model.")
        {
            model, output, logits, classAxis, include, exclude,
        };
        return host.Run(command, (parsed, _) =>
        {
            var folder = parsed.GetRequiredValue(output);
            var index = ArtifactBuilder.Build(
                parsed.GetRequiredValue(model), folder, CommonOptions.LogitChoice(parsed, logits, classAxis), CommonOptions.Patterns(parsed, include, exclude));
            return new Answer(index, screen => Print(index, folder, screen));
        });
    }

    static void Print(ArtifactIndex index, string folder, TextScreen screen)
    {
        screen.Table(["file", "role", "bytes", "sha256"],
            index.Files.Select(f => (string[])[f.Name, f.Role, Text.Count(f.Bytes), f.Sha256]));
        screen.Line();
        screen.Line($"{index.Inputs.Count(i => i.Role == "parameter")} parameters, operator set {index.Opset}, written to {folder}");
    }
}
