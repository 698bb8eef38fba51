using System.Security.Cryptography;
using Azure;
using Azure.Storage.Blobs.Models;
using Azure.Storage.Blobs.Specialized;

namespace RegistryUnlearn.Registry.Azure;

/// <summary>
/// Creates a large blob: blocks are staged in parallel, where no reader sees them, and one request makes a blob of them. A block's id is the
/// upload's tag, its number and the SHA-256 of its bytes. By the tag two uploads of one blob do not overwrite each other's blocks; by number
/// and digest an upload finds the blocks that an interrupted one has left and stages only the others; the first block is always its own, so
/// that a blob's list of blocks tells whose it is.
/// </summary>
sealed class BlockUpload(BlockBlobClient blob, AzureBlobStoreOptions options, string path)
{
    const int MaxBlocks = 50_000;
    const int IdBytes = AzureBlobStoreOptions.TagBytes + sizeof(int) + SHA256.HashSizeInBytes;

    readonly byte[] tag = options.NewUploadTag();
    readonly List<string> ids = [];
    readonly Stack<byte[]> spare = new();

    /// <summary>Null when the blob exists already.</summary>
    /// <param name="first">The first block; not used by the caller again.</param>
    /// <param name="count">Bytes in it; less than a block when nothing follows.</param>
    /// <param name="rest">What follows; read to its end before the blob gets its name.</param>
    /// <param name="cancellation">Staged blocks remain for the next upload.</param>
    public async Task<ETag?> CreateAsync(byte[] first, int count, Stream rest, CancellationToken cancellation)
    {
        if (await ListStagedAsync(cancellation) is not { } staged)
            return null;
        await StageAllAsync(first, count, rest, staged, cancellation);
        return await CommitAsync(cancellation);
    }

    async Task StageAllAsync(byte[] buffer, int count, Stream rest, Dictionary<string, string> staged, CancellationToken cancellation)
    {
        using var failure = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        var staging = new List<Task<byte[]>>(options.Parallelism);
        try
        {
            while (count > 0)
            {
                if (ids.Count == MaxBlocks)
                {
                    throw new RegistryException(RegistryErrorKind.Invalid, path, $"it has more than {MaxBlocks} blocks of " +
                        $"{options.BlockBytes} bytes, the most that the service takes. Split it into several data files.");
                }
                ids.Add("");
                staging.Add(StageAsync(ids.Count - 1, buffer, count, staged, failure.Token));
                if (count < buffer.Length)
                    break;
                if (staging.Count == options.Parallelism)
                {
                    var done = await Task.WhenAny(staging);
                    staging.Remove(done);
                    spare.Push(await done);
                }
                if (!spare.TryPop(out buffer!))
                    buffer = new byte[options.BlockBytes];
                count = await rest.ReadAtLeastAsync(buffer, buffer.Length, throwOnEndOfStream: false, cancellation);
            }
            await Task.WhenAll(staging);
        }
        catch
        {
            await failure.CancelAsync();
            await Task.WhenAll(staging).ContinueWith(_ => { }, TaskScheduler.Default);
            throw;
        }
    }

    async Task<byte[]> StageAsync(int number, byte[] buffer, int count, Dictionary<string, string> staged, CancellationToken cancellation)
    {
        var content = await Task.Run(() => SHA256.HashData(buffer.AsSpan(0, count)), cancellation);
        var key = KeyOf(number, content);
        if (number > 0 && staged.TryGetValue($"{key}-{count}", out var id))
        {
            ids[number] = id;
            return buffer;
        }
        ids[number] = Convert.ToBase64String([.. tag, .. Convert.FromHexString(key)]);
        await blob.StageBlockAsync(ids[number], new MemoryStream(buffer, 0, count, writable: false), cancellationToken: cancellation);
        return buffer;
    }

    /// <summary>Number and digest in hexadecimal digits: what makes two blocks the same.</summary>
    static string KeyOf(int number, ReadOnlySpan<byte> digest)
    {
        Span<byte> key = stackalloc byte[sizeof(int) + SHA256.HashSizeInBytes];
        System.Buffers.Binary.BinaryPrimitives.WriteInt32BigEndian(key, number);
        digest.CopyTo(key[sizeof(int)..]);
        return Convert.ToHexString(key);
    }

    /// <summary>Blocks that other uploads have left, by number, digest and size; null when the blob exists.</summary>
    async Task<Dictionary<string, string>?> ListStagedAsync(CancellationToken cancellation)
    {
        var staged = new Dictionary<string, string>();
        try
        {
            var list = await blob.GetBlockListAsync(BlockListTypes.All, cancellationToken: cancellation);
            if (list.Value.CommittedBlocks.Any() || (await blob.ExistsAsync(cancellation)).Value)
                return null;
            var id = new byte[IdBytes + 2];
            foreach (var block in list.Value.UncommittedBlocks)
            {
                if (Convert.TryFromBase64String(block.Name, id, out var bytes) && bytes is IdBytes)
                    staged[$"{Convert.ToHexString(id.AsSpan(AzureBlobStoreOptions.TagBytes..IdBytes))}-{block.SizeLong}"] = block.Name;
            }
        }
        catch (RequestFailedException e) when (AzureErrors.IsAbsent(e))
        {
            // Neither a blob nor blocks.
        }
        return staged;
    }

    async Task<ETag?> CommitAsync(CancellationToken cancellation)
    {
        try
        {
            var committed = await blob.CommitBlockListAsync(ids,
                new CommitBlockListOptions { Conditions = new() { IfNoneMatch = global::Azure.ETag.All } }, cancellation);
            return AzureBlobStore.TagOf(committed.Value.ETag);
        }
        catch (RequestFailedException e) when (AzureErrors.IsConflict(e) || e.ErrorCode == BlobErrorCode.InvalidBlockList)
        {
            return await FindOwnAsync(e, cancellation);
        }
    }

    /// <summary>A conflict may be with this very upload, whose first answer was lost: the blob's list of blocks tells.</summary>
    async Task<ETag?> FindOwnAsync(RequestFailedException conflict, CancellationToken cancellation)
    {
        try
        {
            var list = await blob.GetBlockListAsync(BlockListTypes.Committed, cancellationToken: cancellation);
            if (ids.Count > 0 && list.Value.CommittedBlocks.Select(b => b.Name).SequenceEqual(ids))
                return AzureBlobStore.TagOf(list.GetRawResponse().Headers.ETag!.Value);
            if ((await blob.ExistsAsync(cancellation)).Value)
                return null;
        }
        catch (RequestFailedException e) when (AzureErrors.IsAbsent(e))
        {
            // The blob in the way is gone, and the staged blocks went with it.
        }
        throw new RegistryException(RegistryErrorKind.Unavailable, path,
            "another upload took away its blocks and was removed. Run the same job again.", conflict);
    }
}
