using RegistryUnlearn.Onnx.Graphs;

namespace RegistryUnlearn.Onnx.Losses;

/// <summary>
/// The logits of a batch beside their labels, as R rows: one per sample, or one per position of every sample. Losses are computed per row;
/// this is the one place that knows which rows belong together and which of them count.
/// </summary>
public sealed class LabelledLogits
{
    /// <summary>The label of a position that does not count, such as padding; PyTorch's default for <c>ignore_index</c>.</summary>
    public const long Ignored = -100;

    readonly GraphBuilder g;
    readonly LogitLayout layout;
    readonly Value counted;

    /// <param name="logits">As <see cref="LogitLayout.Arrange"/> gives them.</param>
    /// <param name="labels">As <see cref="LogitLayout.AddLabels"/> declares them; negative ones do not count.</param>
    public LabelledLogits(GraphBuilder g, LogitLayout layout, Value logits, Value labels, long classes)
    {
        (this.g, this.layout, Logits, Labels) = (g, layout, logits, labels);
        if (layout.IsPerSample)
            return;
        Logits = g.Reshape(logits, -1, classes);
        Labels = g.Reshape(labels, -1);
        counted = g.Cast(g.GreaterOrEqual(Labels, g.Ints(0)));
    }

    /// <summary>[R, C]</summary>
    public Value Logits { get; }

    /// <summary>[R]; a row that does not count has none of the classes.</summary>
    public Value Labels { get; }

    /// <summary>Mean over all rows of the batch that count, a scalar.</summary>
    /// <param name="perRow">[R]</param>
    public Value Mean(Value perRow) =>
        layout.IsPerSample ? g.MeanAll(perRow) : g.Div(g.SumAll(g.Mul(perRow, counted)), g.SumAll(counted));

    /// <summary>Mean over each sample's rows that count, [N] or [N, columns]; 0 for a sample without any.</summary>
    /// <param name="perRow">[R], or [R, columns]</param>
    /// <param name="columns">Null for a vector.</param>
    public Value PerSample(Value perRow, long? columns = null)
    {
        if (layout.IsPerSample)
            return perRow;
        var counts = g.Add("Max", [g.ReduceSum(g.Reshape(counted, -1, layout.Rows), [1], keep: columns is not null), g.Scalar(1)]);
        var weighted = columns is { } width
            ? g.Reshape(g.Mul(perRow, g.Unsqueeze(counted, 1)), -1, layout.Rows, width)
            : g.Reshape(g.Mul(perRow, counted), -1, layout.Rows);
        return g.Div(g.ReduceSum(weighted, [1], keep: false), counts);
    }
}
