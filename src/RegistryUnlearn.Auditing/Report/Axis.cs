namespace RegistryUnlearn.Auditing.Report;

/// <summary>A mark on an axis; the position is in the axis' own coordinates.</summary>
readonly record struct Tick(double Position, string Label);

/// <summary>One axis of a panel. A logarithmic axis has log10 of the quantity as its coordinate.</summary>
sealed record Axis(string Title, double Min, double Max, IReadOnlyList<Tick> Ticks)
{
    /// <summary>Linear, with ticks at 1, 2 or 5 times a power of ten; the range is widened to the outer ticks.</summary>
    public static Axis Linear(string title, double min, double max, int about = 5)
    {
        if (max - min < 1e-9)
            max = min + 1;
        var raw = (max - min) / about;
        var power = Math.Pow(10, Math.Floor(Math.Log10(raw)));
        var step = power * (raw / power) switch { <= 1 => 1, <= 2 => 2, <= 5 => 5, _ => 10 };
        var (first, last) = (Math.Floor((min / step) + 1e-9), Math.Ceiling((max / step) - 1e-9));
        var digits = (int)Math.Clamp(Math.Ceiling(-Math.Log10(step) - 1e-9), 0, 9);
        var ticks = new List<Tick>();
        for (var i = first; i <= last; i++)
            ticks.Add(new(i * step, Format.Fixed(i * step, digits)));
        return new(title, first * step, last * step, ticks);
    }

    /// <summary>Logarithmic between two powers of ten, a tick per decade.</summary>
    public static Axis Decades(string title, int min, int max) => new(
        title, min, max, [.. Enumerable.Range(min, max - min + 1).Select(exponent => new Tick(exponent, Decade(exponent)))]);

    static string Decade(int exponent) => exponent is >= -3 and <= 3
        ? Format.Fixed(Math.Pow(10, exponent), Math.Max(0, -exponent))
        : "1e" + (exponent < 0 ? "−" : "") + Format.Fixed(Math.Abs(exponent), 0);
}
