using System.CommandLine;
using System.Globalization;
using RegistryUnlearn.Cli.Output;
using RegistryUnlearn.Registry;

namespace RegistryUnlearn.Cli.Commands;

/// <summary><c>models lineage</c>: which version was made from which, by which job.</summary>
static class ModelsLineageCommand
{
    public static Command Create(CommandHost host)
    {
        var name = new Argument<string>("model") { Description = "The model's name, such as digits." };
        var registry = RegistryOptions.Registry();
        var command = new Command("lineage", "All versions a model ever had, as a tree: parents, jobs, aliases, withdrawn ones.")
        {
            name, registry,
        };
        return host.RunAsync(command, async (parsed, cancellation) =>
        {
            var store = RegistryOptions.Open(parsed.GetRequiredValue(registry));
            var model = ModelName.Parse(parsed.GetRequiredValue(name));
            var versions = await new ModelHistory(store, new JobStore(store, host.Clock)).ReadAsync(model, cancellation);
            if (versions.Count is 0)
                throw new RegistryException(RegistryErrorKind.NotFound, $"{model}", "there is no such model. See: models list");
            var document = new { model, versions };
            return new Answer(document, screen => Print(model, versions, screen));
        });
    }

    static void Print(ModelName model, IReadOnlyList<VersionRecord> versions, TextScreen screen)
    {
        var known = versions.Select(v => v.Version).ToHashSet();
        screen.Line($"{model}");
        // A parent has a lower number: whatever manifests claim, this is a tree.
        var children = versions.ToLookup(v => v.Parent is { } parent && parent < v.Version && known.Contains(parent) ? parent : 0);
        Branch(0, "");

        void Branch(int parent, string indent)
        {
            var nodes = children[parent].ToList();
            foreach (var node in nodes)
            {
                var isLast = node == nodes[^1];
                screen.Line($"{indent}{(isLast ? "└─ " : "├─ ")}{Describe(model, node, known)}");
                Branch(node.Version, indent + (isLast ? "   " : "│  "));
            }
        }
    }

    static string Describe(ModelName model, VersionRecord version, HashSet<int> known)
    {
        var parts = new List<string> { $"{model}@{version.Version}", version.Status.ToString().ToLowerInvariant() };
        if (version.Created is { } created)
            parts.Add(created.UtcDateTime.ToString("yyyy-MM-dd", CultureInfo.InvariantCulture));
        if (version.Job is { } job)
            parts.Add($"job {job.ToString()[..12]}");
        if (version.Parent is { } parent && !known.Contains(parent))
            parts.Add($"made from {model}@{parent}, which is not here");
        if (version.ReplacedBy is { } replacement)
            parts.Add($"replaced by {model}@{replacement}");
        if (version.Aliases.Count > 0)
            parts.Add($"<- {string.Join(", ", version.Aliases)}");
        return string.Join("  ", parts);
    }
}
