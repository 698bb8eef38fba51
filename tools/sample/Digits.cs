using System.Globalization;
using System.IO.Compression;

namespace RegistryUnlearn.SampleMaker;

/// <summary>One image.</summary>
/// <param name="Row">Line of the csv file, from 1.</param>
/// <param name="Pixels">8×8, row by row, 0..16.</param>
/// <param name="Label">0..9, the digit that was written.</param>
sealed record Digit(int Row, byte[] Pixels, int Label)
{
    public const int Side = 8, Brightest = 16, Classes = 10;

    public string Id => $"digit-{Row:0000}";

    /// <summary>Reads lines of 64 pixels and a label, separated by commas.</summary>
    /// <exception cref="FormatException">A line is not of this form.</exception>
    public static Digit[] ReadAll(string path)
    {
        using var reader = new StreamReader(new GZipStream(File.OpenRead(path), CompressionMode.Decompress));
        var digits = new List<Digit>();
        while (reader.ReadLine() is { } line)
            digits.Add(Parse(line, digits.Count + 1, path));
        return [.. digits];
    }

    static Digit Parse(string line, int row, string path)
    {
        var values = new List<byte>();
        foreach (var field in line.Split(','))
            if (byte.TryParse(field, NumberStyles.None, CultureInfo.InvariantCulture, out var value) && value <= Brightest)
                values.Add(value);
        return values.Count == (Side * Side) + 1 && values[^1] < Classes
            ? new(row, [.. values[..^1]], values[^1])
            : throw new FormatException(
                $"{path}, line {row}: expected {Side * Side} pixels 0..{Brightest} and a label below {Classes}; restore the file");
    }
}
