using Azure.Core;
using Azure.Core.Pipeline;

namespace RegistryUnlearn.Registry.Azure;

/// <summary>
/// What a signature needs beside its place in the address, which the client library sees to: it is not sent after its end, and the source
/// of a copy carries it too, since the service reads a source as whoever its address says. Comes after the library's own logging.
/// </summary>
sealed class DelegationSasPolicy(DelegationSas sas) : HttpPipelineSynchronousPolicy
{
    const string CopySource = "x-ms-copy-source";

    public override void OnSendingRequest(HttpMessage message)
    {
        sas.CheckEnd();
        // A repetition has it already; names of blobs are escaped.
        if (message.Request.Headers.TryGetValue(CopySource, out var source) && !source.Contains('?', StringComparison.Ordinal))
            message.Request.Headers.SetValue(CopySource, $"{source}?{sas.Query}");
    }
}
