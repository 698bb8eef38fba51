using System.Text.Json;
using RegistryUnlearn.Unlearning.Methods;

namespace RegistryUnlearn.Cli.Tests.Registry;

/// <summary><c>methods list</c> and <c>methods show</c>.</summary>
public sealed class MethodsCommandTests
{
    public static TheoryData<string> Names { get; } = new(MethodCatalog.All.Select(m => m.Name));

    [Fact]
    public async Task Every_method_is_listed_with_what_it_needs()
    {
        var listed = await CommandResult.OfAsync("methods", "list", "--output", "json");
        Assert.Equal(0, listed.Code);
        Assert.Equal(
            MethodCatalog.All.Select(m => (m.Name, m.Summary, m.Needs, m.NotFor)),
            listed.Json.EnumerateArray().Select(m =>
                (Text(m, "method"), Text(m, "summary"), Text(m, "needs"), Text(m, "notFor"))));

        static string Text(JsonElement row, string field) => row.GetProperty(field).GetString()!;
    }

    [Theory, MemberData(nameof(Names))]
    public async Task A_method_is_shown_with_options_that_a_request_can_use(string name)
    {
        var shown = await CommandResult.OfAsync("methods", "show", name, "--output", "json");
        Assert.Equal(0, shown.Code);
        var flat = new Dictionary<string, JsonElement>();
        Collect(shown.Json.GetProperty("options"));
        var errors = new List<string>();
        var reader = new OptionReader(JsonSerializer.SerializeToElement(flat), "options", errors);
        var read = MethodCatalog.Find(name)!.ReadOptions(reader);
        reader.Finish();
        Assert.Empty(errors);
        Assert.Equal(MethodCatalog.Find(name)!.ReadOptions(new OptionReader(default, "options", [])), read);

        void Collect(JsonElement element)
        {
            foreach (var field in element.EnumerateObject())
            {
                if (field.Value.ValueKind is JsonValueKind.Object)
                    Collect(field.Value);
                else
                    flat.Add(field.Name, field.Value);
            }
        }
    }

    [Fact]
    public async Task An_unknown_method_is_refused()
    {
        var refused = await CommandResult.OfAsync("methods", "show", "magic");
        Assert.Equal(2, refused.Code);
        Assert.StartsWith("magic: there is no such method; known are bad-teacher, ", refused.Error);
    }

    [Theory, MemberData(nameof(Names))]
    public void The_documentation_says_what_the_command_says(string name)
    {
        var method = MethodCatalog.Find(name)!;
        Assert.Contains(
            $"| `{method.Name}` | {method.Summary} | {method.Needs} | {method.NotFor} |",
            File.ReadAllLines(Path.Combine(Repository.Root, "docs", "requests.md")));
    }
}
