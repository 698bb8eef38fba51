using RegistryUnlearn.Onnx.Graphs;

namespace RegistryUnlearn.Onnx.Gradients.Rules;

/// <summary>
/// Rotary position embedding (Su et al., RoFormer, 2021): pairs of features turned by an angle that grows with the position.
/// </summary>
static class RotaryPositions
{
    public static IReadOnlyList<Rule> Rules { get; } =
    [
        // Inputs: x, cosines, sines [batch, steps, width], or [positions, width] with positions [batch, steps].
        Rule.Fused("RotaryEmbedding", 23, r => r.HasIn(3)
            ? Embed(r, r.G.Gather(r.In(1), r.In(3), 0), r.G.Gather(r.In(2), r.In(3), 0), r.InType(1).Sizes[^1], batched: true)
            : Embed(r, r.In(1), r.In(2), r.InType(1).Sizes[^1], batched: true)),
        // Inputs: x, positions [batch, steps] or the first one, cosines, sines [positions, width].
        Rule.Fused("RotaryEmbedding", 1, Microsoft, "com.microsoft"),
    ];

    static Value Microsoft(RuleContext r)
    {
        if (r.Int("is_packed_batching", 0) == 1 || r.Float("scale", 1) is not 1f)
            throw r.Refuse("packed batches or a scale", "use the model as it was before ONNX Runtime optimized it");
        var batched = r.InType(1).Rank == 2;
        var positions = batched ? r.In(1)
            : r.G.Add(r.In(1), Attending.Positions(r.G, Attending.Size(r, r.In(0), r.InType(0), r.InType(0).Rank - 2)));
        return Embed(r, r.G.Gather(r.In(2), positions, 0), r.G.Gather(r.In(3), positions, 0), r.InType(2).Sizes[^1], batched);
    }

    /// <summary>x as [batch, heads, steps, size], or as [batch, steps, heads · size].</summary>
    static Value Embed(RuleContext r, Value cosines, Value sines, long width, bool batched)
    {
        var flat = r.InType(0).Rank == 3;
        var interleaved = r.Int("interleaved", 0) == 1;
        if (!flat)
            return Rotate(r.G, r.In(0), r.InType(0).Sizes[^1], cosines, sines, width, interleaved, stepAxis: 2, batched);
        var heads = r.Int("num_heads", 0) is > 0 and var given ? given
            : r.Int("rotary_embedding_dim", 0) == 0 ? r.InType(0).Sizes[^1] / (2 * width)
            : throw r.Refuse("a part of the features rotated and no number of heads", "export it with the attribute num_heads");
        var x = r.G.Reshape(r.In(0), 0, 0, heads, -1);
        return r.G.Reshape(
            Rotate(r.G, x, r.InType(0).Sizes[^1] / heads, cosines, sines, width, interleaved, stepAxis: 1, batched), 0, 0, -1);
    }

    /// <summary>
    /// Turns the first 2 · width features: feature i with feature i + width, or neighbours (interleaved); the others stay.
    /// </summary>
    /// <param name="x">Rank 4, steps on axis 1 or 2, features last.</param>
    /// <param name="cosines">[batch, steps, width], or [steps, width] when not batched.</param>
    public static Value Rotate(GraphBuilder g, Value x, long size, Value cosines, Value sines, long width, bool interleaved, int stepAxis,
        bool batched)
    {
        // The axis of heads, of which angles know nothing.
        var headAxis = (3 - stepAxis) - (batched ? 0 : 1);
        (cosines, sines) = (g.Unsqueeze(cosines, headAxis), g.Unsqueeze(sines, headAxis));
        var parts = size > 2 * width ? g.Split(x, [2 * width, size - 2 * width], 3) : [x];
        Value first, second;
        if (interleaved)
        {
            var pairs = g.Split(g.Reshape(parts[0], 0, 0, 0, -1, 2), [1, 1], 4);
            (first, second) = (g.Squeeze(pairs[0], 4), g.Squeeze(pairs[1], 4));
        }
        else
        {
            var halves = g.Split(parts[0], [width, width], 3);
            (first, second) = (halves[0], halves[1]);
        }
        var real = g.Sub(g.Mul(cosines, first), g.Mul(sines, second));
        var imaginary = g.Add(g.Mul(sines, first), g.Mul(cosines, second));
        var rotated = interleaved ? g.Reshape(g.Concat([g.Unsqueeze(real, 4), g.Unsqueeze(imaginary, 4)], 4), 0, 0, 0, -1)
            : g.Concat([real, imaginary], 3);
        return parts.Length > 1 ? g.Concat([rotated, parts[1]], 3) : rotated;
    }
}
