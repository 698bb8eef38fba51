using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace RegistryUnlearn.Cli.Output;

/// <summary>Answers as JSON: camelCase, indented; numbers that are not finite as "NaN", "Infinity", "-Infinity".</summary>
static class JsonOutput
{
    static readonly JsonSerializerOptions Options = new(JsonSerializerDefaults.Web)
    {
        WriteIndented = true,
        NewLine = "\n",
        NumberHandling = JsonNumberHandling.AllowNamedFloatingPointLiterals,
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
        Converters = { new JsonStringEnumConverter(JsonNamingPolicy.KebabCaseLower) },
    };

    /// <summary>A part of a document whose type is only known when the command runs.</summary>
    public static JsonElement Element(object part) => JsonSerializer.SerializeToElement(part, part.GetType(), Options);

    public static string Write(object document) => JsonSerializer.Serialize(document, Options);
}
