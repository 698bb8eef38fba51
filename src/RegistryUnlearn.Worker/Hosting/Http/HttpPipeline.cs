using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Primitives;

namespace RegistryUnlearn.Worker.Hosting.Http;

/// <summary>Everything that the worker answers over HTTP.</summary>
static class HttpPipeline
{
    /// <summary>What the page needs, and nothing else; it never makes markup from text.</summary>
    const string PagePolicy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
        + "base-uri 'none'; form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'";

    static readonly (string Name, string Value)[] Headers =
    [
        ("X-Content-Type-Options", "nosniff"),
        ("Referrer-Policy", "no-referrer"),
        ("Content-Security-Policy", PagePolicy),
        ("Cross-Origin-Opener-Policy", "same-origin"),
        ("Cross-Origin-Resource-Policy", "same-origin"),
        ("Cache-Control", "no-store"),
    ];

    public static void Use(WebApplication app)
    {
        app.Use(AddHeaders);
        app.UseExceptionHandler(Problems.Handling);
        app.UseHostFiltering();
        app.Use(RefuseForeignWrites);
        app.UseAuthentication();
        app.UseAuthorization();
        HealthApi.Map(app);
        JobsApi.Map(app);
        EventsApi.Map(app);
        ModelsApi.Map(app);
        WorkerApi.Map(app);
        PageFiles.Map(app);
        app.MapGet("{*path}", NotFound).WithOrder(int.MaxValue).AllowAnonymous();
    }

    /// <summary>On every answer, refusals included, unless an endpoint has set its own.</summary>
    static Task AddHeaders(HttpContext context, RequestDelegate next)
    {
        context.Response.OnStarting(() =>
        {
            foreach (var (name, value) in Headers)
                context.Response.Headers.TryAdd(name, value);
            return Task.CompletedTask;
        });
        return next(context);
    }

    /// <summary>A browser says where a page that writes comes from: only from here.</summary>
    static Task RefuseForeignWrites(HttpContext context, RequestDelegate next)
    {
        var request = context.Request;
        var writes = !HttpMethods.IsGet(request.Method) && !HttpMethods.IsHead(request.Method) && !HttpMethods.IsOptions(request.Method);
        if (!writes || IsOwn(request, request.Headers.Origin))
            return next(context);
        context.Response.StatusCode = StatusCodes.Status403Forbidden;
        return Problems.WriteAsync(context, "a page from elsewhere may not write here");
    }

    static bool IsOwn(HttpRequest request, StringValues origins) =>
        origins.All(o => string.Equals(o, $"{request.Scheme}://{request.Host}", StringComparison.OrdinalIgnoreCase));

    static Task NotFound(HttpContext context)
    {
        context.Response.StatusCode = StatusCodes.Status404NotFound;
        return Problems.WriteAsync(context, "there is nothing here; the page is at /, jobs and models are under /api/jobs and /api/models");
    }
}
