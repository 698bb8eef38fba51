using System.Diagnostics;
using RegistryUnlearn.Registry;

namespace RegistryUnlearn.FaultyWorker;

/// <summary>
/// Kills its own process, as the operating system would, before or after one write, counted from 1. Leases and progress are not counted:
/// they are written as time goes by, not as the job does.
/// </summary>
sealed class FatalStore(IObjectStore inner, bool before, int at) : IObjectStore
{
    int writes;

    public int Writes => writes;

    public Task<StoredObject?> ReadAsync(string path, CancellationToken cancellation = default) => inner.ReadAsync(path, cancellation);

    public Task<Stream?> OpenReadAsync(string path, CancellationToken cancellation = default) => inner.OpenReadAsync(path, cancellation);

    public Task<long?> GetSizeAsync(string path, CancellationToken cancellation = default) => inner.GetSizeAsync(path, cancellation);

    public Task<ETag?> TryCreateAsync(string path, ReadOnlyMemory<byte> content, CancellationToken cancellation = default) =>
        WriteAsync(path, () => inner.TryCreateAsync(path, content, cancellation));

    public Task<bool> TryCreateAsync(string path, Stream content, CancellationToken cancellation = default) =>
        WriteAsync(path, () => inner.TryCreateAsync(path, content, cancellation));

    public Task<ETag?> TryReplaceAsync(
        string path, ReadOnlyMemory<byte> content, ETag expected, CancellationToken cancellation = default) =>
        WriteAsync(path, () => inner.TryReplaceAsync(path, content, expected, cancellation));

    public Task<bool> TryCopyAsync(string source, string target, CancellationToken cancellation = default) =>
        WriteAsync(target, () => inner.TryCopyAsync(source, target, cancellation));

    public Task<bool> DeleteAsync(string path, CancellationToken cancellation = default) =>
        WriteAsync(path, () => inner.DeleteAsync(path, cancellation));

    public IAsyncEnumerable<ObjectEntry> ListAsync(string folder, CancellationToken cancellation = default) =>
        inner.ListAsync(folder, cancellation);

    public IAsyncEnumerable<string> ListFoldersAsync(string folder, CancellationToken cancellation = default) =>
        inner.ListFoldersAsync(folder, cancellation);

    async Task<T> WriteAsync<T>(string path, Func<Task<T>> operation)
    {
        var isFatal = !path.Contains("/leases/", StringComparison.Ordinal) && !path.EndsWith("/progress.json", StringComparison.Ordinal)
            && Interlocked.Increment(ref writes) == at;
        if (isFatal && before)
            Die();
        var result = await operation();
        if (isFatal)
            Die();
        return result;
    }

    static void Die()
    {
        Process.GetCurrentProcess().Kill();
        Thread.Sleep(Timeout.Infinite);
    }
}
