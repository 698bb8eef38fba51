using System.CommandLine;
using RegistryUnlearn.Registry;
using RegistryUnlearn.Worker;

namespace RegistryUnlearn.Cli.Commands;

/// <summary>The commands by which people decide about versions: <c>models promote</c> and <c>models retire</c>.</summary>
static class ModelsLifecycleCommands
{
    const string Quarantine = "quarantine", Delete = "delete";

    public static Command Promote(CommandHost host)
    {
        var reference = Version();
        var alias = CommonOptions.File("--alias", "name", "The alias that is to point to it, such as production.");
        var registry = RegistryOptions.Registry();
        var command = new Command("promote", "Point an alias to a version, forwards or backwards.") { reference, alias, registry };
        return host.RunAsync(command, async (parsed, cancellation) =>
        {
            var (target, before) = await Lifecycle(host, parsed.GetRequiredValue(registry)).PromoteAsync(
                ModelReference.Parse(parsed.GetRequiredValue(reference)), Alias.Parse(parsed.GetRequiredValue(alias)), cancellation);
            var answer = new PromotionAnswer(
                $"{target.Model}:{parsed.GetRequiredValue(alias)}", $"{target.Model}@{target.Version}", target.Digest.ToString(),
                before is null ? null : $"{target.Model}@{before.Version}");
            return new Answer(answer, screen => screen.Line(
                $"{answer.Alias} points to {answer.Version}{(answer.Before is null ? "" : $"; before, to {answer.Before}")}."));
        });
    }

    public static Command Retire(CommandHost host)
    {
        var reference = Version();
        var policy = CommonOptions.Choice("--policy", "What becomes of the files.", Quarantine, Delete);
        var registry = RegistryOptions.Registry();
        var command = new Command("retire", "Take a version out of service; no alias may point to it. Its number is never used again.")
        {
            reference, policy, registry,
        };
        return host.RunAsync(command, async (parsed, cancellation) =>
        {
            var target = ModelReference.Parse(parsed.GetRequiredValue(reference));
            if (target.Version is not { } version)
                throw new InputException($"{target}", "an alias is not retired; name the version, such as digits@2");
            var withdrawal = await Lifecycle(host, parsed.GetRequiredValue(registry)).RetireAsync(
                target.Model, version, parsed.GetValue(policy) is Delete ? ParentPolicy.Delete : ParentPolicy.Quarantine, cancellation);
            return new Answer(new { version = $"{target}", policy = withdrawal.Policy }, screen => screen.Line(
                withdrawal.Policy is ParentPolicy.Delete
                    ? $"{target} is deleted from the registry; copies elsewhere are not."
                    : $"{target} is in quarantine: no consumer is given it, and its files are kept."));
        });
    }

    static Argument<string> Version() => new("version") { Description = "A version, such as digits@2." };

    static ModelLifecycle Lifecycle(CommandHost host, string registry) => new(RegistryOptions.Open(registry), host.Clock);

    /// <param name="Before">Where the alias pointed before; null for a new alias.</param>
    sealed record PromotionAnswer(string Alias, string Version, string Digest, string? Before);
}
