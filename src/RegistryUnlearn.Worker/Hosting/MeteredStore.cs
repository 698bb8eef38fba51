using RegistryUnlearn.Registry;

namespace RegistryUnlearn.Worker.Hosting;

/// <summary>A registry's store that counts how often someone else was faster.</summary>
sealed class MeteredStore(IObjectStore inner, Action conflict) : IObjectStore
{
    public Task<StoredObject?> ReadAsync(string path, CancellationToken cancellation = default) => inner.ReadAsync(path, cancellation);

    public Task<Stream?> OpenReadAsync(string path, CancellationToken cancellation = default) => inner.OpenReadAsync(path, cancellation);

    public Task<long?> GetSizeAsync(string path, CancellationToken cancellation = default) => inner.GetSizeAsync(path, cancellation);

    public async Task<ETag?> TryCreateAsync(string path, ReadOnlyMemory<byte> content, CancellationToken cancellation = default) =>
        Count(await inner.TryCreateAsync(path, content, cancellation));

    public async Task<bool> TryCreateAsync(string path, Stream content, CancellationToken cancellation = default) =>
        Count(await inner.TryCreateAsync(path, content, cancellation));

    public async Task<ETag?> TryReplaceAsync(
        string path, ReadOnlyMemory<byte> content, ETag expected, CancellationToken cancellation = default) =>
        Count(await inner.TryReplaceAsync(path, content, expected, cancellation));

    public async Task<bool> TryCopyAsync(string source, string target, CancellationToken cancellation = default) =>
        Count(await inner.TryCopyAsync(source, target, cancellation));

    public Task<bool> DeleteAsync(string path, CancellationToken cancellation = default) => inner.DeleteAsync(path, cancellation);

    public IAsyncEnumerable<ObjectEntry> ListAsync(string folder, CancellationToken cancellation = default) =>
        inner.ListAsync(folder, cancellation);

    public IAsyncEnumerable<string> ListFoldersAsync(string folder, CancellationToken cancellation = default) =>
        inner.ListFoldersAsync(folder, cancellation);

    ETag? Count(ETag? written)
    {
        if (written is null)
            conflict();
        return written;
    }

    bool Count(bool written)
    {
        if (!written)
            conflict();
        return written;
    }
}
