using System.Security.Claims;
using Microsoft.AspNetCore.Authorization;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Routing;
using RegistryUnlearn.Worker.Jobs;

namespace RegistryUnlearn.Worker.Hosting.Http;

/// <summary>Which worker answers, and who the caller is to it.</summary>
static class WorkerApi
{
    const string Path = "/api/session";

    public static void Map(IEndpointRouteBuilder routes)
    {
        routes.MapGet("/api/worker", DescribeAsync).AllowAnonymous();
        routes.MapPost(Path, SignIn).RequireAuthorization(HttpSetup.Write);
        routes.MapDelete(Path, SignOut).AllowAnonymous();
    }

    /// <summary>Whoever may not read learns no more than how to sign in.</summary>
    static async Task<WorkerView> DescribeAsync(
        ClaimsPrincipal caller, IAuthorizationService authorization, WorkerOptions options)
    {
        var http = options.Http!;
        var mayRead = (await authorization.AuthorizeAsync(caller, HttpSetup.Read)).Succeeded;
        var mayWrite = (await authorization.AuthorizeAsync(caller, HttpSetup.Write)).Succeeded;
        var view = new WorkerView(http.Key is not null ? "key" : http.Authority is not null ? "token" : "none", mayRead, mayWrite);
        return mayRead
            ? view with { Name = options.Name, Registry = WithoutSecrets(options.Registry), Release = PublishStage.ProductVersion }
            : view;
    }

    /// <summary>Gives a browser a cookie in place of the key, so that no script needs to keep it.</summary>
    static IResult SignIn(HttpContext context, WorkerOptions options)
    {
        if (options.Http is not { Key: { } key } || context.User.Identity?.AuthenticationType is not KeyAuthentication.SchemeName)
        {
            return TypedResults.Problem(statusCode: StatusCodes.Status400BadRequest,
                detail: $"a session begins with the key, in the header {KeyAuthentication.Header}; a token is shown anew each time");
        }
        context.Response.Cookies.Append(KeyAuthentication.Cookie, KeyAuthentication.CookieFor(key), Cookie(context.Request));
        return TypedResults.NoContent();
    }

    static NoContent SignOut(HttpContext context)
    {
        context.Response.Cookies.Delete(KeyAuthentication.Cookie, Cookie(context.Request));
        return TypedResults.NoContent();
    }

    static CookieOptions Cookie(HttpRequest request) => new()
    {
        HttpOnly = true,
        SameSite = SameSiteMode.Strict,
        Secure = request.IsHttps,
        Path = "/",
    };

    /// <summary>An address without what may follow it or precede its host: signatures, passwords.</summary>
    internal static string WithoutSecrets(string registry) =>
        !registry.Contains("://", StringComparison.Ordinal) || !Uri.TryCreate(registry, UriKind.Absolute, out var uri)
            ? registry
            : uri.GetComponents(UriComponents.SchemeAndServer | UriComponents.Path, UriFormat.SafeUnescaped);
}

/// <summary>A worker and what its caller may do.</summary>
/// <param name="SignIn">How callers prove who they are: <c>key</c>, <c>token</c>, or <c>none</c> when nobody can.</param>
/// <param name="Registry">Where the registry lies.</param>
public sealed record WorkerView(
    string SignIn, bool MayRead, bool MayWrite, string? Name = null, string? Registry = null, string? Release = null);
