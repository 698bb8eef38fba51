namespace RegistryUnlearn.Onnx.Gradients.Rules;

/// <summary>Operators through which no gradient flows, said explicitly; and operators that would need one but are refused.</summary>
static class WithoutGradient
{
    public static IReadOnlyList<Rule> Rules { get; } =
    [
        .. new[]
        {
            "Shape", "Size", "Constant", "ConstantOfShape", "Range", "NonZero", "ArgMax", "ArgMin", "OneHot", "EyeLike", "Equal", "Greater",
            "GreaterOrEqual", "Less", "LessOrEqual", "Not", "And", "Or", "Xor", "IsNaN", "IsInf", "Sign", "Floor", "Ceil", "Round", "Mod",
        }.Select(op => new Rule("", op, 1, _ => []) { StopsGradient = true }),
        .. new[] { "If", "Loop", "Scan", "SequenceMap" }.Select(op => new Rule("", op, 1, _ => [])
        {
            Refusal = "control flow is not differentiated; export the model with control flow unrolled or folded",
        }),
    ];
}
