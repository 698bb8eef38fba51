using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using RegistryUnlearn.Registry.Azure;

namespace RegistryUnlearn.Worker.Hosting.Http;

/// <summary>
/// The webhook: events of Event Grid or CloudEvents 1.0 (structured), with the handshake of either. Events only hint at jobs; whoever sends
/// them has to show who it is, as for everything that writes.
/// </summary>
static class EventsApi
{
    const string RequestOrigin = "WebHook-Request-Origin";
    const string AllowedOrigin = "WebHook-Allowed-Origin";
    const string AllowedRate = "WebHook-Allowed-Rate";

    public static void Map(IEndpointRouteBuilder routes)
    {
        routes.MapPost("/events", TakeAsync).RequireAuthorization(HttpSetup.Write);
        // The permission to send (CloudEvents HTTP 1.1 Web Hooks, 4.1). It opens nothing: each event is still asked who sent it.
        routes.MapMethods("/events", [HttpMethods.Options], Allow).AllowAnonymous();
    }

    static async Task<IResult> TakeAsync(HttpRequest request, ReconcileQueue queue, CancellationToken stop)
    {
        var body = await ReadAsync(request.Body, stop);
        if (body is null)
            return TypedResults.Problem($"events have at most {JobHints.MaxBytes} bytes", statusCode: StatusCodes.Status413PayloadTooLarge);
        var hints = JobHints.Parse(body);
        if (hints.ValidationCode is { } code)
            return TypedResults.Ok(new { validationResponse = code });
        foreach (var job in hints.Jobs)
            queue.Add(job);
        return TypedResults.Ok(new { jobs = hints.Jobs.Count });
    }

    static IResult Allow(HttpContext context)
    {
        var origin = context.Request.Headers[RequestOrigin];
        if (origin is not [{ Length: > 0 } asked])
            return TypedResults.BadRequest();
        context.Response.Headers.Allow = "POST";
        context.Response.Headers[AllowedOrigin] = asked;
        context.Response.Headers[AllowedRate] = "*";
        return TypedResults.Ok();
    }

    /// <summary>The body, or null when it is too long.</summary>
    static async Task<byte[]?> ReadAsync(Stream body, CancellationToken stop)
    {
        using var content = new MemoryStream();
        var buffer = new byte[1 << 14];
        while (await body.ReadAsync(buffer, stop) is > 0 and var count)
        {
            if (content.Length + count > JobHints.MaxBytes)
                return null;
            content.Write(buffer, 0, count);
        }
        return content.ToArray();
    }
}
