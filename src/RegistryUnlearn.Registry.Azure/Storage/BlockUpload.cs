using System.Buffers.Binary;
using System.Security.Cryptography;
using Azure;
using Azure.Storage;
using Azure.Storage.Blobs.Models;
using Azure.Storage.Blobs.Specialized;

namespace RegistryUnlearn.Registry.Azure;

/// <summary>
/// Creates a large blob: blocks are staged in parallel, where no reader sees them, and one request makes a blob of them. A block's id is
/// the upload's tag, its number and the MD5 of its bytes, which the service has checked. By the tag two uploads of one blob do not
/// overwrite each other's blocks; by number and MD5 an upload finds the blocks that an interrupted one has left and stages only the others;
/// the first block is always its own, so that a blob's list of blocks tells whose it is. MD5 tells damage, not malice: whoever reads a blob
/// checks its SHA-256.
/// </summary>
sealed class BlockUpload(BlockBlobClient blob, AzureBlobStoreOptions options, string path)
{
    const int MaxBlocks = 50_000;
    const int IdBytes = AzureBlobStoreOptions.TagBytes + sizeof(int) + MD5.HashSizeInBytes;

    readonly byte[] tag = options.NewUploadTag();
    readonly List<string> ids = [];

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
        var staging = new List<Task<StagedBlock>>(options.Parallelism);
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
                staging.Add(StageAsync(ids.Count - 1, buffer, count, staged, cancellation));
                if (count < buffer.Length)
                    break;
                buffer = staging.Count < options.Parallelism ? new byte[options.BlockBytes] : await TakeAsync(staging);
                count = await rest.ReadAtLeastAsync(buffer, buffer.Length, throwOnEndOfStream: false, cancellation);
            }
            while (staging.Count > 0)
                await TakeAsync(staging);
        }
        finally
        {
            // After a failure too: what is on its way then lies there for the next upload.
            await Task.WhenAll(staging);
        }
    }

    /// <summary>Waits for one of the blocks; gives its memory back.</summary>
    async Task<byte[]> TakeAsync(List<Task<StagedBlock>> staging)
    {
        var done = await Task.WhenAny(staging);
        staging.Remove(done);
        var block = await done;
        ids[block.Number] = block.Id;
        return block.Buffer.Length == options.BlockBytes ? block.Buffer : new byte[options.BlockBytes];
    }

    async Task<StagedBlock> StageAsync(int number, byte[] buffer, int count, Dictionary<string, string> staged,
        CancellationToken cancellation)
    {
        var identity = new byte[sizeof(int) + MD5.HashSizeInBytes];
        BinaryPrimitives.WriteInt32BigEndian(identity, number);
        await Task.Run(() => MD5.HashData(buffer.AsSpan(0, count), identity.AsSpan(sizeof(int))), cancellation);
        if (number > 0 && staged.TryGetValue(KeyOf(identity, count), out var left))
            return new(number, left, buffer);
        var id = Convert.ToBase64String([.. tag, .. identity]);
        var check = new UploadTransferValidationOptions
        {
            ChecksumAlgorithm = StorageChecksumAlgorithm.MD5,
            PrecalculatedChecksum = identity.AsMemory(sizeof(int)),
        };
        await blob.StageBlockAsync(id, new MemoryStream(buffer, 0, count, writable: false),
            new BlockBlobStageBlockOptions { TransferValidation = check }, cancellation);
        return new(number, id, buffer);
    }

    /// <summary>What makes two blocks the same.</summary>
    static string KeyOf(ReadOnlySpan<byte> identity, long count) => $"{Convert.ToHexString(identity)}-{count}";

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
                    staged[KeyOf(id.AsSpan(AzureBlobStoreOptions.TagBytes..IdBytes), block.SizeLong)] = block.Name;
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

    /// <summary>A block that the service has, and the memory that it came from.</summary>
    readonly record struct StagedBlock(int Number, string Id, byte[] Buffer);
}
