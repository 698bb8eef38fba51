using System.Diagnostics.CodeAnalysis;
using Azure;
using Azure.Core;

namespace RegistryUnlearn.Registry.Azure.Tests.Http;

/// <summary>An answer without a body that no service gave.</summary>
sealed class StubResponse(int status, params (string Name, string Value)[] headers) : Response
{
    readonly Dictionary<string, string> headers = headers.ToDictionary(h => h.Name, h => h.Value, StringComparer.OrdinalIgnoreCase);

    public override int Status => status;

    public override string ReasonPhrase => "Stub";

    public override Stream? ContentStream { get; set; }

    public override string ClientRequestId { get; set; } = "";

    /// <summary>The same answer with some headers changed; its body stays.</summary>
    public static StubResponse From(Response response, params (string Name, string Value)[] changes)
    {
        var changed = new StubResponse(response.Status, [.. response.Headers.Select(h => (h.Name, h.Value))])
        {
            ContentStream = response.ContentStream,
            ClientRequestId = response.ClientRequestId,
        };
        foreach (var (name, value) in changes)
            changed.headers[name] = value;
        return changed;
    }

    public override void Dispose() => ContentStream?.Dispose();

    protected override bool TryGetHeader(string name, [NotNullWhen(true)] out string? value) => headers.TryGetValue(name, out value);

    protected override bool TryGetHeaderValues(string name, [NotNullWhen(true)] out IEnumerable<string>? values)
    {
        values = headers.TryGetValue(name, out var value) ? [value] : null;
        return values is not null;
    }

    protected override bool ContainsHeader(string name) => headers.ContainsKey(name);

    protected override IEnumerable<HttpHeader> EnumerateHeaders() => headers.Select(h => new HttpHeader(h.Key, h.Value));
}
