using RegistryUnlearn.Onnx.Graphs;

namespace RegistryUnlearn.Onnx.Gradients.Rules;

/// <summary>Gemm and MatMul with broadcasting of leading axes.</summary>
static class MatrixProducts
{
    public static IReadOnlyList<Rule> Rules { get; } =
    [
        new("", "Gemm", 11, Gemm),
        new("", "MatMul", 9, MatMul),
    ];

    static Value?[] Gemm(RuleContext r)
    {
        bool ta = r.Int("transA", 0) == 1, tb = r.Int("transB", 0) == 1;
        var alpha = r.Float("alpha", 1);
        var da = ta ? r.G.Gemm(r.In(1), r.DOut(), tb, true, alpha) : r.G.Gemm(r.DOut(), r.In(1), false, !tb, alpha);
        var db = tb ? r.G.Gemm(r.DOut(), r.In(0), true, ta, alpha) : r.G.Gemm(r.In(0), r.DOut(), !ta, false, alpha);
        return [da, db, r.HasIn(2) ? r.Unbroadcast(r.G.Scale(r.DOut(), r.Float("beta", 1)), 2) : null];
    }

    static Value?[] MatMul(RuleContext r)
    {
        TensorType a = r.InType(0), b = r.InType(1);
        if (a.Rank == 1 || b.Rank == 1)
            return WithVector(r, a, b);
        if (b.Rank == 2)
            return
            [
                r.G.MatMul(r.DOut(), r.G.Transpose(r.In(1), [1, 0])),
                r.G.Gemm(Rows(r.G, r.In(0), a), Rows(r.G, r.DOut(), r.OutType()), transA: true),
            ];
        var da = r.G.MatMul(r.DOut(), Swap(r.G, r.In(1), b));
        var db = r.G.MatMul(Swap(r.G, r.In(0), a), r.DOut());
        return [r.Unbroadcast(da, Product(r, a.Shape[^2], a.Shape[^1]), 0), r.Unbroadcast(db, Product(r, b.Shape[^2], b.Shape[^1]), 1)];
    }

    /// <summary>The type of a product with the broadcast leading axes of the output.</summary>
    static TensorType Product(RuleContext r, Dim rows, Dim columns) =>
        new(r.OutType().Element, [.. r.OutType().Shape.SkipLast(2), rows, columns]);

    /// <summary>Leading axes merged into one: a matrix with the same last axis.</summary>
    static Value Rows(GraphBuilder g, Value x, TensorType type) =>
        type.Rank == 2 ? x
        : type.Shape[^1].IsFixed ? g.Reshape(x, -1, type.Shape[^1].Size)
        : g.Reshape(x, g.Concat([g.Ints(-1), g.Gather(g.Shape(x), g.Ints(type.Rank - 1), 0)], 0));

    static Value Swap(GraphBuilder g, Value x, TensorType type) =>
        g.Transpose(x, [.. Enumerable.Range(0, type.Rank - 2).Select(i => (long)i), type.Rank - 1, type.Rank - 2]);

    /// <summary>A vector is a matrix with one row (left) or one column (right); the product's missing axis is put back first.</summary>
    static Value?[] WithVector(RuleContext r, TensorType a, TensorType b)
    {
        if (a.Rank == 1 && b.Rank == 1)
            return [r.G.Mul(r.DOut(), r.In(1)), r.G.Mul(r.DOut(), r.In(0))];
        if (b.Rank == 1)
        {
            var column = r.G.Unsqueeze(r.DOut(), -1);
            return
            [
                r.G.Mul(column, r.In(1)),
                r.G.ReduceSum(r.G.Mul(column, r.In(0)), [.. Enumerable.Range(0, a.Rank - 1).Select(i => (long)i)], keep: false),
            ];
        }
        var row = r.G.Unsqueeze(r.DOut(), -2);
        var left = r.G.Unsqueeze(r.In(0), -1);
        var da = r.G.ReduceSum(
            r.G.Mul(row, r.In(1)), [.. Enumerable.Range(0, b.Rank).Where(i => i != b.Rank - 2).Select(i => (long)i)], keep: false);
        return [da, r.G.Mul(row, left)];
    }
}
