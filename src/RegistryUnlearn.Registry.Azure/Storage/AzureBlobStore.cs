using System.Runtime.CompilerServices;
using Azure;
using Azure.Storage.Blobs;
using Azure.Storage.Blobs.Models;
using Azure.Storage.Blobs.Specialized;

namespace RegistryUnlearn.Registry.Azure;

/// <summary>
/// Objects as block blobs below a prefix of one container, shared by any number of processes and machines. A blob gets its name in one
/// request, conditional on there being none (or still the same), so that no reader ever sees a part; large ones are staged as blocks
/// before. The tag of an object is its ETag. A blob that the service is still copying counts as absent.
/// </summary>
public sealed partial class AzureBlobStore : IObjectStore
{
    readonly BlobContainerClient container;
    readonly string root;
    readonly AzureBlobStoreOptions options;

    /// <param name="container">Made with <see cref="BlobService.Options"/>.</param>
    /// <param name="prefix">Where the registry lies in the container: empty, or a folder that ends in '/'.</param>
    /// <param name="options">How to transfer.</param>
    /// <exception cref="RegistryException">Invalid: the prefix breaks the rule of <see cref="ObjectPath"/>.</exception>
    public AzureBlobStore(BlobContainerClient container, string prefix = "", AzureBlobStoreOptions? options = null)
    {
        this.container = container;
        this.options = options ?? new();
        root = ObjectPath.CheckFolder(prefix);
    }

    public Task<StoredObject?> ReadAsync(string path, CancellationToken cancellation = default) => Guard(path, async blob =>
    {
        while (true)
        {
            using var response = await FindAsync(blob, default, cancellation);
            if (response is null)
                return null;
            var details = response.Details;
            if (details.ContentLength > IObjectStore.MaxReadBytes)
            {
                throw new RegistryException(RegistryErrorKind.Invalid, path, $"{details.ContentLength} bytes are more than this kind of " +
                    $"object can have ({IObjectStore.MaxReadBytes}). Restore it from a backup.");
            }
            var content = new byte[details.ContentLength];
            try
            {
                await BlobRanges.ReadAsync(blob, response, content, path, cancellation);
                return new StoredObject(content, TagOf(details.ETag));
            }
            catch (RequestFailedException e) when (AzureErrors.IsConflict(e) || AzureErrors.IsAbsent(e))
            {
                // Replaced or removed after a part had arrived: the newer content is as good.
            }
        }
    }, cancellation);

    public Task<Stream?> OpenReadAsync(string path, CancellationToken cancellation = default) => Guard<Stream?>(path, async blob =>
    {
        try
        {
            using var response = await FindAsync(blob, new HttpRange(0, options.BlockBytes), cancellation);
            return response is null ? null : await BlobReadStream.OpenAsync(container, blob, response, options, path, cancellation);
        }
        catch (RequestFailedException e) when (e.ErrorCode == BlobErrorCode.InvalidRange)
        {
            // An empty blob has no first byte to ask for.
            return Stream.Null;
        }
    }, cancellation);

    public Task<long?> GetSizeAsync(string path, CancellationToken cancellation = default) => Guard<long?>(path, async blob =>
    {
        try
        {
            var properties = (await blob.GetPropertiesAsync(cancellationToken: cancellation)).Value;
            return IsWhole(properties.CopyId, properties.BlobCopyStatus) ? properties.ContentLength : null;
        }
        catch (RequestFailedException e) when (AzureErrors.IsAbsent(e))
        {
            return null;
        }
    }, cancellation);

    public Task<bool> DeleteAsync(string path, CancellationToken cancellation = default) => Guard(path, async blob =>
    {
        try
        {
            await blob.DeleteAsync(DeleteSnapshotsOption.IncludeSnapshots, cancellationToken: cancellation);
            return true;
        }
        catch (RequestFailedException e) when (AzureErrors.IsAbsent(e))
        {
            return false;
        }
    }, cancellation);

    public async IAsyncEnumerable<ObjectEntry> ListAsync(string folder, [EnumeratorCancellation] CancellationToken cancellation = default)
    {
        var found = container.GetBlobsAsync(BlobTraits.CopyStatus | BlobTraits.Metadata, BlobStates.None,
            root + ObjectPath.CheckFolder(folder), cancellation);
        await foreach (var item in Guarded(found, folder, cancellation))
        {
            if (IsWhole(item.Properties.CopyId, item.Properties.CopyStatus) && !IsFolder(item))
                yield return new(item.Name[root.Length..], item.Properties.ContentLength ?? 0);
        }
    }

    public async IAsyncEnumerable<string> ListFoldersAsync(string folder, [EnumeratorCancellation] CancellationToken cancellation = default)
    {
        var prefix = root + ObjectPath.CheckFolder(folder);
        var found = container.GetBlobsByHierarchyAsync(BlobTraits.None, BlobStates.None, "/", prefix, cancellation);
        await foreach (var item in Guarded(found, folder, cancellation))
        {
            if (item.IsPrefix)
                yield return item.Prefix[prefix.Length..].TrimEnd('/');
        }
    }

    static async Task<BlobDownloadStreamingResult?> FindAsync(BlobBaseClient blob, HttpRange range, CancellationToken cancellation)
    {
        try
        {
            var found = await BlobRanges.AskAsync(blob, new() { Range = range }, cancellation);
            if (IsWhole(found.Details.CopyId, found.Details.CopyStatus))
                return found;
            found.Dispose();
            return null;
        }
        catch (RequestFailedException e) when (AzureErrors.IsAbsent(e))
        {
            return null;
        }
    }

    /// <summary>The service names a blob before it has copied it, and leaves the name when it gives up.</summary>
    static bool IsWhole(string? copyId, CopyStatus? status) => copyId is null || status is null or CopyStatus.Success;

    /// <summary>Accounts with a hierarchical namespace list folders as empty blobs with this mark.</summary>
    static bool IsFolder(BlobItem item) => item.Metadata?.ContainsKey("hdi_isfolder") is true;

    internal static ETag TagOf(global::Azure.ETag tag) => new(tag.ToString("H"));

    BlockBlobClient BlobOf(string path)
    {
        var name = root + ObjectPath.Check(path);
        return name.Length <= 1024 ? container.GetBlockBlobClient(name) : throw new RegistryException(RegistryErrorKind.Invalid, path,
            "with the registry's prefix it has more than 1024 characters. Shorten one of the two.");
    }

    /// <summary>Runs an operation on the blob of a path, with refusals of the service translated.</summary>
    async Task<T> Guard<T>(string path, Func<BlockBlobClient, Task<T>> operation, CancellationToken cancellation)
    {
        var blob = BlobOf(path);
        cancellation.ThrowIfCancellationRequested();
        try
        {
            return await operation(blob);
        }
        catch (Exception e) when (AzureErrors.Translate(e, path, container, cancellation) is { } translated)
        {
            throw translated;
        }
    }

    async IAsyncEnumerable<T> Guarded<T>(IAsyncEnumerable<T> items, string folder,
        [EnumeratorCancellation] CancellationToken cancellation)
    {
        await using var enumerator = items.GetAsyncEnumerator(cancellation);
        while (true)
        {
            try
            {
                if (!await enumerator.MoveNextAsync())
                    yield break;
            }
            catch (Exception e) when (AzureErrors.Translate(e, folder, container, cancellation) is { } translated)
            {
                throw translated;
            }
            yield return enumerator.Current;
        }
    }
}
