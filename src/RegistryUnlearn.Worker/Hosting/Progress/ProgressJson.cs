using System.Text.Json;
using System.Text.Json.Serialization;

namespace RegistryUnlearn.Worker.Hosting.Progress;

static class ProgressJson
{
    static readonly JsonSerializerOptions Options = new(JsonSerializerDefaults.Web)
    {
        DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
        RespectNullableAnnotations = true,
        RespectRequiredConstructorParameters = false,
    };

    public static byte[] Write(JobProgressDocument document) => JsonSerializer.SerializeToUtf8Bytes(document, Options);

    public static JobProgressDocument? TryRead(ReadOnlySpan<byte> json)
    {
        try
        {
            return JsonSerializer.Deserialize<JobProgressDocument>(json, Options);
        }
        catch (JsonException)
        {
            return null;
        }
    }
}
