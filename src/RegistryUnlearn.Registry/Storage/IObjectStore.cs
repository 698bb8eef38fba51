namespace RegistryUnlearn.Registry;

/// <summary>
/// An opaque tag of an object's content: it changes whenever the content changes. Equal content may or may not keep its tag.
/// </summary>
public readonly record struct ETag(string Value);

/// <summary>An object's whole content with the tag that content had.</summary>
public sealed record StoredObject(ReadOnlyMemory<byte> Content, ETag ETag);

/// <summary>One row of a listing. <paramref name="Size"/> in bytes.</summary>
public sealed record ObjectEntry(string Path, long Size);

/// <summary>
/// Named immutable-or-replaced byte strings: the only thing the registry asks of a disk or a cloud. Every write is all or nothing, durable
/// when the call returns, and visible to every reader from then on. A write whose acknowledgement was lost may report a conflict although
/// its bytes are stored: callers read back before they believe a conflict. Paths follow <see cref="ObjectPath"/>. Refusals are <see
/// cref="RegistryException"/>s. Implementations are thread-safe.
/// </summary>
public interface IObjectStore
{
    /// <summary>Largest object, in bytes, that <see cref="ReadAsync"/> gives at once; larger ones are read as streams.</summary>
    const int MaxReadBytes = 64 << 20;

    /// <summary>Reads a small object at once; null when there is none.</summary>
    Task<StoredObject?> ReadAsync(string path, CancellationToken cancellation = default);

    /// <summary>
    /// Opens an object for one forward reading; null when there is none. The stream shows one version of the content to its end, or throws
    /// (NotFound, Unavailable) when the object is removed or replaced meanwhile. There is no tag: large objects are never replaced, and
    /// whoever reads one checks its digest.
    /// </summary>
    Task<Stream?> OpenReadAsync(string path, CancellationToken cancellation = default);

    /// <summary>Size in bytes; null when there is no such object.</summary>
    Task<long?> GetSizeAsync(string path, CancellationToken cancellation = default);

    /// <summary>Creates an object; null when one exists already, which then stays as it is.</summary>
    Task<ETag?> TryCreateAsync(string path, ReadOnlyMemory<byte> content, CancellationToken cancellation = default);

    /// <summary>
    /// Creates an object from a stream, read to its end in bounded memory; false when one exists already (the stream may then be read in
    /// part or not at all). When the stream throws, nothing becomes visible.
    /// </summary>
    Task<bool> TryCreateAsync(string path, Stream content, CancellationToken cancellation = default);

    /// <summary>Replaces an object if its tag is still <paramref name="expected"/>; null when it is not, or when there is none.</summary>
    Task<ETag?> TryReplaceAsync(string path, ReadOnlyMemory<byte> content, ETag expected, CancellationToken cancellation = default);

    /// <summary>Copies within the store; false when the target exists already, which then stays as it is.</summary>
    /// <exception cref="RegistryException">NotFound: neither target nor source exists.</exception>
    Task<bool> TryCopyAsync(string source, string target, CancellationToken cancellation = default);

    /// <summary>Removes an object; false when there was none.</summary>
    Task<bool> DeleteAsync(string path, CancellationToken cancellation = default);

    /// <summary>All objects below a folder (a path ending in '/', or empty for everything), in no promised order.</summary>
    IAsyncEnumerable<ObjectEntry> ListAsync(string folder, CancellationToken cancellation = default);

    /// <summary>
    /// Names of the direct sub-folders that hold at least one object, in no promised order; same argument as <see cref="ListAsync"/>.
    /// </summary>
    IAsyncEnumerable<string> ListFoldersAsync(string folder, CancellationToken cancellation = default);
}
