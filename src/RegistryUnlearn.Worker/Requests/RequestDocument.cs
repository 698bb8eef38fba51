using System.Text;
using System.Text.Json;

namespace RegistryUnlearn.Worker.Requests;

/// <summary>The text of a request before its fields are looked at.</summary>
public static class RequestDocument
{
    /// <summary>Requests above this many bytes are refused; some million ids fit.</summary>
    public const int MaxBytes = 64 << 20;

    static readonly UTF8Encoding Utf8 = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    /// <summary>Reads a request file.</summary>
    /// <exception cref="InputException">The file is missing, too large or not UTF-8.</exception>
    public static async Task<string> ReadFileAsync(string path, CancellationToken cancellation = default)
    {
        try
        {
            await using var file = File.OpenRead(path);
            if (!file.CanSeek)
                throw new InputException(path, "is no regular file; give the path of a request file");
            if (file.Length > MaxBytes)
                throw new InputException(path, $"the request has {file.Length} bytes, at most {MaxBytes} are read; split it");
            using var reader = new StreamReader(file, Utf8);
            return await reader.ReadToEndAsync(cancellation);
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            throw new InputException(path, "does not exist; give the path of a request file", e);
        }
        catch (UnauthorizedAccessException e)
        {
            throw new InputException(path, "is a folder or may not be read; give the path of a request file", e);
        }
        catch (DecoderFallbackException e)
        {
            throw new InputException(path, "is not UTF-8 text; save the request as UTF-8", e);
        }
    }

    /// <summary>
    /// A document all of whose texts are valid Unicode. What the parser complains of may hold an id: only its place is told.
    /// </summary>
    /// <exception cref="InputException">Too large, no JSON, or no Unicode.</exception>
    internal static JsonDocument Parse(string json, string source)
    {
        if (json.Length > MaxBytes)
            throw new InputException(source, $"the request has {json.Length} characters, at most {MaxBytes} are read; split it");
        JsonDocument document;
        try
        {
            document = JsonDocument.Parse(json);
        }
        catch (JsonException e)
        {
            throw new InputException(source,
                $"the request is not JSON (line {e.LineNumber + 1}, byte {e.BytePositionInLine + 1}); correct it there");
        }
        if (HoldsUnicode(document.RootElement))
            return document;
        document.Dispose();
        throw new InputException(source, "the request holds a text with an unpaired surrogate; write valid Unicode");
    }

    static bool HoldsUnicode(JsonElement element)
    {
        try
        {
            return element.ValueKind switch
            {
                JsonValueKind.Object => element.EnumerateObject().All(f => f.Name is not null && HoldsUnicode(f.Value)),
                JsonValueKind.Array => element.EnumerateArray().All(HoldsUnicode),
                JsonValueKind.String => element.GetString() is not null,
                _ => true,
            };
        }
        catch (InvalidOperationException)
        {
            return false;
        }
    }
}
