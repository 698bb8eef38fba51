using System.Diagnostics.CodeAnalysis;

namespace RegistryUnlearn.Lineage;

/// <summary>SHA-256 values as 64 lower-case hexadecimal digits.</summary>
static class Sha256
{
    public static bool IsHex([NotNullWhen(true)] string? text) => text is { Length: 64 } && text.All(char.IsAsciiHexDigitLower);

    /// <exception cref="ArgumentException">Not 64 lower-case hexadecimal digits.</exception>
    public static string Check(string text) => IsHex(text)
        ? text
        : throw new ArgumentException($"'{text}' is not a SHA-256: write 64 lower-case hexadecimal digits.", nameof(text));
}
