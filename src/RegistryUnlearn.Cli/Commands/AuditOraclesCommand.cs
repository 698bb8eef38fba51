using System.CommandLine;
using RegistryUnlearn.Cli.Output;
using RegistryUnlearn.Worker.Jobs;
using RegistryUnlearn.Worker.Oracles;
using RegistryUnlearn.Worker.Requests;

namespace RegistryUnlearn.Cli.Commands;

/// <summary><c>audit oracles</c>: trains the pool of a request, resumable, beside other workers.</summary>
static class AuditOraclesCommand
{
    /// <summary>How long others wait for a worker that says nothing.</summary>
    static readonly TimeSpan Lease = TimeSpan.FromSeconds(60);

    public static Command Create(CommandHost host)
    {
        var request = new Argument<string>("request.json") { Description = "The request whose result is to be audited." };
        var registry = RegistryOptions.Registry();
        var recipe = CommonOptions.File("--recipe", "recipe.json",
            "How many oracles, reference and unlearned models, and how they are trained.");
        var delete = new Option<bool>("--delete") { Description = "Remove the pool of this request and recipe instead." };
        var command = new Command("oracles",
            "Train models without the forget set, and models on random halves, and keep them in the registry as a pool that audits use. "
            + "Models that are done are not trained again; several workers on one registry share the work.")
        {
            request, registry, recipe, delete, CommonOptions.Device,
        };
        return host.RunAsync(command, async (parsed, cancellation) =>
        {
            var (path, store) = (parsed.GetRequiredValue(request), RegistryOptions.Open(parsed.GetRequiredValue(registry)));
            var trainer = new PoolTrainer(store, host.Clock, new JobOptions(), $"{Environment.MachineName}-{Guid.NewGuid():N}", Lease);
            var (json, asked) = (await RequestDocument.ReadFileAsync(path, cancellation), PoolRecipe.Load(parsed.GetRequiredValue(recipe)));
            if (parsed.GetValue(delete))
            {
                var removed = await trainer.DeleteAsync(json, path, asked, cancellation);
                return new Answer(new { removed }, screen => screen.Line($"{removed} objects of the pool are removed."));
            }
            using var progress = host.NewJobProgress();
            var report = await trainer.RunAsync(json, path, asked, progress, cancellation);
            return new Answer(report, screen => Print(report, screen));
        });
    }

    static void Print(PoolReport report, TextScreen screen)
    {
        screen.Table(["kind", "models"],
            report.Models.CountBy(m => m.Kind).Select(kind => (string[])[kind.Key, Text.Count(kind.Value)]));
        screen.Line();
        screen.Line($"{report.Trained} models were trained now, {report.Models.Count} are in {report.Folder}");
        screen.Line($"To audit with them, put this into the request:  \"audit\": {{ \"pool\": \"{report.Id}\" }}");
        if (report.Models.Any(m => m.Kind == "reference"))
            screen.Line("Reference models know half of the samples to forget each: remove the pool (--delete) when the audit is done.");
    }
}
