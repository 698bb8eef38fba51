using RegistryUnlearn.Onnx.Graphs;
using RegistryUnlearn.Onnx.Proto;
using static RegistryUnlearn.Onnx.Gradients.Rules.Attending;

namespace RegistryUnlearn.Onnx.Gradients.Rules;

/// <summary>Attention in one node: the standard operator, and those of the domain com.microsoft that optimized models have.</summary>
static class AttentionLayers
{
    const string Microsoft = "com.microsoft";

    public static IReadOnlyList<Rule> Rules { get; } =
    [
        Rule.Fused("Attention", 23, Standard),
        Rule.Fused("Attention", 1, Projected, Microsoft),
        Rule.Fused("MultiHeadAttention", 1, MultiHead, Microsoft),
        Rule.Fused("GroupQueryAttention", 1, GroupQuery, Microsoft),
    ];

    /// <summary>
    /// Inputs: queries, keys, values (all [batch, steps, features] or [batch, heads, steps, size]), mask. Outputs: y, keys, values.
    /// </summary>
    static Value?[] Standard(RuleContext r)
    {
        RefuseCache(r, 4, 5);
        if (r.HasIn(6))
            throw r.Refuse("key lengths (nonpad_kv_seqlen)", "export it with a mask");
        var g = r.G;
        var flat = r.InType(0).Rank == 3;
        long heads = Heads(0, "q_num_heads"), keyHeads = Heads(1, "kv_num_heads");
        Value[] qkv = flat ? [SplitHeads(g, r.In(0), heads), SplitHeads(g, r.In(1), keyHeads), SplitHeads(g, r.In(2), keyHeads)]
            : [r.In(0), r.In(1), r.In(2)];
        List<Value> masks = [];
        if (r.Int("is_causal", 0) == 1)
            masks.Add(Causal(g, Size(r, r.In(0), r.InType(0), flat ? 1 : 2), Size(r, r.In(1), r.InType(1), flat ? 1 : 2)));
        if (r.HasIn(3))
            masks.Add(r.InType(3).Element is TensorProto.Types.DataType.Bool ? Mask(g, r.In(3)) : r.In(3));
        var size = Width(r, 0) / (flat ? heads : 1);
        var y = Attend(g, qkv[0], RepeatHeads(g, qkv[1], heads, keyHeads, size),
            RepeatHeads(g, qkv[2], heads, keyHeads, Width(r, 2) / (flat ? keyHeads : 1)), Scaling(r, size), r.Float("softcap", 0), masks);
        return [flat ? MergeHeads(g, y) : y, qkv[1], qkv[2]];

        long Heads(int i, string attribute) => flat ? r.Int(attribute, 0) : r.InType(i).Sizes[1];
    }

    /// <summary>Inputs: x, weights [features, q | k | v], bias, padding mask, cache, mask that is added to the scores.</summary>
    static Value?[] Projected(RuleContext r)
    {
        RefuseCache(r, 4, 6);
        if (r.Int("do_rotary", 0) == 1)
            throw r.Refuse("rotary positions", BeforeOptimization);
        var (g, heads) = (r.G, r.Int("num_heads", 1));
        var sizes = r.Ints("qkv_hidden_sizes") ?? [.. Enumerable.Repeat(r.InType(1).Sizes[1] / 3, 3)];
        var projected = g.MatMul(r.In(0), r.In(1));
        Value[] qkv = [.. g.Split(r.HasIn(2) ? g.Add(projected, r.In(2)) : projected, sizes, 2).Select(x => SplitHeads(g, x, heads))];
        var steps = Size(r, r.In(0), r.InType(0), 1);
        return [MergeHeads(g, Attend(g, qkv[0], qkv[1], qkv[2], Scaling(r, sizes[0] / heads), 0, Masks(r, 3, 5, steps, steps)))];
    }

    /// <summary>
    /// Inputs: queries [batch, steps, features], keys and values in the same form or [batch, heads, steps, size] (which get no bias), bias
    /// q | k | v, padding mask, mask that is added to the scores. Outputs: y, keys, values.
    /// </summary>
    static Value?[] MultiHead(RuleContext r)
    {
        RefuseCache(r, 6, 7, 8, 9);
        if (r.InType(0).Rank != 3 || !r.HasIn(1) || !r.HasIn(2))
            throw r.Refuse("queries, keys and values packed in one input", BeforeOptimization);
        var (g, heads) = (r.G, r.Int("num_heads", 1));
        var flat = r.InType(1).Rank == 3;
        long size = Width(r, 0) / heads, valueSize = Width(r, 2) / (flat ? heads : 1);
        Value[] biases = r.HasIn(3) ? g.Split(r.In(3), [heads * size, heads * size, heads * valueSize], 0) : [];
        Value[] qkv = [Part(0), flat ? Part(1) : r.In(1), flat ? Part(2) : r.In(2)];
        Value steps = Size(r, r.In(0), r.InType(0), 1), keys = Size(r, r.In(1), r.InType(1), flat ? 1 : 2);
        var y = Attend(g, qkv[0], qkv[1], qkv[2], Scaling(r, size), 0, Masks(r, 4, 5, steps, keys));
        return [MergeHeads(g, y), qkv[1], qkv[2]];

        Value Part(int i) => SplitHeads(g, biases.Length > 0 ? g.Add(r.In(i), biases[i]) : r.In(i), heads);
    }

    /// <summary>
    /// Causal attention over a whole prompt. Inputs: queries, keys, values [batch, steps, features] (or all in the first), cache, key
    /// lengths less one, total length, cosines and sines of positions, positions, mask that is added to the scores.
    /// </summary>
    static Value?[] GroupQuery(RuleContext r)
    {
        RefuseCache(r, 3, 4);
        if (r.Int("local_window_size", -1) > 0 || r.Int("smooth_softmax", 0) == 1 || r.HasIn(11))
            throw r.Refuse("a local window, a smooth softmax or a sink", BeforeOptimization);
        var g = r.G;
        long heads = r.Int("num_heads", 1), keyHeads = r.Int("kv_num_heads", 1);
        var size = Width(r, 0) / (r.HasIn(1) ? heads : heads + 2 * keyHeads);
        Value[] flat = r.HasIn(1) ? [r.In(0), r.In(1), r.In(2)] : g.Split(r.In(0), [heads * size, keyHeads * size, keyHeads * size], 2);
        var steps = Size(r, r.In(0), r.InType(0), 1);
        Value[] qkv = [SplitHeads(g, flat[0], heads), SplitHeads(g, flat[1], keyHeads), SplitHeads(g, flat[2], keyHeads)];
        if (r.Int("do_rotary", 0) == 1)
        {
            var positions = r.HasIn(9) ? r.In(9) : Positions(g, steps);
            var width = r.InType(7).Sizes[1];
            for (var i = 0; i < 2; i++)
                qkv[i] = RotaryPositions.Rotate(g, qkv[i], size, g.Gather(r.In(7), positions, 0), g.Gather(r.In(8), positions, 0), width,
                    r.Int("rotary_interleaved", 0) == 1, stepAxis: 2, batched: r.HasIn(9));
        }
        List<Value> masks = [Causal(g, steps, steps)];
        if (r.HasIn(10))
            masks.Add(r.In(10));
        var y = Attend(g, qkv[0], RepeatHeads(g, qkv[1], heads, keyHeads, size), RepeatHeads(g, qkv[2], heads, keyHeads, size),
            Scaling(r, size), r.Float("softcap", 0), masks);
        return [MergeHeads(g, y), qkv[1], qkv[2]];
    }

    static List<Value> Masks(RuleContext r, int padding, int added, Value steps, Value keys)
    {
        List<Value> masks = [];
        if (r.Int("unidirectional", 0) == 1)
            masks.Add(Causal(r.G, steps, keys));
        if (r.HasIn(padding))
            masks.Add(Padding(r, padding, keys, r.Float("mask_filter_value", -10000)));
        if (r.HasIn(added))
            masks.Add(r.In(added));
        return masks;
    }

    /// <summary>The attribute "scale"; 1/√size when absent or zero.</summary>
    static float Scaling(RuleContext r, long size) => r.Float("scale", 0) is not 0f and var scale ? scale : 1 / MathF.Sqrt(size);

    /// <summary>The last dimension of an input.</summary>
    static long Width(RuleContext r, int i) => r.InType(i).Shape[^1] is { IsFixed: true } dim ? dim.Size
        : throw r.Refuse($"a last dimension of input {i} that is not fixed", "export it with fixed sizes of the features");

    const string BeforeOptimization = "use the model as it was before ONNX Runtime optimized it";

    static void RefuseCache(RuleContext r, params ReadOnlySpan<int> inputs)
    {
        foreach (var i in inputs)
            if (r.HasIn(i))
                throw r.Refuse("a cache of keys and values", "export the model without one, as it runs on a whole sequence");
    }
}
