using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using RegistryUnlearn.Registry;

namespace RegistryUnlearn.Worker.Hosting.Http;

/// <summary>
/// <c>/healthz/live</c>: the worker's loops turn. <c>/healthz/ready</c>: the registry answers as well. Open to everybody, since probes have
/// no keys, and therefore silent about everything but yes or no.
/// </summary>
static class HealthApi
{
    public static void Map(IEndpointRouteBuilder routes)
    {
        routes.MapGet("/healthz/live", (WorkerHealth health) => Answer(health.IsAlive)).AllowAnonymous();
        routes.MapGet("/healthz/ready", async (WorkerHealth health, CancellationToken cancellation) =>
            Answer(health.IsAlive && await health.IsReadyAsync(cancellation))).AllowAnonymous();
    }

    static IResult Answer(bool well) => well
        ? TypedResults.Text("ok\n")
        : TypedResults.Text("not ok\n", statusCode: StatusCodes.Status503ServiceUnavailable);
}

/// <summary>Whether the worker works and can work.</summary>
public sealed class WorkerHealth(JobStore jobs, RegistryListing listing, WorkerOptions options, TimeProvider clock)
{
    /// <summary>Listings that may fail or hang before the worker counts as dead.</summary>
    const int Patience = 10;

    static readonly TimeSpan Grace = TimeSpan.FromMinutes(2);

    readonly DateTimeOffset started = clock.GetUtcNow();

    /// <summary>The listing turns, whether the registry answers or not.</summary>
    public bool IsAlive => clock.GetUtcNow() - (listing.LastTurn ?? started) < Grace + options.PollInterval * Patience;

    /// <summary>The registry answers now.</summary>
    public async Task<bool> IsReadyAsync(CancellationToken cancellation)
    {
        try
        {
            await jobs.ListRequestsAsync(cancellation).AnyAsync(cancellation);
            return true;
        }
        catch (RegistryException)
        {
            return false;
        }
    }
}
