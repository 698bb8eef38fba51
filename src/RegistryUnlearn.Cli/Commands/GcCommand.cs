using System.CommandLine;
using System.Globalization;
using RegistryUnlearn.Cli.Output;
using RegistryUnlearn.Registry;
using RegistryUnlearn.Worker.Jobs;
using RegistryUnlearn.Worker.Maintenance;

namespace RegistryUnlearn.Cli.Commands;

/// <summary><c>gc</c>: what nothing needs any more.</summary>
static class GcCommand
{
    const string Rule = "give a whole number and a unit, such as 90m, 12h or 7d, from 1h to 3650d";

    static readonly TimeSpan MaxGrace = TimeSpan.FromDays(3650);

    public static Command Create(CommandHost host)
    {
        var registry = RegistryOptions.Registry();
        var delete = new Option<bool>("--delete") { Description = "Remove what is found; without it nothing is changed." };
        var grace = new Option<TimeSpan>("--grace")
        {
            Description = "Leave jobs alone that stood still for less, such as 12h. Default: 7d.",
            HelpName = "time",
            DefaultValueFactory = _ => Housekeeping.DefaultGrace,
            CustomParser = result =>
            {
                if (TryParse(result.Tokens[0].Value, out var time))
                    return time;
                result.AddError($"--grace is not a time; {Rule}.");
                return default;
            },
        };
        var command = new Command("gc",
            "Find blobs that no job needs, and what killed workers left in the registry and on this machine; remove it with --delete.")
        {
            registry, delete, grace,
        };
        return host.RunAsync(command, async (parsed, cancellation) =>
        {
            var store = RegistryOptions.Open(parsed.GetRequiredValue(registry));
            var isDeleting = parsed.GetValue(delete);
            var found = await new Housekeeping(store, host.Clock, new JobOptions()).CollectAsync(
                parsed.GetValue(grace), isDeleting, cancellation);
            var answer = new GcAnswer(isDeleting, found.Sum(g => g.Objects), found.Sum(g => g.Bytes), found);
            return new Answer(answer, screen => Print(answer, screen));
        });
    }

    static bool TryParse(string text, out TimeSpan time)
    {
        time = default;
        if (text.Length < 2 || !int.TryParse(text[..^1], NumberStyles.None, CultureInfo.InvariantCulture, out var number))
            return false;
        time = text[^1] switch
        {
            'm' => TimeSpan.FromMinutes(number),
            'h' => TimeSpan.FromHours(number),
            'd' when number <= MaxGrace.TotalDays => TimeSpan.FromDays(number),
            _ => default,
        };
        return time >= GarbageCollector.MinGrace && time <= MaxGrace;
    }

    static void Print(GcAnswer answer, TextScreen screen)
    {
        if (answer.Found.Count is 0)
        {
            screen.Line("Nothing to remove.");
            return;
        }
        screen.Table(["what", "where", "why", "files", "bytes"],
            answer.Found.Select(g => (string[])[g.Kind, g.Place, g.Why, Text.Count(g.Objects), Text.Count(g.Bytes)]));
        screen.Line();
        screen.Line($"{Text.Count(answer.Objects)} files, {Text.Count(answer.Bytes)} bytes "
            + (answer.Deleted ? "removed." : "to remove; nothing was changed. Remove them with --delete."));
    }

    sealed record GcAnswer(bool Deleted, int Objects, long Bytes, IReadOnlyList<Garbage> Found);
}
