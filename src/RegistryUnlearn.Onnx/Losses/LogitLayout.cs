using RegistryUnlearn.Onnx.Graphs;

namespace RegistryUnlearn.Onnx.Losses;

/// <summary>
/// What a model answers with for one sample: one row of logits, or one row per position (the words of a text, the pixels of an image),
/// with the classes along one axis of its output.
/// </summary>
/// <param name="classAxis">The axis of the classes, counted from 0 for the batch; 1 or more.</param>
/// <param name="positions">Sizes of the other axes behind the batch, in their order; empty for one row per sample.</param>
public sealed class LogitLayout(int classAxis, IReadOnlyList<long> positions)
{
    /// <summary>Logits N×C: one row per sample.</summary>
    public static LogitLayout PerSample { get; } = new(1, []);

    public int ClassAxis { get; } = classAxis;

    public IReadOnlyList<long> Positions { get; } = positions;

    /// <summary>Whether a sample has one label rather than one per position.</summary>
    public bool IsPerSample => Positions.Count == 0;

    /// <summary>P, rows of logits per sample; 1 for one row per sample.</summary>
    public int Rows { get; } = checked((int)positions.Aggregate(1L, (n, d) => checked(n * d)));

    /// <summary>
    /// The model's output with the classes last and the positions as one axis: [N, P, C], or [N, C] for one row per sample.
    /// </summary>
    /// <param name="output">As the model gives it; its rank is one more than the number of position axes and the batch.</param>
    public Value Arrange(GraphBuilder g, Value output)
    {
        if (IsPerSample)
            return output;
        var axes = Enumerable.Range(0, Positions.Count + 2).Select(a => (long)a).ToList();
        var last = ClassAxis == axes.Count - 1;
        var classesLast = last ? output : g.Transpose(output, [.. axes.Where(a => a != ClassAxis), ClassAxis]);
        return last && Positions.Count == 1 ? classesLast : g.Reshape(classesLast, 0, Rows, -1);
    }

    /// <summary>The type of what <see cref="Arrange"/> gives.</summary>
    public TensorType ArrangedType(Dim batch, long classes) =>
        IsPerSample ? TensorType.Float(batch, classes) : TensorType.Float(batch, Rows, classes);

    /// <summary>Declares int64 labels: [N], or one for every position in the shape that they have in the model's output.</summary>
    public Value AddLabels(GraphBuilder g, string name, Dim batch) =>
        g.Input(name, TensorType.Int64([batch, .. Positions.Select(p => (Dim)p)]));
}
