namespace RegistryUnlearn.Registry;

/// <summary>Conditional writes that read back before they believe a conflict: a lost acknowledgement looks like one.</summary>
static class StoreExtensions
{
    /// <summary>The tag under which these bytes are stored afterwards, whoever wrote them; null when others are.</summary>
    public static async Task<ETag?> CreateOrFindAsync(this IObjectStore store, string path, ReadOnlyMemory<byte> content,
        CancellationToken cancellation)
    {
        while (true)
        {
            if (await store.TryCreateAsync(path, content, cancellation) is { } tag)
                return tag;
            // Nothing found: it was removed after the conflict, so that there is room again.
            if (await store.ReadAsync(path, cancellation) is { } found)
                return TagIfSame(found, content);
        }
    }

    /// <summary>The tag under which these bytes are stored afterwards, whoever wrote them; null when others are.</summary>
    public static async Task<ETag?> ReplaceOrFindAsync(this IObjectStore store, string path, ReadOnlyMemory<byte> content, ETag expected,
        CancellationToken cancellation)
    {
        if (await store.TryReplaceAsync(path, content, expected, cancellation) is { } tag)
            return tag;
        return await store.ReadAsync(path, cancellation) is { } found ? TagIfSame(found, content) : null;
    }

    /// <summary>
    /// Creates the object if there was none when it was read, or else replaces what was read; the tag as for the two calls alone.
    /// </summary>
    /// <param name="expected">The tag that was read; null when there was no object.</param>
    public static Task<ETag?> WriteOrFindAsync(this IObjectStore store, string path, ReadOnlyMemory<byte> content, ETag? expected,
        CancellationToken cancellation) => expected is { } tag
        ? store.ReplaceOrFindAsync(path, content, tag, cancellation)
        : store.CreateOrFindAsync(path, content, cancellation);

    static ETag? TagIfSame(StoredObject found, ReadOnlyMemory<byte> content) =>
        found.Content.Span.SequenceEqual(content.Span) ? found.ETag : null;

    /// <summary>Digest of an object, streamed; null when there is none, or when it is removed meanwhile.</summary>
    public static async Task<Digest?> GetDigestAsync(this IObjectStore store, string path, CancellationToken cancellation)
    {
        await using var stream = await store.OpenReadAsync(path, cancellation);
        try
        {
            return stream is null ? null : await Digest.OfAsync(stream, cancellation);
        }
        catch (RegistryException e) when (e.Kind is RegistryErrorKind.NotFound)
        {
            return null;
        }
    }
}
