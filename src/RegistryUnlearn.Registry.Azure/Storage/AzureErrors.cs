using Azure;
using Azure.Identity;
using Azure.Storage.Blobs;
using Azure.Storage.Blobs.Models;

namespace RegistryUnlearn.Registry.Azure;

/// <summary>What the service's refusals mean and what to do about them. Messages hold no query of an address and no header.</summary>
static class AzureErrors
{
    const int NoAnswer = 0;

    /// <summary>There is no such blob, in a container that exists.</summary>
    public static bool IsAbsent(RequestFailedException e) => e.Status is 404 && e.ErrorCode != BlobErrorCode.ContainerNotFound
        && e.ErrorCode != BlobErrorCode.ResourceNotFound && e.ErrorCode != "FilesystemNotFound";

    /// <summary>The condition of a request did not hold: something is there already, or has changed.</summary>
    public static bool IsConflict(RequestFailedException e) => e switch
    {
        { Status: 412 } => e.ErrorCode is not ("LeaseIdMissing" or "LeaseIdMismatchWithBlobOperation"),
        { Status: 409 } => e.ErrorCode is "BlobAlreadyExists" or "PendingCopyOperation" or "UnauthorizedBlobOverwrite",
        _ => false,
    };

    /// <summary>The refusal as a <see cref="RegistryException"/>; null for an exception that is not the service's.</summary>
    public static RegistryException? Translate(Exception exception, string path, BlobContainerClient container,
        CancellationToken cancellation)
    {
        return exception switch
        {
            RequestFailedException e => Refused(e),
            AuthenticationFailedException e => New(RegistryErrorKind.Denied,
                $"there is no credential ({FirstLine(e)}). Sign in, or name another credential in {AzureCredentials.Variable}."),
            OperationCanceledException when cancellation.IsCancellationRequested => null,
            // What the client library throws when all repetitions have failed.
            AggregateException { InnerExceptions: [.., var last] } => Translate(last, path, container, cancellation),
            OperationCanceledException or IOException or HttpRequestException => Unreachable(exception),
            _ => null,
        };

        RegistryException Refused(RequestFailedException e) => e switch
        {
            { Status: NoAnswer } => Unreachable(e),
            { Status: 404 } => New(RegistryErrorKind.NotFound,
                $"there is no container '{container.Name}' in the account '{container.AccountName}'. Create it, or correct the address."),
            { Status: 401 or 403 } => New(RegistryErrorKind.Denied,
                $"the service refused access ({Code(e)}). Give the identity the role Storage Blob Data Contributor on the container "
                + $"'{container.Name}' (Storage Blob Data Reader to look only), or a signature its permissions (racwdl; rl to look "
                + "only), and this machine access to the account's network."),
            { Status: 429 or 503 } => New(RegistryErrorKind.Unavailable,
                $"the service is busy ({Code(e)}). Run the same job again later, with fewer workers on the account."),
            { ErrorCode: "LeaseIdMissing" or "LeaseIdMismatchWithBlobOperation" or "BlobImmutableDueToPolicy" or "SnapshotsPresent" } =>
                New(RegistryErrorKind.Conflict,
                    $"the blob is locked ({Code(e)}). End its lease, or take it out of the immutability policy."),
            { Status: 409 or 412 } => New(RegistryErrorKind.Conflict,
                $"the state of the blob or its container does not allow this ({Code(e)}). Run the same job again."),
            { Status: >= 400 and < 500 } => New(RegistryErrorKind.Invalid,
                $"the service does not take this request ({Code(e)}). The container must be one for block blobs."),
            _ => New(RegistryErrorKind.Unavailable, $"the service failed ({Code(e)}). Run the same job again."),
        };

        RegistryException Unreachable(Exception e) => New(RegistryErrorKind.Unavailable,
            $"the account '{container.AccountName}' at {container.Uri.Authority} does not answer ({FirstLine(e)}). Check the address and "
            + "the network, then run the same job again.");

        RegistryException New(RegistryErrorKind kind, string message) =>
            new(kind, path.Length > 0 ? path : container.Name, message, exception);
    }

    static string Code(RequestFailedException e) => e.ErrorCode ?? $"status {e.Status}";

    static string FirstLine(Exception e) => e.Message.Split('\n', 2)[0].TrimEnd('\r', '.', ' ');
}
