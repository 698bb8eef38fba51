using System.CommandLine;
using RegistryUnlearn.Registry;
using RegistryUnlearn.Registry.Azure;
using RegistryUnlearn.Worker.Demo;
using RegistryUnlearn.Worker.Jobs;

namespace RegistryUnlearn.Cli.Commands;

static class DemoCommand
{
    const string All = "all";

    public static Command Create(CommandHost host)
    {
        var output = new Option<string>("--out")
        {
            Description = "Where the working copy of the sample registry goes.",
            HelpName = "folder",
            DefaultValueFactory = _ => "demo",
        };
        var request = CommonOptions.Choice("--request", "Which sample request to carry out.", [All, .. DemoRegistry.Requests]);
        var command = new Command("demo",
            "Copy the sample registry and erase samples from its model: mislabelled digits that it has memorised, then random ones.")
        {
            output, request,
        };
        return host.RunAsync(command, async (parsed, cancellation) =>
        {
            var folder = parsed.GetRequiredValue(output);
            DemoRegistry.CopyTo(folder);
            var runner = new JobRunner(new FolderStore(folder), host.Clock, new JobOptions());
            var answers = new List<(string Request, Answer Answer)>();
            foreach (var name in DemoRegistry.Requests.Where(r => parsed.GetValue(request) is All or null || parsed.GetValue(request) == r))
            {
                var path = DemoRegistry.RequestPath(folder, name);
                answers.Add((name, await RunCommand.RunAsync(host, runner, path, new FolderLocation(folder), cancellation)));
                if (answers[^1].Answer.ExitCode is ExitCodes.Cancelled)
                    break;
            }
            return new Answer(
                answers.ToDictionary(a => a.Request, a => a.Answer.Document),
                screen =>
                {
                    foreach (var (name, answer) in answers)
                    {
                        screen.Line();
                        screen.Line($"== {name} ==");
                        answer.Text(screen);
                    }
                },
                answers.Max(a => a.Answer.ExitCode));
        });
    }
}
