namespace RegistryUnlearn.Onnx.Tests.Gradients.Rows;

public sealed class MatrixProductRows
{
    internal static readonly RowSet Rows = new(
    [
        .. from a in new[] { "N,3", "3,N" } from b in new[] { "3,5", "5,3" }
            select new GradientCase("Gemm", $"{a} | {b} | 5",
                $"transA={(a[0] == '3' ? 1 : 0)} transB={(b[0] == '5' ? 1 : 0)} alpha=0.5 beta=-2.0"),
        .. from c in new[] { "scalar", "1", "5", "1,5", "N,1", "N,5" } select new GradientCase("Gemm", $"N,3 | 3,5 | {c}", "beta=0.5"),
        new("Gemm", "N,3 | 3,5"), new("Gemm", "N,3 | 3,5", "alpha=3.0"),
        .. from shapes in new[]
            {
                "N,3 | 3,5", "N,2,3 | 3,5", "N,H,3 | 3,5", "N,2,H,3 | 3,2", "N,2,3 | N,3,4", "N,2,3,4 | N,2,4,3", "2,3 | N,3,4",
                "N,1,2,3 | 5,3,4", "1,2,3 | N,3,4", "N,2,1,3 | N,1,3,2",
                "N,H,3 | N,3,H", "N,3,H | N,H,2", "N,H | H,3", "3 | 3", "N,3 | 3", "N,2,3 | 3", "3 | 3,N", "3 | N,3,2", "N | N,3",
            }
            select new GradientCase("MatMul", shapes),
    ]);

    public static TheoryData<string, int, bool> Runs => Rows.Runs;

    [Theory, MemberData(nameof(Runs))]
    public void Gradient_agrees_with_difference_quotients(string row, int opset, bool free) => Rows.Check(row, opset, free);
}
