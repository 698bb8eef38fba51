using System.Security.Cryptography;

namespace RegistryUnlearn.Registry.Azure;

/// <summary>
/// How an <see cref="AzureBlobStore"/> transfers. One transfer keeps at most <see cref="Parallelism"/> + 1 blocks in memory.
/// </summary>
public sealed record AzureBlobStoreOptions
{
    /// <summary>Bytes in a random tag of an upload.</summary>
    internal const int TagBytes = 16;

    /// <summary>
    /// Bytes that one request carries; smaller objects travel in one piece. A blob has at most 50,000 blocks. <value>8 MiB.</value>
    /// </summary>
    public int BlockBytes { get; init; } = 8 << 20;

    /// <summary>Requests of one transfer under way at a time. <value>4.</value></summary>
    public int Parallelism { get; init; } = 4;

    /// <summary>First pause between two looks at a copy that the service makes; each is twice as long as the one before, up to 5 seconds.
    /// <value>0.1 seconds.</value></summary>
    public TimeSpan CopyPoll { get; init; } = TimeSpan.FromMilliseconds(100);

    /// <summary>
    /// Gives each upload 16 bytes that no other upload has: they mark its blocks. <value>The system's random numbers.</value>
    /// </summary>
    public Func<byte[]> NewUploadTag { get; init; } = () => RandomNumberGenerator.GetBytes(TagBytes);
}
