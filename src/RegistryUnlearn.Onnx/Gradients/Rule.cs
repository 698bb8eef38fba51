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

    /// <summary>Why this operator cannot be differentiated here, and what to do; null where it can.</summary>
    public string? Refusal { get; init; }
}
