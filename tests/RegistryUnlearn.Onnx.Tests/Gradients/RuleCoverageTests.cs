using RegistryUnlearn.Onnx.Gradients;
using RegistryUnlearn.Onnx.Tests.Gradients.Rows;

namespace RegistryUnlearn.Onnx.Tests.Gradients;

public sealed class RuleCoverageTests
{
    /// <summary>Every row checks its rule to both orders, so one row per rule is what both orders need.</summary>
    [Theory, InlineData(17), InlineData(18), InlineData(21)]
    public void Every_rule_has_a_row(int opset)
    {
        RowSet[] sets =
        [
            ElementwiseRows.Rows, ShapingRows.Rows, IndexingRows.Rows, ReductionRows.Rows, MatrixProductRows.Rows, ConvolutionRows.Rows, PoolingRows.Rows,
        ];
        var checkedRules = sets.SelectMany(s => s.Cases).Where(c => RowSet.OpsetsOf(c).Contains(opset)).Select(c => c.Rule(opset)).ToHashSet();
        var missing = RuleTable.All.Where(r => !r.StopsGradient && r.Refusal is null && !checkedRules.Contains(r));
        Assert.Empty(missing.Select(r => $"{r.Domain} {r.Op} since {r.Since}"));
    }

    [Fact]
    public void No_rule_is_shadowed() =>
        Assert.Empty(RuleTable.All.GroupBy(r => (r.Domain, r.Op)).Where(rules => rules.Count(r => r.Since <= Onnx.Graphs.GraphBuilder.OldestOpset) > 1).Select(rules => rules.Key));
}
