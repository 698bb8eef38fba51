using System.Security.Claims;
using Microsoft.AspNetCore.Authentication;
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
        routes.MapPost(Path, SignInAsync).RequireAuthorization(HttpSetup.Write);
        routes.MapDelete(Path, SignOut).AllowAnonymous();
    }

    /// <summary>Whoever may not read learns no more than how to sign in.</summary>
    static async Task<WorkerView> DescribeAsync(
        ClaimsPrincipal caller, IAuthorizationService authorization, WorkerOptions options)
    {
        var http = options.Http!;
        var mayRead = (await authorization.AuthorizeAsync(caller, HttpSetup.Read)).Succeeded;
        var mayWrite = (await authorization.AuthorizeAsync(caller, HttpSetup.Write)).Succeeded;
        var view = new WorkerView(WaysToSignIn(http), mayRead, mayWrite);
        return mayRead
            ? view with { Name = options.Name, Registry = WithoutSecrets(options.Registry), Release = PublishStage.ProductVersion }
            : view;
    }

    static string WaysToSignIn(HttpOptions http) => http switch
    {
        { Key: not null, Authority: not null } => "key-or-token",
        { Key: not null } => "key",
        { Authority: not null } => "token",
        _ => "none",
    };

    /// <summary>
    /// Gives a browser a cookie in place of the key or the token that it has just shown. A session cannot begin a longer one.
    /// </summary>
    static async Task<IResult> SignInAsync(HttpContext context, HttpOptions http, Sessions sessions, TimeProvider clock)
    {
        var cookie = Cookie(context.Request);
        if (http.Authority is not null && TokenAuthentication.IsShown(context.Request))
        {
            var shown = await context.AuthenticateAsync(TokenAuthentication.SchemeName);
            // Clocks may differ by some minutes when a token is checked; a session gets none of them.
            if (shown.Properties?.ExpiresUtc is not { } end || end <= clock.GetUtcNow())
                return Refuse("the token has ended; get a new one");
            cookie.Expires = end;
            context.Response.Cookies.Append(Sessions.Cookie, sessions.ForToken(end), cookie);
            return TypedResults.NoContent();
        }
        if (http.Key is not { } key || !KeyAuthentication.IsShown(context.Request))
            return Refuse($"a session begins with the key, in the header {KeyAuthentication.Header}, or with a token");
        context.Response.Cookies.Append(Sessions.Cookie, Sessions.ForKey(key), cookie);
        return TypedResults.NoContent();

        static IResult Refuse(string why) => TypedResults.Problem(statusCode: StatusCodes.Status400BadRequest, detail: why);
    }

    static NoContent SignOut(HttpContext context)
    {
        context.Response.Cookies.Delete(Sessions.Cookie, Cookie(context.Request));
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
/// <param name="SignIn">
/// How callers prove who they are: <c>key</c>, <c>token</c>, <c>key-or-token</c>, or <c>none</c> when nobody can.
/// </param>
/// <param name="Registry">Where the registry lies.</param>
public sealed record WorkerView(
    string SignIn, bool MayRead, bool MayWrite, string? Name = null, string? Registry = null, string? Release = null);
