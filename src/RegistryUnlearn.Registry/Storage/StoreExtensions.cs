namespace RegistryUnlearn.Registry;

/// <summary>Conditional writes that read back before they believe a conflict: a lost acknowledgement looks like one.</summary>
static class StoreExtensions
{
    /// <summary>True when the object holds these bytes afterwards, whoever wrote them; false when it holds others.</summary>
    public static async Task<bool> CreateOrFindAsync(this IObjectStore store, string path, ReadOnlyMemory<byte> content,
        CancellationToken cancellation)
    {
        while (true)
        {
            if (await store.TryCreateAsync(path, content, cancellation) is not null)
                return true;
            // Nothing found: it was removed after the conflict, so that there is room again.
            if (await store.ReadAsync(path, cancellation) is { } found)
                return found.Content.Span.SequenceEqual(content.Span);
        }
    }

    /// <summary>The tag under which these bytes are stored afterwards, whoever wrote them; null when others are.</summary>
    public static async Task<ETag?> ReplaceOrFindAsync(this IObjectStore store, string path, ReadOnlyMemory<byte> content, ETag expected,
        CancellationToken cancellation)
    {
        if (await store.TryReplaceAsync(path, content, expected, cancellation) is { } tag)
            return tag;
        var found = await store.ReadAsync(path, cancellation);
        return found is not null && found.Content.Span.SequenceEqual(content.Span) ? found.ETag : null;
    }

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
