using System.CommandLine;
using System.Globalization;
using RegistryUnlearn.Auditing.Inversion;
using RegistryUnlearn.Cli.Output;
using RegistryUnlearn.Registry.Azure;
using RegistryUnlearn.Worker;
using RegistryUnlearn.Worker.Inversion;
using RegistryUnlearn.Worker.Jobs;
using RegistryUnlearn.Worker.Requests;

namespace RegistryUnlearn.Cli.Commands;

/// <summary><c>audit inversion</c>: what parent and child together tell of the forgotten samples.</summary>
static class AuditInversionCommand
{
    public static Command Create(CommandHost host)
    {
        var request = new Argument<string>("request.json") { Description = "The request that was carried out; its parent must be there." };
        var registry = RegistryOptions.Registry();
        var child = CommonOptions.File("--child", "name@version or file", "The new version, or an .onnx file such as a candidate's.");
        var samples = Count("--samples", 4, 1000, "Forget samples to reconstruct at most.");
        var iterations = Count("--iterations", new FeatureOptions().Iterations, 100_000, "Steps of each search.");
        var restarts = Count("--restarts", new FeatureOptions().Restarts, 1000, "Searches per sample, from other noise.");
        var pictures = new Option<string?>("--pictures")
        {
            Description = "Local folder for pictures: forgotten sample, reconstruction, control. They show what was to be forgotten; "
                + "without the option none are written.",
            HelpName = "folder",
        };
        var command = new Command("inversion",
            "Attack the difference between parent and child: reconstruct forgotten samples and guess their labels, against a control.")
        {
            request, registry, child, samples, iterations, restarts, pictures, CommonOptions.Device,
        };
        return host.RunAsync(command, async (parsed, cancellation) =>
        {
            var (path, location) = (parsed.GetRequiredValue(request), RegistryLocation.Parse(parsed.GetRequiredValue(registry)));
            RequireOutside(location, parsed.GetValue(pictures));
            var options = new InversionOptions(
                parsed.GetValue(samples),
                new FeatureOptions(parsed.GetValue(iterations), parsed.GetValue(restarts)),
                new LabelOptions(),
                parsed.GetValue(pictures));
            using var progress = host.NewJobProgress();
            var json = await RequestDocument.ReadFileAsync(path, cancellation);
            var audit = new InversionAudit(RegistryOptions.Open(location), new JobOptions());
            var report = await Task.Run(
                () => audit.RunAsync(json, path, parsed.GetRequiredValue(child), options, progress, cancellation), CancellationToken.None);
            return new Answer(report, screen => Print(report, screen));
        });
    }

    /// <summary>Pictures of forgotten samples do not belong where consumers and backups read.</summary>
    static void RequireOutside(RegistryLocation location, string? folder)
    {
        if (folder is null || location is not FolderLocation { Folder: var root })
            return;
        var relative = Path.GetRelativePath(Path.GetFullPath(root), Path.GetFullPath(folder));
        if (!relative.StartsWith("..", StringComparison.Ordinal) && !Path.IsPathRooted(relative))
            throw new InputException(folder, "lies in the registry; give a folder elsewhere, pictures show what was to be forgotten");
    }

    static Option<int> Count(string name, int otherwise, int most, string description)
    {
        var option = new Option<int>(name) { Description = description, HelpName = "n", DefaultValueFactory = _ => otherwise };
        option.Validators.Add(result =>
        {
            if (result.Tokens.Count == 1 && int.TryParse(result.Tokens[0].Value, CultureInfo.InvariantCulture, out var n)
                && (n < 1 || n > most))
                result.AddError($"{name} is not from 1 to {most}.");
        });
        return option;
    }

    static void Print(InversionReport report, TextScreen screen)
    {
        if (report.Samples.Count > 0)
        {
            screen.Table(["sample", "PSNR", "control", "cosine"], report.Samples.Select((s, i) => (string[])
                [Text.Count(i + 1), Decibel(s.Psnr), Decibel(s.ControlPsnr), s.Cosine.ToString("0.000", CultureInfo.InvariantCulture)]));
            screen.Line();
            screen.Line(
                $"Reconstructions are {Decibel(report.Gain!.Value)} nearer to forgotten samples than to ones that were never unlearned.");
        }
        screen.Line(string.Create(CultureInfo.InvariantCulture,
            $"Forgotten labels have rank {report.LabelRank:0.0} among the classes; {report.ChanceRank:0.0} is chance, 1 is found."));
        screen.Notes(report.Notes);
        foreach (var picture in report.Pictures)
            screen.Line($"Picture  {picture}");
    }

    static string Decibel(double value) => value.ToString("0.0", CultureInfo.InvariantCulture) + " dB";
}
