using System.Buffers.Binary;
using System.Globalization;
using System.Runtime.InteropServices;
using System.Text;

namespace RegistryUnlearn.Unlearning.Data;

/// <summary>One named array: element type, shape, elements in C order. Its bytes never change.</summary>
public sealed class NpyArray
{
    static readonly UTF8Encoding StrictUtf8 = new(false, throwOnInvalidBytes: true);
    readonly byte[] bytes;

    internal NpyArray(string file, string name, NpyElementType elementType, int itemSize, long[] shape, byte[] bytes)
    {
        (File, Name, ElementType, ItemSize, Shape, this.bytes) = (file, name, elementType, itemSize, shape, bytes);
        Count = bytes.Length / itemSize;
    }

    /// <summary>Where the array came from, for messages.</summary>
    public string File { get; }

    public string Name { get; }

    public NpyElementType ElementType { get; }

    /// <summary>Bytes per element.</summary>
    public int ItemSize { get; }

    /// <summary>Sizes of the dimensions; empty for a scalar.</summary>
    public IReadOnlyList<long> Shape { get; }

    /// <summary>The number of elements, the product of the shape.</summary>
    public int Count { get; }

    internal ReadOnlySpan<byte> Bytes => bytes;

    /// <summary>An array of numbers (or bool) in C order; the values are copied.</summary>
    /// <exception cref="ArgumentException">The values do not fill the shape, or no <see cref="NpyElementType"/> fits.</exception>
    public static NpyArray Of<T>(string name, ReadOnlySpan<long> shape, ReadOnlySpan<T> values)
        where T : unmanaged
    {
        var type = NpyElementTypes.Of<T>() ?? throw new ArgumentException($"{typeof(T)} is not an NPY element type.", nameof(values));
        RequireCount(shape, values.Length);
        return new NpyArray("memory", name, type, NpyElementTypes.ItemSize(type), [.. shape], MemoryMarshal.AsBytes(values).ToArray());
    }

    /// <summary>A one-dimensional array of texts, stored as wide as the longest of them.</summary>
    /// <exception cref="ArgumentException">A text ends with a zero character, which the format cannot tell from padding.</exception>
    public static NpyArray OfStrings(string name, IReadOnlyList<string> values)
    {
        var runes = values.Select(value => value.EnumerateRunes().ToArray()).ToArray();
        if (runes.Any(text => text is [.., { Value: 0 }]))
            throw new ArgumentException("A text must not end with a zero character.", nameof(values));
        var width = runes.Select(text => text.Length).Append(1).Max();
        var bytes = new byte[checked(4 * width * values.Count)];
        for (var i = 0; i < runes.Length; i++)
        {
            for (var j = 0; j < runes[i].Length; j++)
                BinaryPrimitives.WriteInt32LittleEndian(bytes.AsSpan(4 * ((i * width) + j)), runes[i][j].Value);
        }

        return new NpyArray("memory", name, NpyElementType.Unicode, 4 * width, [values.Count], bytes);
    }

    /// <summary>The elements themselves, in C order.</summary>
    /// <exception cref="DataException">The array has another element type.</exception>
    public ReadOnlySpan<T> Values<T>()
        where T : unmanaged =>
        NpyElementTypes.Of<T>() == ElementType
            ? MemoryMarshal.Cast<byte, T>(bytes)
            : throw Unusable($"it holds {ElementType}, not {typeof(T).Name}", $"save it as {typeof(T).Name}");

    /// <summary>The elements of a floating-point array of any width as float32.</summary>
    public float[] ToSingles() => ElementType switch
    {
        NpyElementType.Float32 => Values<float>().ToArray(),
        NpyElementType.Float16 => Convert<Half, float>(value => (float)value),
        NpyElementType.Float64 => Convert<double, float>(value => (float)value),
        _ => throw Unusable($"it holds {ElementType}, not floating-point numbers", "save it as float32"),
    };

    /// <summary>The elements of an integer array of any width.</summary>
    public long[] ToInt64s() => ElementType switch
    {
        NpyElementType.Int64 => Values<long>().ToArray(),
        NpyElementType.Int32 => Convert<int, long>(value => value),
        NpyElementType.Int16 => Convert<short, long>(value => value),
        NpyElementType.Int8 => Convert<sbyte, long>(value => value),
        NpyElementType.UInt8 => Convert<byte, long>(value => value),
        _ => throw Unusable($"it holds {ElementType}, not integers", "save it as int64"),
    };

    /// <summary>The elements of a text array; integers are written in decimal.</summary>
    public string[] ToStrings()
    {
        if (ElementType is not (NpyElementType.Unicode or NpyElementType.Bytes))
            return Array.ConvertAll(ToInt64s(), value => value.ToString(CultureInfo.InvariantCulture));
        var texts = new string[Count];
        for (var i = 0; i < texts.Length; i++)
        {
            var item = bytes.AsSpan(i * ItemSize, ItemSize);
            texts[i] = (ElementType is NpyElementType.Unicode ? DecodeUtf32(item) : DecodeUtf8(item.TrimEnd((byte)0)))
                ?? throw Unusable($"the text in row {i} is not valid", "save it again from valid text");
        }

        return texts;
    }

    static string? DecodeUtf32(ReadOnlySpan<byte> item)
    {
        var codePoints = MemoryMarshal.Cast<byte, int>(item).TrimEnd(0);
        var text = new StringBuilder(codePoints.Length);
        foreach (var codePoint in codePoints)
        {
            if (!Rune.IsValid(codePoint))
                return null;
            text.Append(new Rune(codePoint));
        }

        return text.ToString();
    }

    static string? DecodeUtf8(ReadOnlySpan<byte> item)
    {
        try
        {
            return StrictUtf8.GetString(item);
        }
        catch (DecoderFallbackException)
        {
            return null;
        }
    }

    internal DataException Unusable(string problem, string remedy) => new(File, Name, problem, remedy);

    internal static void RequireCount(ReadOnlySpan<long> shape, int count)
    {
        var expected = 1L;
        foreach (var dimension in shape)
        {
            if (dimension < 0)
                throw new ArgumentException("A dimension is negative.", nameof(shape));
            expected = checked(expected * dimension);
        }

        if (expected != count)
            throw new ArgumentException($"The shape asks for {expected} elements but there are {count}.", nameof(shape));
    }

    TTo[] Convert<TFrom, TTo>(Func<TFrom, TTo> convert)
        where TFrom : unmanaged
    {
        var source = Values<TFrom>();
        var target = new TTo[source.Length];
        for (var i = 0; i < target.Length; i++)
            target[i] = convert(source[i]);
        return target;
    }
}
