using RegistryUnlearn.Training.Buffers;

namespace RegistryUnlearn.Unlearning.Data;

/// <summary>Samples in a fixed order, each by its place: a subset as it is, or views of it.</summary>
public sealed class SampleSource
{
    readonly Subset subset;
    readonly int[] rows;
    readonly View[]? views;
    readonly float[] original;
    float[]? other;

    SampleSource(Subset subset, int[] rows, View[]? views)
    {
        (this.subset, this.rows, this.views) = (subset, rows, views);
        LabelSize = subset.Data.LabelSize;
        Labels = new long[checked(rows.Length * LabelSize)];
        original = new float[subset.Data.SampleSize];
        for (var i = 0; i < rows.Length; i++)
            subset.Data.LabelsOf(rows[i]).CopyTo(Labels.AsSpan(i * LabelSize));
    }

    public int Count => rows.Length;

    /// <summary>Values per sample.</summary>
    public int SampleSize => original.Length;

    /// <summary>P, labels per sample.</summary>
    public int LabelSize { get; }

    /// <summary>[count, P]</summary>
    public long[] Labels { get; }

    /// <summary>The labels of one sample.</summary>
    public ReadOnlySpan<long> LabelsOf(int place) => Labels.AsSpan(place * LabelSize, LabelSize);

    public static SampleSource Of(Subset subset) => new(subset, subset.Rows.ToArray(), null);

    /// <summary>One view of every sample.</summary>
    /// <exception cref="DataException">Samples cannot be moved in this way.</exception>
    public static SampleSource Of(Subset subset, View view)
    {
        if (!CanMove(subset.Data, view))
            throw new DataException(subset.Data.File, null,
                $"samples of shape ({string.Join(", ", subset.Data.SampleShape)}) cannot be moved; "
                + "views need numbers with one label per sample, and shifts images of channels × height × width",
                "choose another target than views and give a holdout");
        return new(subset, subset.Rows.ToArray(), [.. Enumerable.Repeat(view, subset.Count)]);
    }

    /// <summary>The row of the data set that a sample is from.</summary>
    public int RowOf(int place) => rows[place];

    /// <summary>Only the samples at the given places.</summary>
    public SampleSource At(IEnumerable<int> places)
    {
        int[] kept = [.. places];
        return new(subset, [.. kept.Select(p => rows[p])], views is null ? null : [.. kept.Select(p => views[p])]);
    }

    /// <summary>Writes the inputs of one sample.</summary>
    public void Fill(int place, InputSpan inputs) => Fill(place, views?[place], inputs);

    /// <summary>Writes a view of one sample; null writes the sample as it is.</summary>
    public void Fill(int place, View? view, InputSpan inputs)
    {
        if (view is not { } change)
        {
            subset.Data.Fill(rows[place], inputs);
            return;
        }
        if (change.IsOfImages)
        {
            subset.Data.Fill(rows[place], original);
            var shape = subset.Data.SampleShape;
            Views.Shift(original, shape[1], shape[2], change, ViewPadding.Edge, inputs);
        }
        else
            subset.Data.Fill(rows[place], inputs);
        if (change.Noise > 0 || change.Swapped > 0)
            Perturb(rows[place], change, inputs.Floats);
    }

    /// <summary>The same for every call with the same row and view.</summary>
    void Perturb(int row, View view, Span<float> values)
    {
        var rng = Rng.For((ulong)row, "view", view.Draw);
        if (view.Swapped > 0)
        {
            other ??= new float[SampleSize];
            subset.Data.Fill(subset.Rows[rng.NextInt32(subset.Count)], other);
            for (var i = 0; i < values.Length; i++)
                if (rng.NextSingle() < view.Swapped)
                    values[i] = other[i];
        }
        if (view.Noise > 0)
            for (var i = 0; i < values.Length; i++)
                values[i] += view.Noise * subset.Data.Spread[i] * (float)rng.NextNormal();
    }

    /// <summary>Writes consecutive samples, as many as the span has room for.</summary>
    public void FillFrom(int start, InputSpan inputs)
    {
        for (var i = 0; i < inputs.Length / SampleSize; i++)
            Fill(start + i, inputs.Slice(i * SampleSize, SampleSize));
    }

    /// <summary>
    /// Whether samples are numbers with one label each and, for a shift, images in C×H×W layout that are larger than it.
    /// </summary>
    public static bool CanMove(DataSet data, View view) =>
        data is { HoldsTokens: false, LabelShape: [] }
        && (!view.IsOfImages
            || (data.SampleShape is [_, var height, var width] && Math.Abs(view.Dy) < height && Math.Abs(view.Dx) < width));
}
