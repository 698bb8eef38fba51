using System.Security.Claims;
using System.Text.Encodings.Web;
using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace RegistryUnlearn.Worker.Hosting.Http;

/// <summary>Believes browsers that signed in; see <see cref="Sessions"/>.</summary>
sealed class SessionAuthentication(
    IOptionsMonitor<AuthenticationSchemeOptions> options, ILoggerFactory logger, UrlEncoder encoder, Sessions sessions)
    : AuthenticationHandler<AuthenticationSchemeOptions>(options, logger, encoder)
{
    public const string SchemeName = "Session";

    protected override Task<AuthenticateResult> HandleAuthenticateAsync()
    {
        if (Request.Cookies[Sessions.Cookie] is not { } cookie || !sessions.IsGood(cookie))
            return Task.FromResult(AuthenticateResult.Fail("the session has ended"));
        var identity = new ClaimsIdentity([new Claim(ClaimTypes.Name, "session")], SchemeName);
        return Task.FromResult(AuthenticateResult.Success(new AuthenticationTicket(new ClaimsPrincipal(identity), SchemeName)));
    }

    protected override Task HandleChallengeAsync(AuthenticationProperties properties)
    {
        Response.StatusCode = StatusCodes.Status401Unauthorized;
        return Problems.WriteAsync(Context, "the session has ended; sign in again");
    }
}
