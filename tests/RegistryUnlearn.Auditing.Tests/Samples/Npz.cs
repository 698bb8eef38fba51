using System.Buffers.Binary;
using System.Globalization;
using System.IO.Compression;
using System.Text;
using System.Text.RegularExpressions;

namespace RegistryUnlearn.Auditing.Tests;

/// <summary>Reads little-endian float32 and int64 arrays from NumPy archives.</summary>
static partial class Npz
{
    public static float[] Floats(string path, string name) =>
        Read(path, name, "<f4", bytes => BinaryPrimitives.ReadSingleLittleEndian(bytes));

    public static int[] Integers(string path, string name) =>
        Read(path, name, "<i8", bytes => checked((int)BinaryPrimitives.ReadInt64LittleEndian(bytes)));

    delegate T Decode<T>(ReadOnlySpan<byte> bytes);

    static T[] Read<T>(string path, string name, string type, Decode<T> decode)
    {
        using var archive = ZipFile.OpenRead(path);
        using var stream = archive.GetEntry($"{name}.npy")!.Open();
        using var memory = new MemoryStream();
        stream.CopyTo(memory);
        ReadOnlySpan<byte> bytes = memory.ToArray();
        var start = bytes[6] == 1 ? 10 : 12;
        var length = bytes[6] == 1
            ? BinaryPrimitives.ReadUInt16LittleEndian(bytes[8..])
            : BinaryPrimitives.ReadInt32LittleEndian(bytes[8..]);
        var header = Encoding.Latin1.GetString(bytes.Slice(start, length));
        Assert.Contains($"'descr': '{type}'", header);
        const StringSplitOptions clean = StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries;
        var shape = Shape().Match(header).Groups[1].Value.Split(',', clean);
        var count = shape.Aggregate(1, (product, side) => product * int.Parse(side, CultureInfo.InvariantCulture));
        var size = int.Parse(type.AsSpan(2), CultureInfo.InvariantCulture);
        var values = new T[count];
        for (var i = 0; i < count; i++)
            values[i] = decode(bytes.Slice(start + length + (i * size), size));
        return values;
    }

    [GeneratedRegex(@"'shape': \(([^)]*)\)")]
    private static partial Regex Shape();
}
