namespace RegistryUnlearn.Onnx.Tests.Gradients.Rows;

public sealed class ElementwiseRows
{
    /// <summary>Shapes whose result is broadcast from the left, the right, both, or neither.</summary>
    static readonly string[] Broadcasts =
    [
        "N,3 | N,3", "N,3 | 3", "3 | N,3", "N,3 | scalar", "1 | N,3", "N,3 | N,1", "N,1 | 1,3", "N,2,3 | 2,1", "1,2,1 | N,1,3",
        "2,3 | N,1,2,3", "1,1 | N",
    ];

    internal static readonly RowSet Rows = new(
    [
        .. from op in new[] { "Add", "Sub", "Mul" } from shapes in Broadcasts select new GradientCase(op, shapes),
        .. from op in new[] { "Div", "Pow" } from shapes in Broadcasts
            select new GradientCase(op, string.Join(" | ", shapes.Split(" | ").Select(s => s + " positive"))),
        new("Mul", "N,3") { Build = (g, x) => [g.Mul(x[0], x[0])] },
        .. from exponent in new[] { "~0", "~1", "~2", "~3", "=s2", "=s3" } select new GradientCase("Pow", $"N,3 | {exponent}"),
        .. from exponent in new[] { "~0.5", "~-1.5" } select new GradientCase("Pow", $"N,3 positive | {exponent}"),
        new("Pow", "~2 | N,3"),
        new("Sum", "N,3"), new("Sum", "N,3 | 3"), new("Sum", "N,3 | N,1 | scalar"), new("Sum", "1,3 | N,1 | 2,1,1"),
        new("Where", "N,3 bool | N,3 | N,3"), new("Where", "3 bool | N,1 | scalar"), new("Where", "N,1 bool | 1,3 | 2,1,1"),
        new("Where", "scalar bool | N,3 | 3"),
        .. from op in new[] { "Max", "Min", "Mean" }
            from shapes in new[] { "N,3 distinct", "N,3 distinct | N,3", "N,3 distinct | 3", "N,1 distinct | 1,3 | 2,1,1" }
            select new GradientCase(op, shapes) { Step = 1 / 128f, Tolerance = 3e-3 },
        new("Identity", "N,3"), new("Dropout", "N,3"), new("Dropout", "N,3 | ~0.3"),
        new("Cast", "N,3", "to=1"), new("CastLike", "N,3 | ~1"),
        .. from op in new[] { "Neg", "Abs", "Exp", "Relu", "LeakyRelu", "Tanh", "Sigmoid", "Softplus", "Erf" }
            select new GradientCase(op, "N,3"),
        .. from op in new[] { "Log", "Sqrt", "Reciprocal" } select new GradientCase(op, "N,3 positive"),
        new("Neg", "scalar"),
        new("LeakyRelu", "N,3", "alpha=0.3"), new("LeakyRelu", "N,3", "alpha=0.0"),
        new("Clip", "N,4"), new("Clip", "N,4 | ~-0.5"), new("Clip", "N,4 |  | ~0.5"), new("Clip", "N,4 | ~-0.5 | ~0.5"),
        .. from op in new[] { "Softmax", "LogSoftmax" } from axis in new[] { "", "axis=0", "axis=1", "axis=-1" }
            select new GradientCase(op, "N,3,2", axis),
    ]);

    public static TheoryData<string, int, bool> Runs => Rows.Runs;

    [Theory, MemberData(nameof(Runs))]
    public void Gradient_agrees_with_difference_quotients(string row, int opset, bool free) => Rows.Check(row, opset, free);
}
