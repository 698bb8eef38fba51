using RegistryUnlearn.Onnx.Graphs;

namespace RegistryUnlearn.Onnx.Gradients.Rules;

/// <summary>
/// Einstein summation: the gradient of an operand is the sum of products of the output's gradient and the other operands, over the labels
/// that the operand does not have. Along labels that only the operand has, it is repeated; where a label occurs twice in the operand, it
/// is on the diagonal.
/// </summary>
static class EinsteinSums
{
    const string Labels = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";

    public static IReadOnlyList<Rule> Rules { get; } = [new("", "Einsum", 12, Einsum)];

    static Value?[] Einsum(RuleContext r)
    {
        var (terms, output) = Parse(r);
        if (output.Where((l, o) => r.OutType().Shape[o] == 1 && terms.Where((t, i) => t.IndexOf(l) is >= 0 and var axis
            && r.InType(i).Shape[axis] != 1).Any()).Any())
            throw r.Refuse("an axis of size one repeated in the output", "repeat it with Expand before");
        return [.. terms.Select((_, i) => (Value?)Operand(r, terms, output, i))];
    }

    /// <summary>The labels of every operand and of the output; those of an ellipsis are new ones, the last axis always the same.</summary>
    static (string[] Terms, string Output) Parse(RuleContext r)
    {
        var equation = r.Node.Text("equation", "").Replace(" ", "");
        var arrow = equation.IndexOf("->", StringComparison.Ordinal);
        var terms = (arrow < 0 ? equation : equation[..arrow]).Split(',');
        int[] hidden = [.. terms.Select((t, i) => t.Contains("...") ? r.InType(i).Rank - (t.Length - 3) : 0)];
        var free = string.Concat(Labels.Where(l => !equation.Contains(l)).Take(hidden.Max()));
        // Without an arrow the output has the labels that occur once, in alphabetical order, behind those of the ellipsis.
        var output = arrow >= 0 ? equation[(arrow + 2)..].Replace("...", free)
            : free + string.Concat(terms.SelectMany(t => t).Where(char.IsLetter).GroupBy(l => l).Where(l => l.Count() == 1)
                .Select(l => l.Key).Order());
        return ([.. terms.Select((t, i) => t.Replace("...", free[^hidden[i]..]))], output);
    }

    static Value Operand(RuleContext r, string[] terms, string output, int index)
    {
        var term = terms[index];
        // Operands with axes of size one last: ONNX Runtime infers the size of a label from its first operand.
        int[] others = [.. Enumerable.Range(0, terms.Length).Where(i => i != index).OrderBy(i => r.InType(i).Sizes.Contains(1))];
        var kept = string.Concat(term.Distinct().Where(l => Reached(l) && !IsRepeated(l)));
        var gradient = others.Length == 0 ? r.DOut()
            : output.Length == 0 ? r.G.Mul(Sum(others.Select(i => terms[i]), others.Select(r.In)), r.DOut())
            : Sum(others.Select(i => terms[i]).Prepend(output), others.Select(r.In).Prepend(r.DOut()));
        if (others.Length == 0 && kept != output)
            gradient = Sum([output], [r.DOut()]);
        int[] twice = [.. Enumerable.Range(0, term.Length).Where(i => term.IndexOf(term[i]) < i)];
        long[] missing =
            [.. Enumerable.Range(0, term.Length).Where(i => !kept.Contains(term[i]) || twice.Contains(i)).Select(i => (long)i)];
        if (missing.Length > 0)
            gradient = r.G.Unsqueeze(gradient, missing);
        foreach (var axis in twice)
            gradient = r.G.Mul(gradient, Diagonal(r, index, term.IndexOf(term[axis]), axis));
        // A kept label that only an operand of size one has besides.
        var stretched = kept.Any(l => !output.Contains(l) && SizeIn(index, l) != 1 && others.All(i => (SizeIn(i, l) ?? 1) == 1));
        return stretched || term.Any(l => !Reached(l)) ? r.G.Expand(gradient, r.ShapeOfIn(index)) : gradient;

        bool Reached(char label) => output.Contains(label) || others.Any(i => terms[i].Contains(label));

        // An axis of size one, repeated along that of another operand.
        bool IsRepeated(char label) => SizeIn(index, label) == 1 && others.Any(i => SizeIn(i, label) is { } size && size != 1);

        Dim? SizeIn(int i, char label) => terms[i].IndexOf(label) is >= 0 and var axis ? r.InType(i).Shape[axis] : default(Dim?);

        Value Sum(IEnumerable<string> of, IEnumerable<Value> values) =>
            r.G.Add("Einsum", [.. values], Attributes.Of("equation", string.Join(',', of) + "->" + kept));
    }

    /// <summary>1 where two axes of an operand have the same index, 0 elsewhere, in the operand's rank.</summary>
    static Value Diagonal(RuleContext r, int index, int first, int second)
    {
        return r.G.Cast(r.G.Equal(Along(first), Along(second)));

        Value Along(int axis)
        {
            var shape = Enumerable.Repeat(1L, r.InType(index).Rank).ToArray();
            shape[axis] = -1;
            return r.G.Reshape(Attending.Positions(r.G, Attending.Size(r, r.In(index), r.InType(index), first)), shape);
        }
    }
}
