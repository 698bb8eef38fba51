using System.CommandLine;
using System.Text.Json;
using RegistryUnlearn.Cli.Output;
using RegistryUnlearn.Unlearning.Methods;

namespace RegistryUnlearn.Cli.Commands;

static class MethodsCommand
{
    public static Command Create(CommandHost host) => new("methods", "Look at the ways to unlearn that a request can name.")
    {
        List(host),
        Show(host),
    };

    static Command List(CommandHost host)
    {
        var command = new Command("list", "All methods: what each does, what it needs and when not to use it.");
        return host.RunAsync(command, (_, _) =>
        {
            MethodRow[] rows = [.. MethodCatalog.All.Select(m => new MethodRow(m.Name, m.Summary, m.Needs, m.NotFor))];
            var width = rows.Max(r => r.Method.Length) + 2;
            return Task.FromResult(new Answer(rows, screen =>
            {
                foreach (var row in rows)
                {
                    screen.Line($"{row.Method.PadRight(width)}{row.Summary}");
                    screen.Line($"{"",-4}{"needs".PadRight(width - 4)}{row.Needs}");
                    screen.Line($"{"",-4}{"not for".PadRight(width - 4)}{row.NotFor}");
                }
            }));
        });
    }

    static Command Show(CommandHost host)
    {
        var name = new Argument<string>("method") { Description = "Its name, such as ltu." };
        var command = new Command("show", "One method with its options and their defaults, as a request would spell them.") { name };
        return host.RunAsync(command, (parsed, _) =>
        {
            var given = parsed.GetRequiredValue(name);
            var method = MethodCatalog.Find(given) ?? throw new Worker.InputException(
                given, $"there is no such method; known are {string.Join(", ", MethodCatalog.All.Select(m => m.Name))}");
            var options = method.ReadOptions(new OptionReader(default, "options", []));
            var answer = new MethodAnswer(method.Name, method.Summary, method.Needs, method.NotFor, JsonOutput.Element(options));
            return Task.FromResult(new Answer(answer, screen =>
            {
                screen.Line($"{answer.Method}: {answer.Summary}");
                screen.Line($"needs {answer.Needs}");
                screen.Line($"not for {answer.NotFor}");
                screen.Table(["option", "default"], Leaves(answer.Options).Select(o => (string[])[o.Name, o.Value.ToString()]));
            }));
        });
    }

    /// <summary>Requests spell groups of options without the group.</summary>
    static IEnumerable<JsonProperty> Leaves(JsonElement element) =>
        element.EnumerateObject().SelectMany(f => f.Value.ValueKind is JsonValueKind.Object ? Leaves(f.Value) : [f]);

    sealed record MethodRow(string Method, string Summary, string Needs, string NotFor);

    sealed record MethodAnswer(string Method, string Summary, string Needs, string NotFor, JsonElement Options);
}
