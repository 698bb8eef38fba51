using System.Runtime.CompilerServices;
using RegistryUnlearn.Registry;

namespace RegistryUnlearn.Conformance;

/// <summary>A store whose every operation passes one point, where a test can stop it, break it or make it wait.</summary>
public abstract class StoreDecorator(IObjectStore inner) : IObjectStore
{
    public Task<StoredObject?> ReadAsync(string path, CancellationToken cancellation = default) =>
        ReadingAsync(() => inner.ReadAsync(path, cancellation));

    public Task<Stream?> OpenReadAsync(string path, CancellationToken cancellation = default) =>
        ReadingAsync(() => inner.OpenReadAsync(path, cancellation));

    public Task<long?> GetSizeAsync(string path, CancellationToken cancellation = default) =>
        ReadingAsync(() => inner.GetSizeAsync(path, cancellation));

    public Task<ETag?> TryCreateAsync(string path, ReadOnlyMemory<byte> content, CancellationToken cancellation = default) =>
        WritingAsync(() => inner.TryCreateAsync(path, content, cancellation), conflict: null);

    public Task<bool> TryCreateAsync(string path, Stream content, CancellationToken cancellation = default) =>
        WritingAsync(() => inner.TryCreateAsync(path, content, cancellation), conflict: false);

    public Task<ETag?> TryReplaceAsync(string path, ReadOnlyMemory<byte> content, ETag expected,
        CancellationToken cancellation = default) =>
        WritingAsync(() => inner.TryReplaceAsync(path, content, expected, cancellation), conflict: null);

    public Task<bool> TryCopyAsync(string source, string target, CancellationToken cancellation = default) =>
        WritingAsync(() => inner.TryCopyAsync(source, target, cancellation), conflict: false);

    public Task<bool> DeleteAsync(string path, CancellationToken cancellation = default) =>
        WritingAsync(() => inner.DeleteAsync(path, cancellation), conflict: false);

    public async IAsyncEnumerable<ObjectEntry> ListAsync(string folder, [EnumeratorCancellation] CancellationToken cancellation = default)
    {
        foreach (var entry in await ReadingAsync(() => inner.ListAsync(folder, cancellation).ToListAsync(cancellation).AsTask()))
            yield return entry;
    }

    public async IAsyncEnumerable<string> ListFoldersAsync(string folder, [EnumeratorCancellation] CancellationToken cancellation = default)
    {
        foreach (var name in await ReadingAsync(() => inner.ListFoldersAsync(folder, cancellation).ToListAsync(cancellation).AsTask()))
            yield return name;
    }

    protected abstract Task<T> ReadingAsync<T>(Func<Task<T>> operation);

    /// <summary><paramref name="conflict"/> is what the operation returns when it finds that it may not write.</summary>
    protected abstract Task<T> WritingAsync<T>(Func<Task<T>> operation, T conflict);
}
