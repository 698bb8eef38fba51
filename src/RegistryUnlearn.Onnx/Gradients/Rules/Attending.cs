using RegistryUnlearn.Onnx.Graphs;
using RegistryUnlearn.Onnx.Models;
using RegistryUnlearn.Onnx.Proto;

namespace RegistryUnlearn.Onnx.Gradients.Rules;

/// <summary>
/// Scaled dot-product attention in matrix products and Softmax (Vaswani et al., Attention Is All You Need, 2017, section 3.2), for the
/// operators that have it in one node.
/// </summary>
static class Attending
{
    /// <summary>Added to a score, it makes the weight zero; two of them still are a finite number.</summary>
    const float Excluded = float.MinValue / 4;

    /// <summary>softmax(c·tanh(scale·q·kᵀ/c) + masks)·v, without c·tanh(·/c) where c is zero.</summary>
    /// <param name="q">[batch, heads, queries, size]; several heads in a row share a head of keys and values.</param>
    /// <param name="k">[batch, key heads, keys, size].</param>
    /// <param name="v">[batch, key heads, keys, value size].</param>
    /// <param name="masks">Added to the scores, each broadcast to [batch, heads, queries, keys].</param>
    /// <returns>[batch, heads, queries, value size].</returns>
    public static Value Attend(GraphBuilder g, Value q, Value k, Value v, float scale, float cap, IEnumerable<Value> masks)
    {
        var scores = g.MatMul(g.Scale(q, scale), g.Transpose(k, [0, 1, 3, 2]));
        if (cap > 0)
            scores = g.Scale(g.Tanh(g.Scale(scores, 1 / cap)), cap);
        return g.MatMul(g.Softmax(masks.Aggregate(scores, g.Add), -1), v);
    }

    /// <summary>[batch, steps, heads · size] → [batch, heads, steps, size].</summary>
    public static Value SplitHeads(GraphBuilder g, Value x, long heads) => g.Transpose(g.Reshape(x, 0, 0, heads, -1), [0, 2, 1, 3]);

    /// <summary>[batch, heads, steps, size] → [batch, steps, heads · size].</summary>
    public static Value MergeHeads(GraphBuilder g, Value x) => g.Reshape(g.Transpose(x, [0, 2, 1, 3]), 0, 0, -1);

    /// <summary>Every head of keys or values as many times in a row as query heads share it.</summary>
    public static Value RepeatHeads(GraphBuilder g, Value x, long heads, long keyHeads, long size) => heads == keyHeads ? x
        : g.Reshape(g.Expand(g.Unsqueeze(x, 2), g.Ints(1, 1, heads / keyHeads, 1, 1)), 0, heads, -1, size);

    /// <summary>Zero where the condition holds, and what excludes a key elsewhere.</summary>
    public static Value Mask(GraphBuilder g, Value condition, float excluded = Excluded) =>
        g.Where(condition, g.Scalar(0), g.Scalar(excluded));

    /// <summary>Lets every query see the keys up to its own position: [queries, keys].</summary>
    public static Value Causal(GraphBuilder g, Value queries, Value keys) =>
        Mask(g, g.LessOrEqual(Positions(g, keys), g.Unsqueeze(Positions(g, queries), 1)));

    /// <summary>0, 1, 2 and so on (int64), as many as an int64 scalar says.</summary>
    public static Value Positions(GraphBuilder g, Value count) => g.Add("Range", [Integer(g, 0), count, Integer(g, 1)]);

    /// <summary>The size of an axis as an int64 scalar, constant where it is fixed.</summary>
    public static Value Size(RuleContext r, Value x, TensorType type, int axis) =>
        type.Shape[axis] is { IsFixed: true } dim ? Integer(r.G, dim.Size) : r.G.Gather(r.G.Shape(x), Integer(r.G, axis), 0);

    /// <summary>
    /// The keys that are no padding: 0 and 1 per key [batch, keys] or per query and key [batch, queries, keys], or the number of keys per
    /// sample [batch].
    /// </summary>
    /// <param name="keys">The number of keys, an int64 scalar.</param>
    /// <exception cref="OnnxModelException">The mask has another form.</exception>
    public static Value Padding(RuleContext r, int input, Value keys, float excluded)
    {
        var (g, type, mask) = (r.G, r.InType(input), r.In(input));
        return type.Rank switch
        {
            1 when type.Shape[0] == r.InType(0).Shape[0] =>
                Mask(g, g.Less(Positions(g, keys), g.Unsqueeze(g.Cast(mask, TensorProto.Types.DataType.Int64), 1, 2, 3)), excluded),
            2 => Mask(g, g.Cast(g.Unsqueeze(mask, 1, 2), TensorProto.Types.DataType.Bool), excluded),
            3 => Mask(g, g.Cast(g.Unsqueeze(mask, 1), TensorProto.Types.DataType.Bool), excluded),
            _ => throw r.Refuse($"a mask of the form {type}", "give it a mask with one element per sample and key"),
        };
    }

    static Value Integer(GraphBuilder g, long value) => g.Constant(Tensors.Of([value], dims: []));
}
