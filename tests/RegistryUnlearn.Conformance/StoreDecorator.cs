using System.Runtime.CompilerServices;
using RegistryUnlearn.Registry;

namespace RegistryUnlearn.Conformance;

/// <summary>A write that a store is asked for.</summary>
/// <param name="Path">Of the object that is written or removed.</param>
/// <param name="Content">Empty for a stream, a copy and a removal.</param>
public readonly record struct StoreWrite(string Path, ReadOnlyMemory<byte> Content = default, bool IsRemoval = false);

/// <summary>A store whose every operation passes one point, where a test can stop it, break it or make it wait.</summary>
public abstract class StoreDecorator(IObjectStore inner) : IObjectStore
{
    public Task<StoredObject?> ReadAsync(string path, CancellationToken cancellation = default) =>
        ReadingAsync(path, () => inner.ReadAsync(path, cancellation));

    public Task<Stream?> OpenReadAsync(string path, CancellationToken cancellation = default) =>
        ReadingAsync(path, () => inner.OpenReadAsync(path, cancellation));

    public Task<long?> GetSizeAsync(string path, CancellationToken cancellation = default) =>
        ReadingAsync(path, () => inner.GetSizeAsync(path, cancellation));

    public Task<ETag?> TryCreateAsync(string path, ReadOnlyMemory<byte> content, CancellationToken cancellation = default) =>
        WritingAsync(new(path, content), () => inner.TryCreateAsync(path, content, cancellation), conflict: null);

    public Task<bool> TryCreateAsync(string path, Stream content, CancellationToken cancellation = default) =>
        WritingAsync(new(path), () => inner.TryCreateAsync(path, content, cancellation), conflict: false);

    public Task<ETag?> TryReplaceAsync(string path, ReadOnlyMemory<byte> content, ETag expected,
        CancellationToken cancellation = default) =>
        WritingAsync(new(path, content), () => inner.TryReplaceAsync(path, content, expected, cancellation), conflict: null);

    public Task<bool> TryCopyAsync(string source, string target, CancellationToken cancellation = default) =>
        WritingAsync(new(target), () => inner.TryCopyAsync(source, target, cancellation), conflict: false);

    public Task<bool> DeleteAsync(string path, CancellationToken cancellation = default) =>
        WritingAsync(new(path, IsRemoval: true), () => inner.DeleteAsync(path, cancellation), conflict: false);

    public async IAsyncEnumerable<ObjectEntry> ListAsync(string folder, [EnumeratorCancellation] CancellationToken cancellation = default)
    {
        foreach (var entry in await ReadingAsync(folder,
            () => inner.ListAsync(folder, cancellation).ToListAsync(cancellation).AsTask()))
            yield return entry;
    }

    public async IAsyncEnumerable<string> ListFoldersAsync(string folder, [EnumeratorCancellation] CancellationToken cancellation = default)
    {
        foreach (var name in await ReadingAsync(folder,
            () => inner.ListFoldersAsync(folder, cancellation).ToListAsync(cancellation).AsTask()))
            yield return name;
    }

    /// <param name="path">Of the object or of the folder.</param>
    protected virtual Task<T> ReadingAsync<T>(string path, Func<Task<T>> operation) => operation();

    /// <summary><paramref name="conflict"/> is what the operation returns when it finds that it may not write.</summary>
    protected abstract Task<T> WritingAsync<T>(StoreWrite write, Func<Task<T>> operation, T conflict);
}
