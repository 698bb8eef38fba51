using System.Globalization;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace RegistryUnlearn.Lineage;

/// <param name="KeyId">What the signer calls its key; a hint and nothing more.</param>
/// <param name="Bytes">DER.</param>
public sealed record DsseSignature(string KeyId, ReadOnlyMemory<byte> Bytes);

/// <summary>A DSSE v1.0 envelope: typed payload bytes and who signed them.</summary>
public sealed record DsseEnvelope(string PayloadType, ReadOnlyMemory<byte> Payload)
{
    /// <summary>Most signatures that are read from one envelope.</summary>
    public const int MaxSignatures = 16;

    /// <summary>Empty for an envelope that nobody signed.</summary>
    public IReadOnlyList<DsseSignature> Signatures { get; init; } = [];

    /// <param name="keyId">Written beside the signature; may be empty.</param>
    public static DsseEnvelope Sign(string payloadType, ReadOnlyMemory<byte> payload, SigningKey key, string keyId) =>
        new(payloadType, payload)
        {
            Signatures = [new(keyId, key.Sign(PreAuthenticationEncoding(payloadType, payload.Span)))],
        };

    /// <summary>Whether one of the signatures is this key's, whatever its key id says.</summary>
    public bool IsSignedBy(VerificationKey key)
    {
        var signed = PreAuthenticationEncoding(PayloadType, Payload.Span);
        return Signatures.Any(s => key.Verify(signed, s.Bytes.Span));
    }

    /// <summary>
    /// What a signature covers (DSSE v1.0, protocol, PAE): <c>DSSEv1 SP LEN(type) SP type SP LEN(body) SP body</c>, lengths in bytes, ASCII
    /// decimal.
    /// </summary>
    public static byte[] PreAuthenticationEncoding(string payloadType, ReadOnlySpan<byte> payload)
    {
        var type = Encoding.UTF8.GetByteCount(payloadType);
        var head = string.Create(CultureInfo.InvariantCulture, $"DSSEv1 {type} {payloadType} {payload.Length} ");
        return [.. Encoding.UTF8.GetBytes(head), .. payload];
    }

    /// <summary>One line of JSON without its LF.</summary>
    public byte[] ToJson() => JsonSerializer.SerializeToUtf8Bytes(ToNode(), LineageJson.Options);

    internal JsonObject ToNode() => new()
    {
        ["payload"] = Convert.ToBase64String(Payload.Span),
        ["payloadType"] = PayloadType,
        ["signatures"] = new JsonArray([.. Signatures.Select(s => new JsonObject
        {
            ["sig"] = Convert.ToBase64String(s.Bytes.Span),
            ["keyid"] = s.KeyId,
        })]),
    };

    /// <param name="place">Named in errors.</param>
    /// <exception cref="LineageException">Not an envelope.</exception>
    public static DsseEnvelope Parse(ReadOnlyMemory<byte> json, string place)
    {
        try
        {
            using var document = JsonDocument.Parse(json, LineageJson.Documents);
            return Parse(document.RootElement);
        }
        catch (Exception e) when (e is JsonException or KeyNotFoundException or InvalidOperationException or FormatException)
        {
            throw new LineageException(place, $"this is not a DSSE envelope ({e.Message}) Take the file from its publisher again.", e);
        }
    }

    /// <exception cref="Exception">What <see cref="Parse(ReadOnlyMemory{byte}, string)"/> translates.</exception>
    internal static DsseEnvelope Parse(JsonElement root)
    {
        var signatures = root.GetProperty("signatures");
        if (signatures.ValueKind is not JsonValueKind.Array || signatures.GetArrayLength() > MaxSignatures)
            throw new JsonException($"signatures is not a list of at most {MaxSignatures}.");
        var type = root.GetProperty("payloadType").GetString() ?? throw new JsonException("payloadType is null.");
        return new(type, root.GetProperty("payload").GetBytesFromBase64())
        {
            Signatures = [.. signatures.EnumerateArray().Select(s => new DsseSignature(
                s.TryGetProperty("keyid", out var id) ? id.GetString() ?? "" : "", s.GetProperty("sig").GetBytesFromBase64()))],
        };
    }
}
