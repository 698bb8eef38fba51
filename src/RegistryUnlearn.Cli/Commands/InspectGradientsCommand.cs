using System.CommandLine;
using RegistryUnlearn.Cli.Output;
using RegistryUnlearn.Worker.Inspection;

namespace RegistryUnlearn.Cli.Commands;

static class InspectGradientsCommand
{
    public static Command Create(CommandHost host)
    {
        var model = CommonOptions.Model();
        var batch = CommonOptions.File("--batch", "in.npz",
            "Arrays input and labels, and for Hessian-vector products directions v/<parameter>.");
        var output = CommonOptions.File("--out", "out.npz", "Receives loss, logits, grad/<parameter> and hv/<parameter>.");
        var logits = CommonOptions.Logits();
        var classAxis = CommonOptions.ClassAxis();
        Option<string[]> include = CommonOptions.Include(), exclude = CommonOptions.Exclude();
        var command = new Command("gradients", "Loss, logits, gradients and Hessian-vector products of one batch's mean cross-entropy.")
        {
            model, batch, output, logits, classAxis, include, exclude, CommonOptions.Device,
        };
        return host.Run(command, (parsed, _) =>
        {
            var report = GradientInspection.Run(
                parsed.GetRequiredValue(model), parsed.GetRequiredValue(batch), parsed.GetRequiredValue(output),
                CommonOptions.LogitChoice(parsed, logits, classAxis), CommonOptions.Patterns(parsed, include, exclude));
            return new Answer(report, screen => Print(report, screen));
        });
    }

    static void Print(GradientReport report, TextScreen screen)
    {
        screen.Table(["parameter", "shape", "gradient norm", "why"],
            report.Parameters.Select(p => (string[])[p.Name, Text.Shape(p.Shape), Text.Number(p.GradientNorm), p.Why]));
        screen.Line();
        if (report.Frozen.Count > 0)
        {
            screen.Table(["not trained", "shape", "why"], report.Frozen.Select(f => (string[])[f.Name, Text.Shape(f.Shape), f.Why]));
            screen.Line();
        }
        screen.Line($"Loss {Text.Number(report.Loss)} on {report.Samples} samples.");
        screen.Notes(report.Notes);
        screen.Line($"{(report.SecondOrder ? "Gradients and Hessian-vector products" : "Gradients")} written to {report.Out}");
    }
}
