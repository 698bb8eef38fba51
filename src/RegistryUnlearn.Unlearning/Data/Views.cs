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

/// <summary>
/// A label-preserving change of a sample. Of an image: mirrored left to right if <paramref name="Flip"/>, then moved. Of any numbers: some
/// taken from another sample, and noise.
/// </summary>
/// <param name="Dx">Pixels to the right; fractions are interpolated linearly.</param>
/// <param name="Dy">Pixels down; fractions are interpolated linearly.</param>
/// <param name="Flip">Whether left and right are exchanged before moving.</param>
public readonly record struct View(float Dx, float Dy, bool Flip)
{
    /// <summary>Standard deviation of the noise on every value, in standard deviations of that value over the data set.</summary>
    public float Noise { get; init; }

    /// <summary>Share of the values that come from another sample, 0..1.</summary>
    public float Swapped { get; init; }

    /// <summary>Numbers views that differ in nothing but what is drawn.</summary>
    public int Draw { get; init; }

    /// <summary>Whether every pixel changes its place.</summary>
    public bool IsFar => Flip || MathF.Abs(Dx) >= 1 || MathF.Abs(Dy) >= 1;

    /// <summary>Whether the view needs an image.</summary>
    public bool IsOfImages => Dx != 0 || Dy != 0 || Flip;
}

/// <summary>Views of images in N×C×H×W layout.</summary>
public static class Views
{
    /// <summary>Columns up to which the column indices of a row lie on the stack: two times one KiB.</summary>
    const int OnStack = 256;

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
        if (!(MathF.Abs(view.Dy) < height && MathF.Abs(view.Dx) < width))
            throw new ArgumentException($"A shift by ({view.Dx}, {view.Dy}) leaves nothing of an image of {width}×{height}.", nameof(view));
        var planes = images.Length / plane;
        if (padding is ViewPadding.Constant && (background.IsEmpty || planes % background.Length is not 0))
            throw new ArgumentException("Constant padding needs one background value, or one per channel.", nameof(background));
        var left = width <= OnStack ? stackalloc int[width] : new int[width];
        var right = width <= OnStack ? stackalloc int[width] : new int[width];
        var betweenColumns = Columns(view, padding, left, right);
        for (var p = 0; p < planes; p++)
        {
            var fill = padding is ViewPadding.Constant ? background[p % background.Length] : 0;
            for (var y = 0; y < height; y++)
            {
                var row = target.Slice((p * plane) + (y * width), width);
                var top = MathF.Floor(y - view.Dy);
                var betweenRows = y - view.Dy - top;
                var upper = Row(images, p * height, (int)top, height, width, padding);
                var lower = betweenRows > 0 ? Row(images, p * height, (int)top + 1, height, width, padding) : upper;
                for (var x = 0; x < width; x++)
                {
                    var above = Mix(At(upper, left[x], fill), At(upper, right[x], fill), betweenColumns);
                    if (betweenRows == 0)
                    {
                        row[x] = above;
                        continue;
                    }
                    var below = Mix(At(lower, left[x], fill), At(lower, right[x], fill), betweenColumns);
                    row[x] = Mix(above, below, betweenRows);
                }
            }
        }
    }

    /// <summary>A source row of the plane that starts at the given row; empty for the background.</summary>
    static ReadOnlySpan<float> Row(ReadOnlySpan<float> images, int firstRow, int index, int height, int width, ViewPadding padding)
    {
        var inside = Inside(index, height, padding);
        return inside < 0 ? [] : images.Slice((firstRow + inside) * width, width);
    }

    /// <summary>The two source columns of every target column, and the share of the second.</summary>
    static float Columns(View view, ViewPadding padding, Span<int> left, Span<int> right)
    {
        var width = left.Length;
        var share = 0f;
        for (var x = 0; x < width; x++)
        {
            var first = MathF.Floor(x - view.Dx);
            share = x - view.Dx - first;
            left[x] = Column((int)first);
            right[x] = share > 0 ? Column((int)first + 1) : left[x];
        }
        return share;

        int Column(int index)
        {
            var inside = Inside(index, width, padding);
            return inside >= 0 && view.Flip ? width - 1 - inside : inside;
        }
    }

    static float At(ReadOnlySpan<float> source, int index, float fill) => index < 0 || source.IsEmpty ? fill : source[index];

    static float Mix(float a, float b, float share) => share == 0 ? a : a + (share * (b - a));

    /// <summary>The index in 0 .. size − 1 that padding takes the value from; −1 for the background.</summary>
    static int Inside(int index, int size, ViewPadding padding) => (uint)index < (uint)size ? index : padding switch
    {
        ViewPadding.Edge => index < 0 ? 0 : size - 1,
        ViewPadding.Reflect => Reflected(index, size),
        _ => -1,
    };

    /// <summary>Fractions reach one pixel beyond the opposite border, from where the image is mirrored a second time.</summary>
    static int Reflected(int index, int size)
    {
        var last = size - 1;
        var mirrored = index < 0 ? -index : index;
        return last is 0 ? 0 : mirrored / last % 2 is 0 ? mirrored % last : last - (mirrored % last);
    }
}
