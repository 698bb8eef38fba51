using RegistryUnlearn.Onnx.Losses;

namespace RegistryUnlearn.Onnx.Models;

/// <summary>What a user says about the logits of a model.</summary>
/// <param name="Name">Their name; null for the first output of floats with a batch and another axis.</param>
/// <param name="ClassAxis">The axis of the classes, the batch being 0, or counted from the back as −1, −2, …; null to find it.</param>
public sealed record LogitChoice(string? Name = null, int? ClassAxis = null)
{
    public static LogitChoice Default { get; } = new();

    /// <summary>
    /// Finds the axis of the classes: the one that is asked for, or the only one behind the batch whose removal leaves the shape of the
    /// labels. Without labels: axis 1 of images (rank 4 and more), the last axis of a model that takes tokens.
    /// </summary>
    /// <param name="file">For messages.</param>
    /// <param name="output">Name of the logits, for messages.</param>
    /// <param name="shape">Sizes of the logits behind the batch, at least one.</param>
    /// <param name="labels">Sizes of the labels behind the batch; null where there are none yet.</param>
    /// <param name="tokens">Whether the model takes integers.</param>
    /// <exception cref="OnnxModelException">No axis fits, or more than one does.</exception>
    public (LogitLayout Layout, int Classes) Layout(
        string file, string output, IReadOnlyList<long> shape, IReadOnlyList<long>? labels, bool tokens)
    {
        var rank = shape.Count + 1;
        if (ClassAxis is { } asked && (asked is 0 || asked >= rank || asked <= -rank))
            throw Bad($"has no class axis {asked}", $"Name an axis from 1 to {rank - 1}, or from -{rank - 1} to -1");
        var axis = ClassAxis is { } given ? (given + rank) % rank : rank == 2 ? 1 : labels is not null ? Fitting(labels) : Usual();
        var classes = shape[axis - 1];
        if (classes is < 2 or > int.MaxValue)
            throw Bad($"has {classes} classes along axis {axis}", "Logits need at least two; export a binary model with two");
        var positions = Without(axis);
        if (positions.Any(p => p < 1) || positions.Aggregate(1.0, (n, d) => n * d) > int.MaxValue)
            throw Bad($"has positions {Text(positions)}", "Export it with at least one position, and fewer than 2^31");
        if (labels is not null && rank > 2 && !labels.SequenceEqual(positions))
            throw Bad($"has classes along axis {axis}, and labels have shape {Text(labels)} per sample",
                $"Give one label for each of the positions {Text(positions)}");
        return (rank == 2 ? LogitLayout.PerSample : new(axis, positions), (int)classes);

        int Fitting(IReadOnlyList<long> wanted)
        {
            int[] fitting = [.. Enumerable.Range(1, rank - 1).Where(a => wanted.SequenceEqual(Without(a)))];
            return fitting.Length == 1 ? fitting[0] : throw (fitting.Length > 1
                ? Bad($"can have its classes along axis {string.Join(" or ", fitting)} with labels of shape {Text(wanted)}",
                    "Say which by the class axis (--class-axis, or classAxis in a request)")
                : Bad($"does not fit labels of shape {Text(wanted)} per sample",
                    "Give one label per position: the shape of the logits without the axis of the classes"));
        }

        int Usual() => tokens ? rank - 1 : rank > 3 ? 1 : throw Bad("can have its classes along axis 1 or 2",
            "Say which by the class axis (--class-axis)");

        long[] Without(int removed) => [.. shape.Where((_, i) => i + 1 != removed)];

        OnnxModelException Bad(string problem, string remedy) =>
            new(file, $"output '{output}' of shape (N, {string.Join(", ", shape)})", problem, remedy);
    }

    static string Text(IEnumerable<long> shape) => $"({string.Join(", ", shape)})";
}
