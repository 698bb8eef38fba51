namespace RegistryUnlearn.Unlearning.Data;

/// <summary>Samples in a fixed order, each by its place: a subset as it is, or views of it.</summary>
public sealed class SampleSource
{
    readonly Subset subset;
    readonly int[] rows;
    readonly View[]? views;
    readonly float[] original;

    SampleSource(Subset subset, int[] rows, View[]? views)
    {
        (this.subset, this.rows, this.views) = (subset, rows, views);
        Labels = new long[rows.Length];
        original = new float[subset.Data.SampleSize];
        for (var i = 0; i < rows.Length; i++)
            Labels[i] = subset.Data.Labels[rows[i]];
    }

    public int Count => rows.Length;

    /// <summary>Floats per sample.</summary>
    public int SampleSize => original.Length;

    public long[] Labels { get; }

    public static SampleSource Of(Subset subset) => new(subset, subset.Rows.ToArray(), null);

    /// <summary>One view of every sample.</summary>
    /// <exception cref="DataException">Samples cannot be moved in this way.</exception>
    public static SampleSource Of(Subset subset, View view)
    {
        if (!CanMove(subset.Data, view))
            throw new DataException(subset.Data.File, null,
                $"samples of shape ({string.Join(", ", subset.Data.SampleShape)}) cannot be moved; "
                + "views need images of channels × height × width",
                "choose another target than views and give a holdout");
        return new(subset, subset.Rows.ToArray(), [.. Enumerable.Repeat(view, subset.Count)]);
    }

    /// <summary>Only the samples at the given places.</summary>
    public SampleSource At(IEnumerable<int> places)
    {
        int[] kept = [.. places];
        return new(subset, [.. kept.Select(p => rows[p])], views is null ? null : [.. kept.Select(p => views[p])]);
    }

    /// <summary>Writes the inputs of one sample.</summary>
    public void Fill(int place, Span<float> inputs) => Fill(place, views?[place], inputs);

    /// <summary>Writes a view of one sample; null writes the sample as it is.</summary>
    public void Fill(int place, View? view, Span<float> inputs)
    {
        Span<long> label = stackalloc long[1];
        if (view is not { } change)
        {
            subset.Data.Fill(rows.AsSpan(place, 1), inputs, label);
            return;
        }
        subset.Data.Fill(rows.AsSpan(place, 1), original, label);
        var shape = subset.Data.SampleShape;
        Views.Shift(original, shape[1], shape[2], change, ViewPadding.Edge, inputs);
    }

    /// <summary>Writes consecutive samples, as many as the span has room for.</summary>
    public void FillFrom(int start, Span<float> inputs)
    {
        for (var i = 0; i < inputs.Length / SampleSize; i++)
            Fill(start + i, inputs.Slice(i * SampleSize, SampleSize));
    }

    /// <summary>Whether samples are images in C×H×W layout, larger than the view moves them.</summary>
    public static bool CanMove(DataSet data, View view) =>
        data.SampleShape is [_, var height, var width] && Math.Abs(view.Dy) < height && Math.Abs(view.Dx) < width;
}
