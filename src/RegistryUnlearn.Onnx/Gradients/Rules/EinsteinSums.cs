using RegistryUnlearn.Onnx.Graphs;
using RegistryUnlearn.Onnx.Models;

namespace RegistryUnlearn.Onnx.Gradients.Rules;

/// <summary>
/// Einstein summation: the gradient of an operand is the sum of products of the output's gradient and the other operands, over the labels
/// that the operand does not have; along labels that only the operand has, it is repeated.
/// </summary>
static class EinsteinSums
{
    public static IReadOnlyList<Rule> Rules { get; } = [new("", "Einsum", 12, Einsum)];

    static Value?[] Einsum(RuleContext r)
    {
        var equation = r.Node.Text("equation", "").Replace(" ", "");
        var arrow = equation.IndexOf("->", StringComparison.Ordinal);
        var terms = (arrow < 0 ? equation : equation[..arrow]).Split(',');
        // Without an arrow the output has the labels that occur once, in alphabetical order.
        var output = arrow >= 0 ? equation[(arrow + 2)..]
            : string.Concat(terms.SelectMany(t => t).GroupBy(l => l).Where(l => l.Count() == 1).Select(l => l.Key).Order());
        if (equation.Contains('.') || terms.Append(output).Any(t => t.Distinct().Count() < t.Length))
            throw new OnnxModelException($"Einsum (node '{r.Node.Name}') with equation '{equation}' has no gradient rule; "
                + "write it without ellipsis and without a label twice in one term");
        var sizes = terms.SelectMany((t, i) => t.Zip(r.InType(i).Shape)).GroupBy(p => p.First, p => p.Second == 1);
        if (sizes.Any(ones => ones.Distinct().Count() > 1))
            throw new OnnxModelException($"Einsum (node '{r.Node.Name}') repeats an axis of size one, which has no gradient rule; "
                + "repeat it with Expand before");
        return [.. terms.Select((_, i) => (Value?)Operand(r, terms, output, i))];
    }

    static Value Operand(RuleContext r, string[] terms, string output, int index)
    {
        var term = terms[index];
        int[] others = [.. Enumerable.Range(0, terms.Length).Where(i => i != index)];
        var reached = string.Concat(others.Select(i => terms[i])) + output;
        var kept = string.Concat(term.Where(reached.Contains));
        var gradient = others.Length == 0 ? r.DOut()
            : output.Length == 0 ? r.G.Mul(Sum(others.Select(i => terms[i]), others.Select(r.In)), r.DOut())
            : Sum(others.Select(i => terms[i]).Prepend(output), others.Select(r.In).Prepend(r.DOut()));
        if (others.Length == 0 && kept != output)
            gradient = Sum([output], [r.DOut()]);
        long[] missing = [.. term.Select((l, i) => (l, i)).Where(p => !reached.Contains(p.l)).Select(p => (long)p.i)];
        if (missing.Length > 0)
            gradient = r.G.Unsqueeze(gradient, missing);
        return missing.Length > 0 ? r.G.Expand(gradient, r.ShapeOfIn(index)) : gradient;

        Value Sum(IEnumerable<string> of, IEnumerable<Value> values) =>
            r.G.Add("Einsum", [.. values], Attributes.Of("equation", string.Join(',', of) + "->" + kept));
    }
}
