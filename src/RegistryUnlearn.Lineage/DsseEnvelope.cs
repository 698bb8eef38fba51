using System.Globalization;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace RegistryUnlearn.Lineage;

/// <summary>A DSSE v1.0 envelope: typed payload bytes and who signed them. Ours carry no signature: the list is empty.</summary>
public sealed record DsseEnvelope(string PayloadType, ReadOnlyMemory<byte> Payload)
{
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
    public byte[] ToJson() => JsonSerializer.SerializeToUtf8Bytes(new JsonObject
    {
        ["payload"] = Convert.ToBase64String(Payload.Span),
        ["payloadType"] = PayloadType,
        ["signatures"] = new JsonArray(),
    }, LineageJson.Options);

    /// <param name="place">Named in errors.</param>
    /// <exception cref="LineageException">Not an envelope.</exception>
    public static DsseEnvelope Parse(ReadOnlyMemory<byte> json, string place)
    {
        try
        {
            using var document = JsonDocument.Parse(json, new JsonDocumentOptions { AllowDuplicateProperties = false });
            var root = document.RootElement;
            if (root.GetProperty("signatures").ValueKind is not JsonValueKind.Array)
                throw new JsonException("signatures is not a list.");
            var type = root.GetProperty("payloadType").GetString() ?? throw new JsonException("payloadType is null.");
            return new(type, root.GetProperty("payload").GetBytesFromBase64());
        }
        catch (Exception e) when (e is JsonException or KeyNotFoundException or InvalidOperationException or FormatException)
        {
            throw new LineageException(place, $"this is not a DSSE envelope ({e.Message}) Take the file from its publisher again.", e);
        }
    }
}
