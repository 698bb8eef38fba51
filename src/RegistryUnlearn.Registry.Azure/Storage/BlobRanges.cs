using Azure;
using Azure.Storage.Blobs.Models;
using Azure.Storage.Blobs.Specialized;

namespace RegistryUnlearn.Registry.Azure;

/// <summary>Bytes of one version of a blob, complete or not at all.</summary>
static class BlobRanges
{
    /// <summary>Answers in a row that may bring nothing.</summary>
    const int MaxEmptyAnswers = 5;

    /// <summary>Fills the buffer from an answer that begins with its first byte, and from further ones where that breaks off.</summary>
    /// <exception cref="RequestFailedException">412: the blob was replaced meanwhile. 404: it was removed.</exception>
    public static async Task ReadAsync(BlobBaseClient blob, BlobDownloadStreamingResult answer, Memory<byte> buffer, string path,
        CancellationToken cancellation)
    {
        var offset = OffsetOf(answer);
        var filled = await DrainAsync(answer, buffer, cancellation);
        await ReadAsync(blob, answer.Details.ETag, offset + filled, buffer[filled..], path, cancellation);
    }

    /// <summary>Fills the buffer with the bytes from an offset on.</summary>
    /// <exception cref="RequestFailedException">412: the blob was replaced meanwhile. 404: it was removed.</exception>
    public static async Task ReadAsync(BlobBaseClient blob, global::Azure.ETag version, long offset, Memory<byte> buffer, string path,
        CancellationToken cancellation)
    {
        for (var empty = 0; buffer.Length > 0;)
        {
            using var answer = await AskAsync(blob, new()
            {
                Range = new HttpRange(offset, buffer.Length),
                Conditions = new() { IfMatch = version },
            }, cancellation);
            var filled = await DrainAsync(answer, buffer, cancellation);
            empty = filled > 0 ? 0 : empty + 1;
            if (empty == MaxEmptyAnswers)
            {
                throw new RegistryException(RegistryErrorKind.Unavailable, path,
                    "the service breaks off its answers again and again. Check the network, then run the same job again.");
            }
            (offset, buffer) = (offset + filled, buffer[filled..]);
        }
    }

    /// <summary>The beginning of an answer. The client library does not ask again when a refusal breaks off in its middle.</summary>
    public static async Task<BlobDownloadStreamingResult> AskAsync(BlobBaseClient blob, BlobDownloadOptions question,
        CancellationToken cancellation)
    {
        for (var broken = 1; ; broken++)
        {
            try
            {
                return (await blob.DownloadStreamingAsync(question, cancellation)).Value;
            }
            catch (IOException) when (broken < MaxEmptyAnswers)
            {
                // What was asked is read only: it can be asked again at once.
            }
        }
    }

    /// <summary>What arrives of an answer; an answer may end early without an error.</summary>
    static async Task<int> DrainAsync(BlobDownloadStreamingResult answer, Memory<byte> buffer, CancellationToken cancellation) =>
        buffer.Length is 0 ? 0 : await answer.Content.ReadAtLeastAsync(buffer, buffer.Length, throwOnEndOfStream: false, cancellation);

    /// <summary>The first byte of an answer: <c>bytes 5-9/20</c> begins with byte 5.</summary>
    static long OffsetOf(BlobDownloadStreamingResult answer) =>
        ContentRange.TryParse(answer.Details.ContentRange, out var range) ? range.Start : 0;
}
