using RegistryUnlearn.Onnx.Graphs;
using RegistryUnlearn.Onnx.Proto;

namespace RegistryUnlearn.Onnx.Gradients.Rules;

/// <summary>Gathering by index; the adjoint scatters with addition, so that an index used twice receives both gradients.</summary>
static class Indexing
{
    public static IReadOnlyList<Rule> Rules { get; } =
    [
        new("", "Gather", 13, Gather),
        new("", "GatherND", 13, r => [ScatterNd(r, r.G.Zeros(r.ShapeOfIn(0)), FullIndices(r), r.DOut()), null]),
        new("", "GatherElements", 13, r =>
            [r.G.Add("ScatterElements", [r.G.Zeros(r.ShapeOfIn(0)), r.In(1), r.DOut()], Axis(r), Attributes.Of("reduction", "add")), null]),
        new("", "ScatterND", 16, r => Added(r) ? [r.DOut(), null, r.G.Add("GatherND", [r.DOut(), r.In(1)])]
            : [r.G.Add("ScatterND", [r.DOut(), r.In(1), r.G.Zeros(r.ShapeOfIn(2))]), null, r.G.Add("GatherND", [r.DOut(), r.In(1)])]),
        new("", "ScatterElements", 16, r => Added(r) ? [r.DOut(), null, r.G.Add("GatherElements", [r.DOut(), r.In(1)], Axis(r))]
            : [r.G.Add("ScatterElements", [r.DOut(), r.In(1), r.G.Zeros(r.ShapeOfIn(2))], Axis(r)), null,
                r.G.Add("GatherElements", [r.DOut(), r.In(1)], Axis(r))]),
    ];

    static IEnumerable<long> Axes(int start, int count) => Enumerable.Range(start, count).Select(a => (long)a);

    static AttributeProto Axis(RuleContext r) => Attributes.Of("axis", r.Int("axis", 0));

    static Value ScatterNd(RuleContext r, Value data, Value indices, Value updates) =>
        r.G.Add("ScatterND", [data, indices, updates], Attributes.Of("reduction", "add"));

    static bool Added(RuleContext r) => r.Node.Text("reduction", "none") switch
    {
        "add" => true,
        "none" => false,
        var other => throw r.Refuse($"reduction '{other}'", "export the model without it, or train only the layers behind it"),
    };

    /// <summary>
    /// The indices of GatherND with their own position on the batch axes in front, so that they count from the first axis.
    /// </summary>
    static Value FullIndices(RuleContext r)
    {
        var (g, rank, batch) = (r.G, r.InType(1).Rank, (int)r.Int("batch_dims", 0));
        if (batch == 0)
            return r.In(1);
        var shape = r.ShapeOfIn(1);
        var one = g.Concat([g.Slice(shape, [0], [-1], [0], [1]), g.Ints(1)], 0);
        return g.Concat([.. Axes(0, batch).Select(PositionsOn), r.In(1)], rank - 1);

        Value PositionsOn(long axis)
        {
            var positions = Attending.Positions(g, Attending.Size(r, r.In(1), r.InType(1), (int)axis));
            return g.Expand(g.Reshape(positions, [.. Axes(0, rank).Select(a => a == axis ? -1L : 1)]), one);
        }
    }

    /// <summary>Scatters along the first axis; another axis is moved to the front and back. ScatterND takes int64 indices only.</summary>
    static Value?[] Gather(RuleContext r)
    {
        int axis = r.InType(0).Axis(r.Int("axis", 0)), rank = r.InType(0).Rank, width = r.InType(1).Rank;
        var wide = r.InType(1).Element is TensorProto.Types.DataType.Int64 ? r.In(1) : r.G.Cast(r.In(1), TensorProto.Types.DataType.Int64);
        var indices = r.G.Unsqueeze(wide, -1);
        if (axis == 0)
            return [ScatterNd(r, r.G.Zeros(r.ShapeOfIn(0)), indices, r.DOut()), null];
        long[] toFront = [axis, .. Axes(0, rank).Where(a => a != axis)];
        long[] back = [.. Axes(1, axis), 0, .. Axes(axis + 1, rank - axis - 1)];
        long[] updateOrder = [.. Axes(axis, width), .. Axes(0, axis), .. Axes(axis + width, rank - axis - 1)];
        var zeros = r.G.Zeros(r.G.Gather(r.ShapeOfIn(0), r.G.Ints(toFront), 0));
        return [r.G.Transpose(ScatterNd(r, zeros, indices, r.G.Transpose(r.DOut(), updateOrder)), back), null];
    }
}
