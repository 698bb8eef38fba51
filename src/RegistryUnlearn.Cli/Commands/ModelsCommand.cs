using System.CommandLine;
using RegistryUnlearn.Registry;

namespace RegistryUnlearn.Cli.Commands;

static class ModelsCommand
{
    public static Command Create(CommandHost host) => new("models", "Look at the models of a registry and decide about them.")
    {
        List(host),
        Show(host),
        ModelsLineageCommand.Create(host),
        ModelsLifecycleCommands.Promote(host),
        ModelsLifecycleCommands.Retire(host),
    };

    static Command List(CommandHost host)
    {
        var registry = RegistryOptions.Registry();
        var command = new Command("list", "All models with their versions and aliases.") { registry };
        return host.RunAsync(command, async (parsed, cancellation) =>
        {
            var models = new ModelRegistry(RegistryOptions.Open(parsed.GetRequiredValue(registry)));
            var rows = new List<ModelRow>();
            foreach (var name in await models.ListModelsAsync(cancellation))
            {
                var versions = await models.ListVersionsAsync(name, cancellation);
                var aliases = await models.ListAliasesAsync(name, cancellation);
                rows.Add(new(
                    name.ToString(), [.. versions.Select(v => v.Version)],
                    aliases.ToDictionary(a => a.Alias.ToString(), a => a.Target.Version)));
            }
            return new Answer(rows, screen => screen.Table(["model", "versions", "aliases"],
                rows.Select(r => (string[])
                    [r.Model, string.Join(", ", r.Versions), string.Join(", ", r.Aliases.Select(a => $"{a.Key} -> {a.Value}"))])));
        });
    }

    static Command Show(CommandHost host)
    {
        var reference = new Argument<string>("model") { Description = "A version, such as digits@1 or digits:production." };
        var registry = RegistryOptions.Registry();
        var command = new Command("show", "One version: its files, where it came from.") { reference, registry };
        return host.RunAsync(command, async (parsed, cancellation) =>
        {
            var models = new ModelRegistry(RegistryOptions.Open(parsed.GetRequiredValue(registry)));
            var version = await models.ResolveAsync(ModelReference.Parse(parsed.GetRequiredValue(reference)), cancellation);
            var answer = new VersionAnswer(
                $"{version.Model}@{version.Version}", version.Digest.ToString(), version.IsAdopted, version.Manifest);
            return new Answer(answer, screen =>
            {
                screen.Line($"{answer.Version}  {answer.Digest}{(answer.IsAdopted ? "  (adopted: made by others, no manifest)" : "")}");
                if (version.Manifest.Parent is { } parent)
                    screen.Line($"made from {version.Model}@{parent.Version} by job {version.Manifest.JobId}");
                screen.Table(["file", "bytes", "role", "sha256"],
                    version.Manifest.Files.Select(f => (string[])[f.Path, Output.Text.Count(f.Size), f.Role, f.Digest.Hex]));
            });
        });
    }

    sealed record ModelRow(string Model, IReadOnlyList<int> Versions, IReadOnlyDictionary<string, int> Aliases);

    sealed record VersionAnswer(string Version, string Digest, bool IsAdopted, Manifest Manifest);
}
