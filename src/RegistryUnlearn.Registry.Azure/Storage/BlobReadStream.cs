using Azure;
using Azure.Storage.Blobs;
using Azure.Storage.Blobs.Models;
using Azure.Storage.Blobs.Specialized;

namespace RegistryUnlearn.Registry.Azure;

/// <summary>
/// Reads one version of a blob forward, with the next blocks on their way. A blob that is replaced or removed meanwhile ends the reading
/// with an exception; one of a single block is whole in memory from the start.
/// </summary>
sealed class BlobReadStream : ForwardStream
{
    readonly BlobContainerClient container;
    readonly BlobBaseClient blob;
    readonly global::Azure.ETag version;
    readonly long length;
    readonly AzureBlobStoreOptions options;
    readonly string path;
    readonly CancellationTokenSource closing = new();
    readonly Queue<Task<Memory<byte>>> ahead = new();
    Memory<byte> block;
    int read;
    long requested;

    BlobReadStream(BlobContainerClient container, BlobBaseClient blob, BlobDownloadDetails details, AzureBlobStoreOptions options,
        string path)
    {
        (this.container, this.blob, version, this.options, this.path) = (container, blob, details.ETag, options, path);
        length = ContentRange.TryParse(details.ContentRange, out var range) ? range.Total : details.ContentLength;
    }

    public override long Length => length;

    /// <param name="container">Where the blob is, for messages.</param>
    /// <param name="blob">The blob.</param>
    /// <param name="first">The answer with its first block.</param>
    /// <param name="options">How to transfer.</param>
    /// <param name="path">For messages.</param>
    /// <param name="cancellation">Of the opening.</param>
    public static async Task<BlobReadStream> OpenAsync(BlobContainerClient container, BlobBaseClient blob,
        BlobDownloadStreamingResult first, AzureBlobStoreOptions options, string path, CancellationToken cancellation)
    {
        var stream = new BlobReadStream(container, blob, first.Details, options, path);
        try
        {
            var block = new byte[Math.Min(stream.length, options.BlockBytes)];
            (stream.block, stream.requested) = (block, block.Length);
            for (var i = 0; i < options.Parallelism; i++)
                stream.RequestNext(spent: default);
            await BlobRanges.ReadAsync(blob, first, block, path, cancellation);
            return stream;
        }
        catch
        {
            await stream.DisposeAsync();
            throw;
        }
    }

    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        if (buffer.Length is 0)
            return 0;
        if (read == block.Length && !await NextAsync(cancellationToken))
            return 0;
        var count = Math.Min(buffer.Length, block.Length - read);
        block.Span.Slice(read, count).CopyTo(buffer.Span);
        read += count;
        return count;
    }

    public override int Read(byte[] buffer, int offset, int count) =>
        ReadAsync(buffer.AsMemory(offset, count)).AsTask().GetAwaiter().GetResult();

    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            closing.Cancel();
            // Nobody waits for what is on its way any more: its failures, the cancellation first, are seen here.
            foreach (var task in ahead)
                _ = task.ContinueWith(t => _ = t.Exception, TaskScheduler.Default);
            ahead.Clear();
        }
        base.Dispose(disposing);
    }

    async Task<bool> NextAsync(CancellationToken cancellation)
    {
        if (!ahead.TryPeek(out var next))
            return false;
        var spent = block;
        try
        {
            (block, read) = (await next.WaitAsync(cancellation), 0);
        }
        catch (RequestFailedException e) when (AzureErrors.IsConflict(e) || AzureErrors.IsAbsent(e))
        {
            throw await ChangedAsync(e, cancellation);
        }
        catch (Exception e) when (AzureErrors.Translate(e, path, container, cancellation) is { } translated)
        {
            throw translated;
        }
        _ = ahead.Dequeue();
        RequestNext(spent);
        return true;
    }

    /// <summary>The service does not tell a removed blob from a replaced one when it is asked for a version.</summary>
    async Task<RegistryException> ChangedAsync(RequestFailedException e, CancellationToken cancellation)
    {
        try
        {
            return (await blob.ExistsAsync(cancellation)).Value
                ? new(RegistryErrorKind.Unavailable, path, "it was replaced while it was read. Run again when it is at rest.", e)
                : new(RegistryErrorKind.NotFound, path, "it was removed while it was read. Run again when it is at rest.", e);
        }
        catch (Exception failed) when (AzureErrors.Translate(failed, path, container, cancellation) is { } translated)
        {
            return translated;
        }
    }

    /// <summary>Asks for the next block, if there is one, in the memory of a spent one.</summary>
    void RequestNext(Memory<byte> spent)
    {
        if (requested == length)
            return;
        var count = (int)Math.Min(length - requested, options.BlockBytes);
        ahead.Enqueue(RequestAsync(requested, spent.Length >= count ? spent[..count] : new byte[count]));
        requested += count;
    }

    async Task<Memory<byte>> RequestAsync(long offset, Memory<byte> bytes)
    {
        await BlobRanges.ReadAsync(blob, version, offset, bytes, path, closing.Token);
        return bytes;
    }
}
