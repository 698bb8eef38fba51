namespace RegistryUnlearn.Unlearning.Data;

/// <summary>What a view shows where the moved image leaves its frame empty.</summary>
public enum ViewPadding
{
    /// <summary>The nearest pixel.</summary>
    Edge,

    /// <summary>The image mirrored at its border pixel, which is not repeated.</summary>
    Reflect,

    /// <summary>A given background.</summary>
    Constant,
}

/// <summary>A label-preserving change of an image: mirrored left to right if <paramref name="Flip"/>, then moved.</summary>
/// <param name="Dx">Pixels to the right.</param>
/// <param name="Dy">Pixels down.</param>
/// <param name="Flip">Whether left and right are exchanged before moving.</param>
public readonly record struct View(int Dx, int Dy, bool Flip);

/// <summary>Views of images in N×C×H×W layout.</summary>
public static class Views
{
    /// <summary>Writes one view of every image. Allocates nothing.</summary>
    /// <param name="images">P planes of H×W values, P = N·C.</param>
    /// <param name="height">H, larger than |Dy|.</param>
    /// <param name="width">W, larger than |Dx|.</param>
    /// <param name="view">The change.</param>
    /// <param name="padding">What fills the empty border.</param>
    /// <param name="target">As long as <paramref name="images"/>, not overlapping them.</param>
    /// <param name="background">For constant padding: one value for all planes, or C values.</param>
    /// <exception cref="ArgumentException">A length does not fit, or the image would leave its frame.</exception>
    public static void Shift(
        ReadOnlySpan<float> images, int height, int width, View view, ViewPadding padding, Span<float> target,
        ReadOnlySpan<float> background = default)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(height);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(width);
        var plane = checked(height * width);
        if (images.Length % plane is not 0 || target.Length != images.Length || images.Overlaps(target))
            throw new ArgumentException($"Images and target must be separate and equally many planes of {height}×{width} values.");
        if (view.Dy <= -height || view.Dy >= height || view.Dx <= -width || view.Dx >= width)
            throw new ArgumentException($"A shift by ({view.Dx}, {view.Dy}) leaves nothing of an image of {width}×{height}.", nameof(view));
        var planes = images.Length / plane;
        if (padding is ViewPadding.Constant && (background.IsEmpty || planes % background.Length is not 0))
            throw new ArgumentException("Constant padding needs one background value, or one per channel.", nameof(background));
        for (var p = 0; p < planes; p++)
        {
            var fill = padding is ViewPadding.Constant ? background[p % background.Length] : 0;
            for (var y = 0; y < height; y++)
            {
                var row = target.Slice((p * plane) + (y * width), width);
                var sourceY = Inside(y - view.Dy, height, padding);
                if (sourceY < 0)
                    row.Fill(fill);
                else
                    ShiftRow(images.Slice((p * plane) + (sourceY * width), width), view, padding, fill, row);
            }
        }
    }

    static void ShiftRow(ReadOnlySpan<float> source, View view, ViewPadding padding, float fill, Span<float> target)
    {
        var width = source.Length;
        var (first, end) = (Math.Max(0, view.Dx), Math.Min(width, width + view.Dx));
        var moved = target[first..end];
        if (view.Flip)
        {
            source.Slice(width - (end - view.Dx), moved.Length).CopyTo(moved);
            moved.Reverse();
        }
        else
        {
            source.Slice(first - view.Dx, moved.Length).CopyTo(moved);
        }

        for (var i = 0; i < width - moved.Length; i++)
        {
            var x = first > 0 ? i : end + i;
            var from = Inside(x - view.Dx, width, padding);
            target[x] = from < 0 ? fill : source[view.Flip ? width - 1 - from : from];
        }
    }

    /// <summary>The index in 0 .. size − 1 that padding takes the value from; −1 for the background.</summary>
    static int Inside(int index, int size, ViewPadding padding) => (uint)index < (uint)size ? index : padding switch
    {
        ViewPadding.Edge => index < 0 ? 0 : size - 1,
        ViewPadding.Reflect => index < 0 ? -index : (2 * (size - 1)) - index,
        _ => -1,
    };
}
