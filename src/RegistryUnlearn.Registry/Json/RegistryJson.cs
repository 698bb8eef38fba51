using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace RegistryUnlearn.Registry;

/// <summary>How the registry writes and reads its own documents.</summary>
static class RegistryJson
{
    static readonly JsonSerializerOptions Options = new()
    {
        PropertyNamingPolicy = JsonNamingPolicy.CamelCase,
        DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
        RespectNullableAnnotations = true,
        RespectRequiredConstructorParameters = true,
        AllowDuplicateProperties = false,
        WriteIndented = true,
        NewLine = "\n",
        Converters = { new UtcTimeConverter(), new JsonStringEnumConverter(JsonNamingPolicy.CamelCase, allowIntegerValues: false) },
    };

    /// <summary>UTF-8, indented by two spaces, ending in LF; the same value gives the same bytes.</summary>
    public static byte[] Serialize<T>(T value) => [.. JsonSerializer.SerializeToUtf8Bytes(value, Options), (byte)'\n'];

    /// <exception cref="RegistryException">The bytes are not the document they should be.</exception>
    public static T Deserialize<T>(ReadOnlySpan<byte> bytes, string path)
    {
        try
        {
            return JsonSerializer.Deserialize<T>(bytes, Options) ?? throw new JsonException("The document is null.");
        }
        catch (JsonException e)
        {
            throw new RegistryException(RegistryErrorKind.Invalid, path,
                $"this is not a valid {typeof(T).Name} document ({e.Message}) Restore it from a backup, or remove it if it is not " +
                $"ours.", e);
        }
    }
}
