using System.Text.Json;
using System.Text.Json.Serialization;

namespace RegistryUnlearn.Worker.Requests;

/// <summary>How options and results are written as JSON: field names in camel case, enumerations in lower case with dashes.</summary>
static class RequestJson
{
    public static JsonSerializerOptions Options { get; } = new()
    {
        PropertyNamingPolicy = JsonNamingPolicy.CamelCase,
        Converters = { new JsonStringEnumConverter(JsonNamingPolicy.KebabCaseLower) },
        WriteIndented = false,
    };
}
