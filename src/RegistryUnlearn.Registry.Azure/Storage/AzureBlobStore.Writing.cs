using Azure;
using Azure.Storage.Blobs.Models;
using Azure.Storage.Blobs.Specialized;

namespace RegistryUnlearn.Registry.Azure;

public sealed partial class AzureBlobStore
{
    const string CopyStatusHeader = "x-ms-copy-status";

    static readonly TimeSpan LongestCopyPoll = TimeSpan.FromSeconds(5);

    static BlobRequestConditions IfAbsent => new() { IfNoneMatch = global::Azure.ETag.All };

    public Task<ETag?> TryCreateAsync(string path, ReadOnlyMemory<byte> content, CancellationToken cancellation = default) =>
        Guard(path, blob => CreateAsync(blob, path, BinaryData.FromBytes(content).ToStream(), cancellation), cancellation);

    public Task<bool> TryCreateAsync(string path, Stream content, CancellationToken cancellation = default) =>
        Guard(path, async blob => await CreateAsync(blob, path, content, cancellation) is not null, cancellation);

    public Task<ETag?> TryReplaceAsync(string path, ReadOnlyMemory<byte> content, ETag expected,
        CancellationToken cancellation = default) =>
        Guard(path, blob =>
            PutAsync(blob, content, new() { IfMatch = new global::Azure.ETag(expected.Value) }, cancellation), cancellation);

    public Task<bool> TryCopyAsync(string source, string target, CancellationToken cancellation = default)
    {
        var from = BlobOf(source);
        return Guard(target, async to =>
        {
            while (true)
            {
                try
                {
                    return await CopyAsync(from, to, target, cancellation);
                }
                catch (RequestFailedException e) when (AzureErrors.IsConflict(e))
                {
                    if (await SettleAsync(to, cancellation) is not CopyStatus.Failed)
                        return false;
                }
                catch (RequestFailedException e) when (AzureErrors.IsAbsent(e))
                {
                    if (await SettleAsync(to, cancellation) is CopyStatus.Success)
                        return false;
                    throw new RegistryException(RegistryErrorKind.NotFound, source, $"there is nothing to copy to {target}.", e);
                }
            }
        }, cancellation);
    }

    /// <summary>Within one account the service copies at once as a rule, so that the first answer says so.</summary>
    async Task<bool> CopyAsync(BlockBlobClient from, BlockBlobClient to, string target, CancellationToken cancellation)
    {
        var copy = await to.StartCopyFromUriAsync(from.Uri, new BlobCopyFromUriOptions { DestinationConditions = IfAbsent }, cancellation);
        if (copy.GetRawResponse().Headers.TryGetValue(CopyStatusHeader, out var status) && status is "success")
            return true;
        return await SettleAsync(to, cancellation) is CopyStatus.Success ? true : throw new RegistryException(
            RegistryErrorKind.Unavailable, target, "the service gave up copying. Run the same job again.");
    }

    /// <summary>Waits while the service copies to a blob; removes what it leaves behind when it gives up.</summary>
    /// <returns>Success: the blob is whole. Failed: it was a failed copy, now gone. Null: there is no blob.</returns>
    async Task<CopyStatus?> SettleAsync(BlockBlobClient blob, CancellationToken cancellation)
    {
        for (var pause = options.CopyPoll; ; pause = pause * 2 < LongestCopyPoll ? pause * 2 : LongestCopyPoll)
        {
            try
            {
                var found = (await blob.GetPropertiesAsync(cancellationToken: cancellation)).Value;
                if (IsWhole(found.CopyId, found.BlobCopyStatus))
                    return CopyStatus.Success;
                if (found.BlobCopyStatus is not CopyStatus.Pending)
                {
                    await blob.DeleteAsync(conditions: new() { IfMatch = found.ETag }, cancellationToken: cancellation);
                    return CopyStatus.Failed;
                }
            }
            catch (RequestFailedException e) when (AzureErrors.IsAbsent(e))
            {
                return null;
            }
            catch (RequestFailedException e) when (AzureErrors.IsConflict(e))
            {
                // Another one has removed or replaced the failed copy: look again.
                continue;
            }
            await Task.Delay(pause, cancellation);
        }
    }

    /// <summary>Content of less than one block travels in one request, more of it as blocks.</summary>
    async Task<ETag?> CreateAsync(BlockBlobClient blob, string path, Stream content, CancellationToken cancellation)
    {
        var first = new byte[content.CanSeek ? Math.Min(content.Length - content.Position + 1, options.BlockBytes) : options.BlockBytes];
        var count = await content.ReadAtLeastAsync(first, first.Length, throwOnEndOfStream: false, cancellation);
        if (count < first.Length && await PutAsync(blob, first.AsMemory(0, count), IfAbsent, cancellation) is { } tag)
            return tag;
        // Blocks that an interrupted upload has left make a service refuse the single request, too.
        return await new BlockUpload(blob, options, path).CreateAsync(first, count, content, cancellation);
    }

    /// <summary>The whole blob in one request; null when the condition does not hold.</summary>
    static async Task<ETag?> PutAsync(BlockBlobClient blob, ReadOnlyMemory<byte> content, BlobRequestConditions conditions,
        CancellationToken cancellation)
    {
        try
        {
            var put = await blob.UploadAsync(BinaryData.FromBytes(content).ToStream(), new BlobUploadOptions { Conditions = conditions },
                cancellation);
            return TagOf(put.Value.ETag);
        }
        catch (RequestFailedException e) when (AzureErrors.IsConflict(e) || AzureErrors.IsAbsent(e))
        {
            return null;
        }
    }
}
