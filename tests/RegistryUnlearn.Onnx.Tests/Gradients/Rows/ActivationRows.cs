namespace RegistryUnlearn.Onnx.Tests.Gradients.Rows;

public sealed class ActivationRows
{
    internal static readonly RowSet Rows = new(
    [
        .. from op in new[] { "Elu", "Celu", "Selu", "Softsign", "HardSigmoid", "HardSwish", "ThresholdedRelu", "Shrink" }
            select new GradientCase(op, "N,3"),
        new("Elu", "N,3", "alpha=0.5"), new("Celu", "N,3", "alpha=0.5"), new("Selu", "N,3", "alpha=1.5 gamma=1.25"),
        new("ThresholdedRelu", "N,3", "alpha=0.5"), new("Shrink", "N,3", "lambd=0.75 bias=0.5"),
        new("HardSigmoid", "N,5", "alpha=1.0 beta=0.0"),
        new("Mish", "N,3") { From = 18 }, new("Gelu", "N,3") { From = 20 }, new("Gelu", "N,3", "approximate=tanh") { From = 20 },
        new("Swish", "N,3", "alpha=1.5") { From = 24 },
        .. from slope in new[] { "scalar", "1", "3", "1,3", "N,3" } select new GradientCase("PRelu", $"N,3 | {slope}"),
        new("PRelu", "N,3,H,W | 3,1,1"),
        .. from op in new[] { "Sin", "Cos", "Tan", "Atan", "Sinh", "Cosh", "Asinh" } select new GradientCase(op, "N,3"),
        .. from op in new[] { "Asin", "Acos", "Atanh" }
            select new GradientCase(op, "N,3") { Build = (g, x) => [g.Add(op, [g.Scale(x[0], 0.5f)])] },
        new("Acosh", "N,3 positive") { Build = (g, x) => [g.Add("Acosh", [g.Add(x[0], g.Scalar(1))])] },
    ]);

    public static TheoryData<string, int, bool> Runs => Rows.Runs;

    [Theory, MemberData(nameof(Runs))]
    public void Gradient_agrees_with_difference_quotients(string row, int opset, bool free) => Rows.Check(row, opset, free);
}
