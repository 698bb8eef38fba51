using System.Text.Json;
using System.Text.Json.Serialization;

namespace RegistryUnlearn.Registry;

/// <summary>A validated value as a JSON string; text that breaks the value's rule is a <see cref="JsonException"/>.</summary>
public sealed class ParsableConverter<T> : JsonConverter<T> where T : struct, IParsable<T>
{
    public override T Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options)
    {
        try
        {
            return reader.TokenType is JsonTokenType.String
                ? T.Parse(reader.GetString()!, null)
                : throw new JsonException($"A {typeof(T).Name} is a JSON string.");
        }
        catch (FormatException e)
        {
            throw new JsonException(e.Message, e);
        }
    }

    public override void Write(Utf8JsonWriter writer, T value, JsonSerializerOptions options) => writer.WriteStringValue(value.ToString());
}

/// <summary>A digest as its bare hexadecimal digits, for fields whose name already says <c>sha256</c>.</summary>
sealed class HexDigestConverter : JsonConverter<Digest>
{
    public override Digest Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) =>
        reader.TokenType is JsonTokenType.String && Digest.TryParseHex(reader.GetString(), out var digest)
            ? digest
            : throw new JsonException("A sha256 field holds 64 lower-case hexadecimal digits.");

    public override void Write(Utf8JsonWriter writer, Digest value, JsonSerializerOptions options) => writer.WriteStringValue(value.Hex);
}
