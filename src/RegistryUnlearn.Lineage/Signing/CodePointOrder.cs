using System.Text;

namespace RegistryUnlearn.Lineage;

/// <summary>
/// The order of Unicode code points, which is that of UTF-8 bytes. Ordinal order is that of UTF-16 code units and differs above U+FFFF.
/// </summary>
sealed class CodePointOrder : IComparer<string>
{
    public static readonly CodePointOrder Instance = new();

    public int Compare(string? x, string? y) => Bytes(x).SequenceCompareTo(Bytes(y));

    static ReadOnlySpan<byte> Bytes(string? text) => Encoding.UTF8.GetBytes(text ?? "");
}
