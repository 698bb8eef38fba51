using System.Text.Json;
using RegistryUnlearn.Registry;
using RegistryUnlearn.Worker.Requests;

namespace RegistryUnlearn.Worker.Jobs;

/// <summary>What a job was asked, read back from the registry.</summary>
/// <param name="ModelDigest">Digest of the version that the request's reference meant when it was submitted.</param>
sealed record StoredRequest(UnlearningRequest Request, Digest ModelDigest)
{
    /// <exception cref="RegistryException">NotFound, or Corrupt.</exception>
    /// <exception cref="InputException">It is not a request that this release understands.</exception>
    public static async Task<StoredRequest> ReadAsync(JobStore jobs, JobId job, CancellationToken cancellation)
    {
        using var document = JsonDocument.Parse(await jobs.ReadRequestAsync(job, cancellation));
        var root = document.RootElement;
        var request = RequestReader.Read(root.GetProperty("request").GetRawText(), $"job {job}");
        return new(request, Digest.Parse(root.GetProperty("model").GetString()!));
    }
}
