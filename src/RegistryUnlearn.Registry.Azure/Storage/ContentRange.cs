using System.Net.Http.Headers;

namespace RegistryUnlearn.Registry.Azure;

/// <summary>Which bytes of how many an answer holds: the header <c>Content-Range: bytes 5-9/20</c> (RFC 9110, section 14.4).</summary>
readonly record struct ContentRange(long Start, long Total)
{
    public static bool TryParse(string? header, out ContentRange range)
    {
        var valid = ContentRangeHeaderValue.TryParse(header, out var parsed) && parsed is { From: not null, Length: not null };
        range = valid ? new(parsed!.From!.Value, parsed.Length!.Value) : default;
        return valid;
    }
}
