using Azure.Core;
using Azure.Storage;
using Azure.Storage.Blobs;

namespace RegistryUnlearn.Registry.Azure;

/// <summary>How this product talks to the blob service.</summary>
public static class BlobService
{
    /// <summary>
    /// The protocol is pinned, so that an update of the client library changes nothing on the wire: to a version that all clouds and the
    /// emulator know. Requests are repeated up to five times, and as long apart as the service asks; uploads carry an MD5 that the service
    /// checks; nothing is said about this machine.
    /// </summary>
    public static BlobClientOptions Options() => new(BlobClientOptions.ServiceVersion.V2025_11_05)
    {
        Retry =
        {
            Mode = RetryMode.Exponential,
            MaxRetries = 5,
            Delay = TimeSpan.FromSeconds(0.5),
            MaxDelay = TimeSpan.FromSeconds(30),
            NetworkTimeout = TimeSpan.FromSeconds(100),
        },
        TransferValidation = { Upload = { ChecksumAlgorithm = StorageChecksumAlgorithm.MD5 } },
        Diagnostics = { IsTelemetryEnabled = false, IsLoggingContentEnabled = false },
    };
}
