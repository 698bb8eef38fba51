using System.Text;
using System.Text.Json;
using Azure.Messaging;
using Azure.Messaging.EventGrid;

namespace RegistryUnlearn.Registry.Azure;

/// <summary>What a message or an HTTP request said about jobs.</summary>
/// <param name="Jobs">Jobs worth a look; each once.</param>
/// <param name="ValidationCode">What Event Grid wants to read back before it sends events here; null for events.</param>
public sealed record JobHints(IReadOnlyList<JobId> Jobs, string? ValidationCode = null)
{
    /// <summary>Largest message that is read, in bytes; one of a queue has at most 64 KiB, one of Event Grid at most 1 MiB.</summary>
    public const int MaxBytes = 1 << 20;

    const string BlobCreated = "Microsoft.Storage.BlobCreated";
    const string Validation = "Microsoft.EventGrid.SubscriptionValidationEvent";
    const string Requests = "/.registry-unlearn/requests/";
    const string Extension = ".json";
    const string Remedy = "send a job id, or events of Event Grid or CloudEvents 1.0";

    /// <summary>
    /// Reads a plain job id; one event or a list of them, in the schema of Event Grid or of CloudEvents 1.0; or any of these in base64, as
    /// some senders to queues write. A created blob hints at a job if it is a request of a registry. Nothing that events say is believed:
    /// ids are looked up.
    /// </summary>
    /// <exception cref="FormatException">It is none of these. The message says what it should be and does not repeat it.</exception>
    public static JobHints Parse(ReadOnlySpan<byte> message)
    {
        if (message.Length > MaxBytes)
            throw new FormatException($"the message has more than {MaxBytes} bytes; {Remedy}");
        var text = Encoding.UTF8.GetString(message).Trim();
        return TryParse(text) ?? (TryDecode(text) is { } decoded ? TryParse(decoded) : null)
            ?? throw new FormatException($"the message is no job id and no event; {Remedy}");
    }

    static JobHints? TryParse(string text)
    {
        if (JobId.TryParse(text, out var job))
            return new([job]);
        if (text.Length == 0 || text[0] is not ('{' or '['))
            return null;
        try
        {
            using var document = JsonDocument.Parse(text);
            var first = document.RootElement.ValueKind is JsonValueKind.Array
                ? document.RootElement.EnumerateArray().FirstOrDefault() : document.RootElement;
            if (first.ValueKind is not JsonValueKind.Object)
                return null;
            var data = BinaryData.FromString(text);
            return first.TryGetProperty("specversion", out _) ? OfCloudEvents(data) : OfGridEvents(data);
        }
        catch (Exception e) when (e is JsonException or ArgumentException or InvalidOperationException or FormatException)
        {
            return null;
        }
    }

    static JobHints OfCloudEvents(BinaryData data) =>
        new(Distinct(CloudEvent.ParseMany(data).Where(e => e.Type == BlobCreated).Select(e => e.Subject)));

    static JobHints OfGridEvents(BinaryData data)
    {
        var events = EventGridEvent.ParseMany(data);
        var validation = events.FirstOrDefault(e => e.EventType == Validation);
        if (validation is null)
            return new(Distinct(events.Where(e => e.EventType == BlobCreated).Select(e => e.Subject)));
        using var content = JsonDocument.Parse(validation.Data);
        return new([], content.RootElement.GetProperty("validationCode").GetString()
            ?? throw new FormatException("validationCode is null"));
    }

    static JobId[] Distinct(IEnumerable<string?> subjects) => [.. subjects.Select(OfSubject).OfType<JobId>().Distinct()];

    /// <summary>
    /// The request that a subject such as <c>/blobServices/default/containers/c/blobs/p/.registry-unlearn/requests/id.json</c> names.
    /// </summary>
    static JobId? OfSubject(string? subject)
    {
        var at = subject?.LastIndexOf(Requests, StringComparison.Ordinal) ?? -1;
        return at >= 0 && subject!.EndsWith(Extension, StringComparison.Ordinal)
            && JobId.TryParse(subject[(at + Requests.Length)..^Extension.Length], out var job) ? job : null;
    }

    static string? TryDecode(string text)
    {
        var bytes = new byte[text.Length];
        return Convert.TryFromBase64String(text, bytes, out var count) ? Encoding.UTF8.GetString(bytes, 0, count).Trim() : null;
    }
}
