using System.Text;
using RegistryUnlearn.Onnx.Gradients;

namespace RegistryUnlearn.Onnx.Tests.Gradients;

/// <summary>docs/operators.md is written from the rule table; this test fails when it is stale and says how to renew it.</summary>
public sealed class OperatorsDocumentTests
{
    const string Renew = "REGISTRY_UNLEARN_WRITE_DOCS";

    [Fact]
    public void The_document_shows_the_table()
    {
        var path = Path.Combine(Repository.Root, "docs/operators.md");
        var expected = Document();
        if (Environment.GetEnvironmentVariable(Renew) is not null)
            File.WriteAllText(path, expected);
        Assert.True(File.Exists(path) && File.ReadAllText(path) == expected, $"docs/operators.md is stale; run this test with {Renew}=1 and commit the file");
    }

    static string Document()
    {
        var text = new StringBuilder("""
            # Operators

            Written from the rule table (`src/RegistryUnlearn.Onnx/Gradients/RuleTable.cs`). Models may use any operator that ONNX Runtime runs; those
            between the trained parameters and the logits need a gradient rule. "Since" is the first operator set whose form of the operator the rule
            is for. Every rule works to first and second order. Models of operator sets 13 to 16 are worked on as operator set 17; the published model
            keeps its own.

            | operator | gradient | since |
            |---|---|---|

            """);
        foreach (var rule in RuleTable.All.Where(r => r.Domain.Length == 0).OrderBy(r => r.Op, StringComparer.Ordinal).ThenBy(r => r.Since))
            text.Append($"| {rule.Op} | {(rule.Refusal is { } refusal ? $"no: {refusal}" : rule.StopsGradient ? "ends here" : "yes")} | {rule.Since} |\n");
        return text.ToString();
    }
}
