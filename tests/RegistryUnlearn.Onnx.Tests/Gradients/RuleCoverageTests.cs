using RegistryUnlearn.Onnx.Gradients;
using RegistryUnlearn.Onnx.Tests.Gradients.Rows;

namespace RegistryUnlearn.Onnx.Tests.Gradients;

public sealed class RuleCoverageTests
{
    /// <summary>Every row checks its rule to both orders, so one row per rule is what both orders need.</summary>
    [Theory, InlineData(17), InlineData(18), InlineData(21), InlineData(23), InlineData(24)]
    public void Every_rule_has_a_row(int opset)
    {
        RowSet[] sets =
        [
            ElementwiseRows.Rows, ActivationRows.Rows, ShapingRows.Rows, RearrangingRows.Rows, IndexingRows.Rows, ReductionRows.Rows,
            MatrixProductRows.Rows, ConvolutionRows.Rows, PoolingRows.Rows, NormalizationRows.Rows, MicrosoftRows.Rows,
            RecurrentRows.Rows, AttentionRows.Rows, LossNodeRows.Rows,
        ];
        var checkedRules = sets.SelectMany(s => s.Cases).Where(c => RowSet.OpsetsOf(c).Contains(opset)).Select(c => c.Rule(opset))
            .ToHashSet();
        // Rules that began before operator set 22 are checked there, newer ones where they begin.
        var missing = RuleTable.All.Where(r => r.Since <= opset && (opset <= 21 || r.Since == opset) && IsNewest(r, opset))
            .Where(r => !r.StopsGradient && r.Refusal is null && !checkedRules.Contains(r));
        Assert.Empty(missing.Select(r => $"{r.Domain} {r.Op} since {r.Since}"));
    }

    static bool IsNewest(Rule rule, int opset) =>
        RuleTable.Find(new Proto.NodeProto { OpType = rule.Op, Domain = rule.Domain }, new Onnx.Graphs.GraphBuilder(opset)) == rule;

    [Fact]
    public void No_rule_is_shadowed() =>
        Assert.Empty(RuleTable.All.GroupBy(r => (r.Domain, r.Op))
            .Where(rules => rules.Count(r => r.Since <= Onnx.Graphs.GraphBuilder.OldestOpset) > 1).Select(rules => rules.Key));

    /// <summary>tanh' = 1 − y² with a wrong factor, and with y rounded to integers on the way, which hides the second order.</summary>
    [Theory]
    [InlineData(0.9f, false, "first order by x0")]
    [InlineData(1, true, "second order by x0")]
    public void The_check_notices_wrong_rules(float factor, bool stopped, string where)
    {
        Rule wrong = new("", "Tanh", 6, r =>
        {
            var y = stopped ? r.G.Cast(r.G.Cast(r.G.Scale(r.Out(0), 1 << 20), Int64)) : r.Out(0);
            y = stopped ? r.G.Scale(y, 1f / (1 << 20)) : y;
            return [r.G.Scale(r.G.Mul(r.DOut(), r.G.Sub(r.G.Scalar(1), r.G.Mul(y, y))), factor)];
        });
        var failure = Assert.ThrowsAny<Xunit.Sdk.XunitException>(() => GradientCheck.Run(new("Tanh", "N,3"), 17, free: true,
            (node, graph) => node.OpType is "Tanh" ? wrong : RuleTable.Find(node, graph)));
        Assert.Contains(where, failure.Message);
    }

    const Proto.TensorProto.Types.DataType Int64 = Proto.TensorProto.Types.DataType.Int64;
}
