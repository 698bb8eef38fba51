using RegistryUnlearn.Onnx.Graphs;

namespace RegistryUnlearn.Onnx.Gradients;

/// <summary>
/// How gradients pass one operator: a pure function from the node and the cotangents of its outputs to one cotangent per input
/// (null: this input carries none, as indices and shapes do).
/// </summary>
/// <param name="Domain">Operator domain, empty for the standard one.</param>
/// <param name="Since">First version of the operator that the rule is right for.</param>
public sealed record Rule(string Domain, string Op, int Since, Func<RuleContext, Value?[]> Pull)
{
    /// <summary>The output does not depend on the inputs smoothly, or only piecewise constantly: gradients end here.</summary>
    public bool StopsGradient { get; init; }

    /// <summary>
    /// For operators that stand for several simpler ones: appends these and returns what the outputs become (null, or left out: not
    /// offered). The node gives way to them before differentiation, so that it needs no gradient of its own.
    /// </summary>
    public Func<RuleContext, Value?[]>? Decompose { get; init; }

    /// <summary>Why this operator cannot be differentiated here, and what to do; null where it can.</summary>
    public string? Refusal { get; init; }

    internal static Rule Unary(string op, int since, Func<RuleContext, Value> gradient) => new("", op, since, r => [gradient(r)]);

    internal static Rule Fused(string op, int since, Func<RuleContext, Value?[]> decompose, string domain = "") =>
        new(domain, op, since, r => throw new InvalidOperationException($"{r.Node.OpType} has not been decomposed"))
        {
            Decompose = decompose,
        };

    internal static Rule Fused(string op, int since, Func<RuleContext, Value> decompose, string domain = "") =>
        Fused(op, since, r => [decompose(r)], domain);
}
