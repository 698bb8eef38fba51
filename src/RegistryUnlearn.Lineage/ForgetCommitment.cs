using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;

namespace RegistryUnlearn.Lineage;

/// <summary>
/// Binds a run to its forget set without naming it: HMAC-SHA256 (RFC 2104) over the distinct ids in ordinal order, each as its length in
/// bytes (unsigned, 32 bits, big-endian) and its UTF-8 bytes. Whoever has the key and the ids can check it; without the key it says nothing
/// about them. The caller chooses, stores and guards the key.
/// </summary>
public sealed record ForgetCommitment
{
    public const string AlgorithmName = "hmac-sha256";
    public const int MinKeyBytes = 32;

    static readonly UTF8Encoding Utf8 = new(false, throwOnInvalidBytes: true);

    /// <param name="count">Number of distinct ids.</param>
    /// <param name="value">The code, 64 lower-case hexadecimal digits.</param>
    /// <exception cref="ArgumentException">The count is negative or the value not a code.</exception>
    public ForgetCommitment(long count, string value)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(count);
        (Count, Value) = (count, Sha256.Check(value));
    }

    public long Count { get; }

    public string Algorithm => AlgorithmName;

    public string Value { get; }

    /// <exception cref="ArgumentException">The key has fewer than 32 bytes, or an id is not valid Unicode.</exception>
    public static ForgetCommitment Of(IEnumerable<string> ids, ReadOnlySpan<byte> key)
    {
        if (key.Length < MinKeyBytes)
            throw new ArgumentException($"The commitment key has {key.Length} bytes. Use at least {MinKeyBytes} random ones.", nameof(key));
        using var code = IncrementalHash.CreateHMAC(HashAlgorithmName.SHA256, key);
        Span<byte> length = stackalloc byte[sizeof(uint)];
        long count = 0;
        foreach (var id in new SortedSet<string>(ids, StringComparer.Ordinal))
        {
            var bytes = Utf8.GetBytes(id);
            BinaryPrimitives.WriteUInt32BigEndian(length, (uint)bytes.Length);
            code.AppendData(length);
            code.AppendData(bytes);
            count++;
        }
        return new(count, Convert.ToHexStringLower(code.GetHashAndReset()));
    }

    /// <summary>True when the ids and the key give this commitment; compares in constant time.</summary>
    /// <exception cref="ArgumentException">See <see cref="Of"/>.</exception>
    public bool Matches(IEnumerable<string> ids, ReadOnlySpan<byte> key)
    {
        var other = Of(ids, key);
        return other.Count == Count
            && CryptographicOperations.FixedTimeEquals(Encoding.ASCII.GetBytes(other.Value), Encoding.ASCII.GetBytes(Value));
    }
}
