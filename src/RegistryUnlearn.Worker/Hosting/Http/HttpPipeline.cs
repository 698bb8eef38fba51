using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;

namespace RegistryUnlearn.Worker.Hosting.Http;

/// <summary>Everything that the worker answers over HTTP.</summary>
static class HttpPipeline
{
    public static void Use(WebApplication app)
    {
        app.UseExceptionHandler(Problems.Handle);
        app.UseHostFiltering();
        app.Use(AddHeaders);
        app.Use(RefuseForeignWrites);
        app.UseAuthentication();
        app.UseAuthorization();
        HealthApi.Map(app);
        JobsApi.Map(app);
        EventsApi.Map(app);
    }

    static Task AddHeaders(HttpContext context, RequestDelegate next)
    {
        var headers = context.Response.Headers;
        headers.XContentTypeOptions = "nosniff";
        headers["Referrer-Policy"] = "no-referrer";
        headers.ContentSecurityPolicy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
            + "connect-src 'self'; frame-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'self'";
        headers.CacheControl = "no-store";
        return next(context);
    }

    /// <summary>A browser says where a page that writes comes from: only from here.</summary>
    static Task RefuseForeignWrites(HttpContext context, RequestDelegate next)
    {
        var request = context.Request;
        if (!HttpMethods.IsPost(request.Method) || request.Headers.Origin is not [{ } origin]
            || string.Equals(origin, $"{request.Scheme}://{request.Host}", StringComparison.OrdinalIgnoreCase))
            return next(context);
        context.Response.StatusCode = StatusCodes.Status403Forbidden;
        return Problems.WriteAsync(context, "a page from elsewhere may not write here");
    }
}
