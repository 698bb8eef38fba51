using System.Text;

namespace RegistryUnlearn.Registry.Azure.Tests.Events;

public sealed class JobHintsTests
{
    const string A = "2c26b46b68ffc68ff99b453c1d30413413422d706483bfa0f98a5e886266e7ae";
    const string B = "fcde2b2edba56bf408601fb721fe9b5c338d10ee429ea04fae5511b68fbf8fb9";
    const string Blobs = "/blobServices/default/containers/models/blobs/";

    static JobHints Parse(string text) => JobHints.Parse(Encoding.UTF8.GetBytes(text));

    static string GridEvent(string subject, string type = "Microsoft.Storage.BlobCreated") => $$"""
        {
          "topic": "/subscriptions/s/resourceGroups/g/providers/Microsoft.Storage/storageAccounts/a", "subject": "{{subject}}",
          "eventType": "{{type}}", "id": "831e1650-001e-001b-66ab-eeb76e069631", "eventTime": "2026-03-05T12:30:00.3806543Z",
          "data": { "api": "PutBlob", "eTag": "0x8D4BCC2E4835CD0", "url": "https://a.blob.core.windows.net/models/x", "sequencer": "00" },
          "dataVersion": "", "metadataVersion": "1"
        }
        """;

    static string CloudEvent(string subject, string type = "Microsoft.Storage.BlobCreated") => $$"""
        {
          "specversion": "1.0", "source": "/subscriptions/s/storageAccounts/a", "subject": "{{subject}}", "type": "{{type}}",
          "id": "9aeb0fdf-c01e-0131-0922-9eb54906e209", "time": "2026-03-05T12:30:00Z", "data": { "api": "PutBlockList", "url": "x" }
        }
        """;

    public static TheoryData<string, string[]> Messages => new()
    {
        { A, [A] },
        { $" {A}\n", [A] },
        { Convert.ToBase64String(Encoding.UTF8.GetBytes(A)), [A] },
        { GridEvent($"{Blobs}.registry-unlearn/requests/{A}.json"), [A] },
        { GridEvent($"{Blobs}some/prefix/.registry-unlearn/requests/{A}.json"), [A] },
        {
            $"[{GridEvent($"{Blobs}.registry-unlearn/requests/{A}.json")}, {GridEvent($"{Blobs}p/.registry-unlearn/requests/{B}.json")}]",
            [A, B]
        },
        { Convert.ToBase64String(Encoding.UTF8.GetBytes(GridEvent($"{Blobs}.registry-unlearn/requests/{A}.json"))), [A] },
        { CloudEvent($"{Blobs}.registry-unlearn/requests/{A}.json"), [A] },
        {
            $"[{CloudEvent($"{Blobs}.registry-unlearn/requests/{A}.json")},{CloudEvent($"{Blobs}.registry-unlearn/requests/{A}.json")}]",
            [A]
        },
        // Events about other things, or forged ones, hint at nothing.
        { GridEvent($"{Blobs}digits/2/manifest.json"), [] },
        { GridEvent($"{Blobs}.registry-unlearn/requests/{A}.json", "Microsoft.Storage.BlobDeleted"), [] },
        { GridEvent($"{Blobs}.registry-unlearn/requests/../../{A}.json"), [] },
        { GridEvent($"{Blobs}.registry-unlearn/requests/{A[..63]}.json"), [] },
        { GridEvent($"{Blobs}.registry-unlearn/requests/{A}.json/x"), [] },
        { CloudEvent($"{Blobs}digits/2/manifest.json"), [] },
        { CloudEvent("", "com.example.other"), [] },
    };

    [Theory]
    [MemberData(nameof(Messages))]
    public void Says_which_jobs_are_worth_a_look(string message, string[] jobs)
    {
        var hints = Parse(message);
        Assert.Equal(jobs, hints.Jobs.Select(j => j.ToString()));
        Assert.Null(hints.ValidationCode);
    }

    [Fact]
    public void The_handshake_of_Event_Grid_is_a_code()
    {
        var hints = Parse("""
            [{
              "id": "2d1781af-3a4c-4d7c-bd0c-e34b19da4e66", "topic": "/subscriptions/s", "subject": "",
              "data": {
                "validationCode": "512d38b6-c7b8-40c8-89fe-f46f9e9622b6", "validationUrl": "https://rp-eastus2.eventgrid.azure.net"
              },
              "eventType": "Microsoft.EventGrid.SubscriptionValidationEvent", "eventTime": "2026-03-05T12:30:00Z",
              "metadataVersion": "1", "dataVersion": "1"
            }]
            """);
        Assert.Equal(("512d38b6-c7b8-40c8-89fe-f46f9e9622b6", 0), (hints.ValidationCode, hints.Jobs.Count));
    }

    public static TheoryData<string> NoMessages =>
    [
        "", "hello", "{}", "[]", "{", "[1]", "null", A[..63], A + A, "{\"specversion\":\"1.0\"}", "[{\"id\":1}]", "QUJD",
        "{\"specversion\":\"9\",\"type\":\"t\",\"source\":\"s\",\"id\":\"i\"}", new string('[', 5000),
    ];

    [Theory]
    [MemberData(nameof(NoMessages))]
    public void What_is_neither_id_nor_event_is_refused_and_not_repeated(string message)
    {
        var refusal = Assert.Throws<FormatException>(() => Parse(message));
        Assert.Equal("the message is no job id and no event; send a job id, or events of Event Grid or CloudEvents 1.0", refusal.Message);
    }

    [Fact]
    public void A_message_has_a_size() => Assert.Contains("more than 1048576 bytes",
        Assert.Throws<FormatException>(() => JobHints.Parse(new byte[JobHints.MaxBytes + 1])).Message);
}
