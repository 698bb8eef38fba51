using System.CommandLine;
using RegistryUnlearn.Cli.Output;
using RegistryUnlearn.Onnx.Steps;
using RegistryUnlearn.Training.Harmonization;
using RegistryUnlearn.Worker.Inspection;

namespace RegistryUnlearn.Cli.Commands;

static class InspectLtuStepCommand
{
    public static Command Create(CommandHost host)
    {
        var model = CommonOptions.Model();
        var config = CommonOptions.File("--config", "config.json", "alpha, lambda, eta, forget_weight, mi_support, mi_query.");
        var batch = CommonOptions.File("--batch", "step.npz", "Batches and membership models of the step.");
        var output = CommonOptions.File("--out", "out.npz",
            "Receives loss, cosine, remember/<parameter>, forget/<parameter> and updated/<parameter>.");
        var order = CommonOptions.Choice("--order", "Whether the second derivative of the inner step is kept.", "exact", "first");
        var scope = CommonOptions.Choice("--scope", "Over what the two gradients are compared.", "global", "tensor");
        var mode = CommonOptions.Choice("--mode", "Which gradient gives way on conflict.", "symmetric", "protect-remember");
        var logits = CommonOptions.Logits();
        var classAxis = CommonOptions.ClassAxis();
        Option<string[]> include = CommonOptions.Include(), exclude = CommonOptions.Exclude();
        var command = new Command("ltu-step", "One step of learning to unlearn on given batches.")
        {
            model, config, batch, order, scope, mode, output, logits, classAxis, include, exclude, CommonOptions.Device,
        };
        return host.Run(command, (parsed, _) =>
        {
            var report = MetaStepInspection.Run(
                parsed.GetRequiredValue(model), parsed.GetRequiredValue(config), parsed.GetRequiredValue(batch),
                parsed.GetRequiredValue(output),
                parsed.GetValue(order) == "first" ? MetaOrder.First : MetaOrder.Exact,
                parsed.GetValue(scope) == "tensor" ? HarmonizationScope.Tensor : HarmonizationScope.Global,
                parsed.GetValue(mode) == "protect-remember" ? HarmonizationMode.ProtectRemember : HarmonizationMode.Symmetric,
                CommonOptions.LogitChoice(parsed, logits, classAxis), CommonOptions.Patterns(parsed, include, exclude));
            return new Answer(report, screen => Print(report, screen));
        });
    }

    static void Print(MetaStepReport report, TextScreen screen)
    {
        screen.Table(["feedback", "support loss", "query loss"],
        [
            ["remember", Text.Number(report.Remember.Support), Text.Number(report.Remember.Query)],
            ["forget", Text.Number(report.Forget.Support), Text.Number(report.Forget.Query)],
        ]);
        screen.Line();
        screen.Line($"Cosine of the two gradients {Text.Number(report.Cosine)}; projected {Text.Percent(report.Fired)}, "
            + $"{Text.Percent(report.KeptForgetNorm)} of the forgetting gradient's norm kept.");
        screen.Line($"Step written to {report.Out}");
    }
}
