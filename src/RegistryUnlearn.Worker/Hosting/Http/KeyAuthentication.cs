using System.Security.Claims;
using System.Text.Encodings.Web;
using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace RegistryUnlearn.Worker.Hosting.Http;

/// <summary>The key that callers show.</summary>
public sealed class KeyAuthenticationOptions : AuthenticationSchemeOptions
{
    public string Key { get; set; } = "";
}

/// <summary>Believes whoever shows the configured key in a header. Comparisons take the same time whatever is shown.</summary>
sealed class KeyAuthentication(IOptionsMonitor<KeyAuthenticationOptions> options, ILoggerFactory logger, UrlEncoder encoder)
    : AuthenticationHandler<KeyAuthenticationOptions>(options, logger, encoder)
{
    public const string SchemeName = "Key";
    public const string Header = "X-Registry-Unlearn-Key";

    public static bool IsShown(HttpRequest request) => request.Headers[Header].ToString().Length > 0;

    protected override Task<AuthenticateResult> HandleAuthenticateAsync()
    {
        if (!IsShown(Request))
            return Task.FromResult(AuthenticateResult.NoResult());
        if (!Sessions.SameBytes(Request.Headers[Header].ToString(), Options.Key))
            return Task.FromResult(AuthenticateResult.Fail("the key is wrong"));
        var identity = new ClaimsIdentity([new Claim(ClaimTypes.Name, "key")], SchemeName);
        return Task.FromResult(AuthenticateResult.Success(new AuthenticationTicket(new ClaimsPrincipal(identity), SchemeName)));
    }

    protected override Task HandleChallengeAsync(AuthenticationProperties properties)
    {
        Response.StatusCode = StatusCodes.Status401Unauthorized;
        Response.Headers.WWWAuthenticate = SchemeName;
        return Problems.WriteAsync(Context, IsShown(Request)
            ? "the key is wrong; show the one that Http:Key or Http:KeyFile sets"
            : $"this needs the key: sign in on the page, or show it in the header {Header}");
    }
}
