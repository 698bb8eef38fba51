using System.Globalization;
using System.Runtime.CompilerServices;

namespace RegistryUnlearn.Registry;

/// <summary>The contract of <see cref="IObjectStore"/> in memory, for tests of what stands on it. Nothing survives the process.</summary>
public sealed class MemoryStore : IObjectStore
{
    readonly Dictionary<string, StoredObject> objects = new(StringComparer.Ordinal);
    readonly Lock gate = new();
    long tags;

    public Task<StoredObject?> ReadAsync(string path, CancellationToken cancellation = default)
    {
        var found = Find(path, cancellation);
        return found?.Content.Length > IObjectStore.MaxReadBytes
            ? throw new RegistryException(RegistryErrorKind.Invalid, path,
                $"it has more than {IObjectStore.MaxReadBytes} bytes. Read it as a stream.")
            : Task.FromResult(found);
    }

    public Task<Stream?> OpenReadAsync(string path, CancellationToken cancellation = default) => Task.FromResult<Stream?>(
        Find(path, cancellation) is { } found ? new MemoryStream(found.Content.ToArray(), writable: false) : null);

    public Task<long?> GetSizeAsync(string path, CancellationToken cancellation = default) =>
        Task.FromResult<long?>(Find(path, cancellation)?.Content.Length);

    public Task<ETag?> TryCreateAsync(string path, ReadOnlyMemory<byte> content, CancellationToken cancellation = default)
    {
        cancellation.ThrowIfCancellationRequested();
        ObjectPath.Check(path);
        var copy = content.ToArray();
        lock (gate)
            return Task.FromResult(objects.ContainsKey(path) ? (ETag?)null : Put(path, copy));
    }

    public async Task<bool> TryCreateAsync(string path, Stream content, CancellationToken cancellation = default)
    {
        ObjectPath.Check(path);
        using var buffer = new MemoryStream();
        await content.CopyToAsync(buffer, cancellation);
        return await TryCreateAsync(path, buffer.ToArray(), cancellation) is not null;
    }

    public Task<ETag?> TryReplaceAsync(string path, ReadOnlyMemory<byte> content, ETag expected, CancellationToken cancellation = default)
    {
        cancellation.ThrowIfCancellationRequested();
        ObjectPath.Check(path);
        var copy = content.ToArray();
        lock (gate)
            return Task.FromResult(objects.TryGetValue(path, out var found) && found.ETag == expected ? Put(path, copy) : (ETag?)null);
    }

    public Task<bool> TryCopyAsync(string source, string target, CancellationToken cancellation = default)
    {
        cancellation.ThrowIfCancellationRequested();
        ObjectPath.Check(source);
        ObjectPath.Check(target);
        lock (gate)
        {
            if (objects.ContainsKey(target))
                return Task.FromResult(false);
            if (!objects.TryGetValue(source, out var found))
                throw new RegistryException(RegistryErrorKind.NotFound, source, $"there is nothing to copy to {target}.");
            Put(target, found.Content);
            return Task.FromResult(true);
        }
    }

    public Task<bool> DeleteAsync(string path, CancellationToken cancellation = default)
    {
        cancellation.ThrowIfCancellationRequested();
        ObjectPath.Check(path);
        lock (gate)
            return Task.FromResult(objects.Remove(path));
    }

    public async IAsyncEnumerable<ObjectEntry> ListAsync(string folder, [EnumeratorCancellation] CancellationToken cancellation = default)
    {
        foreach (var entry in Snapshot(folder))
        {
            cancellation.ThrowIfCancellationRequested();
            yield return entry;
        }
        await Task.CompletedTask;
    }

    public async IAsyncEnumerable<string> ListFoldersAsync(string folder, [EnumeratorCancellation] CancellationToken cancellation = default)
    {
        var names = Snapshot(folder).Select(e => e.Path[folder.Length..].Split('/')).Where(s => s.Length > 1).Select(s => s[0]);
        foreach (var name in names.Distinct(StringComparer.Ordinal))
        {
            cancellation.ThrowIfCancellationRequested();
            yield return name;
        }
        await Task.CompletedTask;
    }

    StoredObject? Find(string path, CancellationToken cancellation)
    {
        cancellation.ThrowIfCancellationRequested();
        ObjectPath.Check(path);
        lock (gate)
            return objects.GetValueOrDefault(path);
    }

    ETag Put(string path, ReadOnlyMemory<byte> content)
    {
        var tag = new ETag((++tags).ToString(CultureInfo.InvariantCulture));
        objects[path] = new(content, tag);
        return tag;
    }

    List<ObjectEntry> Snapshot(string folder)
    {
        ObjectPath.CheckFolder(folder);
        lock (gate)
        {
            return [.. objects.Where(o => o.Key.StartsWith(folder, StringComparison.Ordinal))
                .Select(o => new ObjectEntry(o.Key, o.Value.Content.Length))];
        }
    }
}
