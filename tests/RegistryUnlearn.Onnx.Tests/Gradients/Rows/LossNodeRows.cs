namespace RegistryUnlearn.Onnx.Tests.Gradients.Rows;

public sealed class LossNodeRows
{
    internal static readonly RowSet Rows = new(
    [
        .. from op in new[] { "SoftmaxCrossEntropyLoss", "NegativeLogLikelihoodLoss" }
            from shapes in new[] { "N,3 | N index<3", "N,3,H | N,H index<3 | 3 positive", "N,3 | N int32<3 | 3 positive" }
            from form in new[] { "", "reduction=sum", "reduction=none ignore_index=1", "reduction=mean ignore_index=2" }
            select new GradientCase(op, shapes, form),
        new("SoftmaxCrossEntropyLoss", "N,3,2,2 | N,2,2 index<3", "ignore_index=-100") { Outputs = 2 },
    ]);

    public static TheoryData<string, int, bool> Runs => Rows.Runs;

    [Theory, MemberData(nameof(Runs))]
    public void Gradient_agrees_with_difference_quotients(string row, int opset, bool free) => Rows.Check(row, opset, free);
}
