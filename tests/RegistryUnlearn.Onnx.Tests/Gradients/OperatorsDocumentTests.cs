using System.Text;
using RegistryUnlearn.Onnx.Gradients;
using RegistryUnlearn.Onnx.Lowering;

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
        Assert.True(
            File.Exists(path) && File.ReadAllText(path) == expected,
            $"docs/operators.md is stale; run this test with {Renew}=1 and commit the file");
    }

    static string Document()
    {
        var text = new StringBuilder("""
            # Operators

            Written from the rule table (`src/RegistryUnlearn.Onnx/Gradients/RuleTable.cs`). Models may use any operator that ONNX Runtime
            runs; those between the trained parameters and the logits need a gradient rule. "Since" is the first operator set whose form of
            the operator the rule is for. "By parts" means that the training graph has simpler operators in its place; the published model
            keeps it. "Ends here" means that the result does not follow the input smoothly. Every rule works to first and second order.
            Models of operator sets 9 to 16 are worked on as operator set 17; the published model keeps its own. An If whose condition is
            stored or follows from fixed sizes is worked on as its branch.

            BatchNormalization is differentiated with the stored statistics. Its training mode is refused on purpose: there a sample's
            logits depend on the other samples of the batch, so that losses and memberships of single samples, batches of any size and
            the comparison with the published model, which answers with stored statistics, would all lose their meaning. Export such a
            model in evaluation mode.

            | operator | gradient | since |
            |---|---|---|

            """);
        foreach (var rule in RuleTable.All.Where(r => r.Domain != Adjoint.Domain).OrderBy(r => r.Domain, StringComparer.Ordinal)
            .ThenBy(r => r.Op, StringComparer.Ordinal).ThenBy(r => r.Since))
            text.Append($"| {(rule.Domain.Length > 0 ? rule.Domain + "." : "")}{rule.Op} | {Gradient(rule)} | {rule.Since} |\n");
        return text.ToString();

        static string Gradient(Rule rule) => rule switch
        {
            { Refusal: { } refusal } => $"no: {refusal}",
            { StopsGradient: true } => "ends here",
            { Decompose: not null } => "yes, by parts",
            _ => "yes",
        };
    }
}
