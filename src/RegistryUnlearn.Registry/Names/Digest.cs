using System.Buffers;
using System.Diagnostics.CodeAnalysis;
using System.Security.Cryptography;
using System.Text.Json.Serialization;

namespace RegistryUnlearn.Registry;

/// <summary>A SHA-256 digest, written <c>sha256:</c> and 64 lower-case hexadecimal digits. The default value is not a digest.</summary>
[JsonConverter(typeof(ParsableConverter<Digest>))]
public readonly record struct Digest : IParsable<Digest>
{
    const string Prefix = "sha256:";

    /// <summary>Large, since each reading of a file may wait for a thread.</summary>
    const int BufferSize = 1 << 20;

    readonly string? hex;

    Digest(string hex) => this.hex = hex;

    /// <summary>The 64 hexadecimal digits without the algorithm.</summary>
    public string Hex => hex ?? throw new InvalidOperationException("The default Digest is not a digest.");

    public static Digest Of(ReadOnlySpan<byte> bytes) => new(Convert.ToHexStringLower(SHA256.HashData(bytes)));

    /// <summary>Reads the stream to its end in bounded memory.</summary>
    public static Digest Of(Stream stream) => FromHash(SHA256.HashData(stream));

    /// <inheritdoc cref="Of(Stream)"/>
    public static async Task<Digest> OfAsync(Stream stream, CancellationToken cancellation = default)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        var buffer = ArrayPool<byte>.Shared.Rent(BufferSize);
        try
        {
            for (int count; (count = await stream.ReadAsync(buffer, cancellation)) > 0;)
                hash.AppendData(buffer, 0, count);
            return FromHash(hash.GetHashAndReset());
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    /// <exception cref="ArgumentException">The hash is not 32 bytes.</exception>
    public static Digest FromHash(ReadOnlySpan<byte> hash) => hash.Length is SHA256.HashSizeInBytes
        ? new(Convert.ToHexStringLower(hash))
        : throw new ArgumentException("A SHA-256 hash has 32 bytes.", nameof(hash));

    public static Digest Parse(string text) => TryParse(text, out var digest)
        ? digest
        : throw new FormatException($"'{text}' is not a digest: write sha256: and 64 lower-case hexadecimal digits.");

    public static bool TryParse([NotNullWhen(true)] string? text, out Digest digest)
    {
        digest = default;
        return text is not null && text.StartsWith(Prefix, StringComparison.Ordinal) && TryParseHex(text[Prefix.Length..], out digest);
    }

    public static bool TryParseHex([NotNullWhen(true)] string? hex, out Digest digest)
    {
        var valid = hex is { Length: 64 } && hex.All(char.IsAsciiHexDigitLower);
        digest = valid ? new(hex!) : default;
        return valid;
    }

    public override string ToString() => Prefix + Hex;

    static Digest IParsable<Digest>.Parse(string s, IFormatProvider? provider) => Parse(s);

    static bool IParsable<Digest>.TryParse(string? s, IFormatProvider? provider, out Digest result) => TryParse(s, out result);
}
