using System.Security.Claims;
using System.Security.Cryptography;
using System.Text;
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

/// <summary>
/// Believes whoever shows the configured key, in a header, or in the cookie that a browser got for it. Comparisons take the same time
/// whatever is shown.
/// </summary>
sealed class KeyAuthentication(IOptionsMonitor<KeyAuthenticationOptions> options, ILoggerFactory logger, UrlEncoder encoder)
    : AuthenticationHandler<KeyAuthenticationOptions>(options, logger, encoder)
{
    public const string SchemeName = "Key";
    public const string Header = "X-Registry-Unlearn-Key";
    public const string Cookie = "registry-unlearn";

    /// <summary>What the cookie holds: follows from the key, and does not give it away.</summary>
    public static string CookieFor(string key) =>
        Convert.ToHexStringLower(HMACSHA256.HashData(Encoding.UTF8.GetBytes(key), "registry-unlearn page"u8));

    protected override Task<AuthenticateResult> HandleAuthenticateAsync()
    {
        var shown = Request.Headers[Header].ToString();
        var (value, expected) = shown.Length > 0
            ? (shown, Options.Key)
            : (Request.Cookies[Cookie] ?? "", CookieFor(Options.Key));
        if (value.Length == 0)
            return Task.FromResult(AuthenticateResult.NoResult());
        if (!SameBytes(value, expected))
            return Task.FromResult(AuthenticateResult.Fail("the key is wrong"));
        var identity = new ClaimsIdentity([new Claim(ClaimTypes.Name, "key")], SchemeName);
        return Task.FromResult(AuthenticateResult.Success(new AuthenticationTicket(new ClaimsPrincipal(identity), SchemeName)));
    }

    protected override Task HandleChallengeAsync(AuthenticationProperties properties)
    {
        Response.StatusCode = StatusCodes.Status401Unauthorized;
        Response.Headers.WWWAuthenticate = SchemeName;
        return Problems.WriteAsync(Context, Request.Headers.ContainsKey(Header) || Request.Cookies.ContainsKey(Cookie)
            ? "the key is wrong; show the one that Http:Key or Http:KeyFile sets"
            : $"this needs the key: sign in on the page, or show it in the header {Header}");
    }

    /// <summary>Digests are compared, so that not even the length of the key shows in the time.</summary>
    static bool SameBytes(string a, string b) => CryptographicOperations.FixedTimeEquals(
        SHA256.HashData(Encoding.UTF8.GetBytes(a)), SHA256.HashData(Encoding.UTF8.GetBytes(b)));
}
