namespace RegistryUnlearn.Onnx.Tests.Gradients.Rows;

public sealed class ReductionRows
{
    internal static readonly RowSet Rows = new(
    [
        .. from axes in new[] { "", " | =1", " | =-1", " | =0,2", " | =-1,-3" } from keep in new[] { "keepdims=0", "keepdims=1" }
            select new GradientCase("ReduceSum", "N,3,2" + axes, keep),
        new("ReduceSum", "N,3 |", "noop_with_empty_axes=1 keepdims=0"), new("ReduceSum", "N,3 | =", "noop_with_empty_axes=1"),
        new("ReduceSum", "scalar"),
        .. from op in new[] { "ReduceMean", "ReduceMax", "ReduceMin" }
            from axes in new[] { "", "1", "-1", "0,2", "-1,-3" }
            from keep in new[] { "keepdims=0", "keepdims=1" }
            from form in new[] { AxesAsAttribute(op, axes, keep), AxesAsInput(op, axes, keep) }
            select form with { Step = 1 / 128f, Tolerance = 3e-3 },
        new("ReduceMean", "N,3 | =", "noop_with_empty_axes=1 keepdims=0") { From = 18 },
        new("ReduceMax", "N,3 | =", "noop_with_empty_axes=1 keepdims=0") { From = 18 },
        .. from op in new[] { "ReduceL1", "ReduceL2", "ReduceSumSquare", "ReduceLogSumExp", "ReduceLogSum", "ReduceProd" }
            from axes in new[] { "", "1", "0,2", "-1,-3" }
            where op is not "ReduceProd" || axes is "1"
            from keep in new[] { "keepdims=0", "keepdims=1" }
            from form in new[] { AxesAsAttribute(op, axes, keep), AxesAsInput(op, axes, keep) }
            select form with { Inputs = form.Inputs.Replace("distinct", op is "ReduceLogSum" ? "positive" : "") },
        .. from axes in new[] { "0", "2,0", "-1" } from keep in new[] { "keepdims=0", "keepdims=1" }
            select new GradientCase("ReduceProd", "5,3,6", $"axes=[{axes}] {keep}") { Until = 17 },
        new("ReduceProd", "N,7 positive | =1") { From = 18 }, new("ReduceProd", "N,3 | =", "noop_with_empty_axes=1") { From = 18 },
        new("ReduceL2", "N,3 | =", "noop_with_empty_axes=1 keepdims=0") { From = 18 },
        new("LpNormalization", "N,3,2"), new("LpNormalization", "N,3,2", "axis=1 p=1"), new("LpNormalization", "N,3", "axis=0 p=2"),
        .. from p in new[] { "", "p=1", "p=3" } from x in new[] { "N,3,5", "N,2,H,W" } select new GradientCase("GlobalLpPool", x, p),
        new("GlobalMaxPool", "N,3,5 distinct") { Step = 1 / 128f }, new("GlobalMaxPool", "N,3,2,5 distinct") { Step = 1 / 128f },
        new("GlobalMaxPool", "N,3,H,W distinct") { Step = 1 / 128f },
        new("GlobalAveragePool", "N,3,5"), new("GlobalAveragePool", "N,3,2,5"), new("GlobalAveragePool", "N,3,H,W"),
        new("GlobalAveragePool", "N,2,2,3,2"),
    ]);

    static GradientCase AxesAsAttribute(string op, string axes, string keep) =>
        new(op, "N,3,2 distinct", axes.Length > 0 ? $"axes=[{axes}] {keep}" : keep) { Until = 17 };

    static GradientCase AxesAsInput(string op, string axes, string keep) =>
        new(op, axes.Length > 0 ? $"N,3,2 distinct | ={axes}" : "N,3,2 distinct", keep) { From = 18 };

    public static TheoryData<string, int, bool> Runs => Rows.Runs;

    [Theory, MemberData(nameof(Runs))]
    public void Gradient_agrees_with_difference_quotients(string row, int opset, bool free) => Rows.Check(row, opset, free);
}
