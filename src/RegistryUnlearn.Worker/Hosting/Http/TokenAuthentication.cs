using Microsoft.AspNetCore.Authentication.JwtBearer;
using Microsoft.AspNetCore.Http;
using Microsoft.IdentityModel.Tokens;
using Microsoft.Net.Http.Headers;

namespace RegistryUnlearn.Worker.Hosting.Http;

/// <summary>Bearer tokens of an authority, checked by <see cref="JwtBearerHandler"/>; this says why one is refused.</summary>
static class TokenAuthentication
{
    public const string SchemeName = JwtBearerDefaults.AuthenticationScheme;

    public static bool IsShown(HttpRequest request) => request.Headers.Authorization.Count > 0;

    public static void Configure(JwtBearerOptions bearer, HttpOptions options)
    {
        bearer.Authority = options.Authority!.ToString();
        bearer.Audience = options.Audience;
        bearer.MapInboundClaims = false;
        bearer.Events = new() { OnChallenge = RefuseAsync };
    }

    static async Task RefuseAsync(JwtBearerChallengeContext context)
    {
        context.HandleResponse();
        context.Response.StatusCode = StatusCodes.Status401Unauthorized;
        context.Response.Headers.Append(HeaderNames.WWWAuthenticate,
            context.AuthenticateFailure is null ? SchemeName : $"{SchemeName} error=\"invalid_token\"");
        await Problems.WriteAsync(context.HttpContext, context.AuthenticateFailure switch
        {
            null => "this needs a token of the authority: sign in on the page, or show it in the header Authorization, after 'Bearer'",
            SecurityTokenExpiredException => "the token has ended; get a new one",
            SecurityTokenInvalidAudienceException => "the token is meant for somebody else; get one for what Http:Audience names",
            SecurityTokenException or ArgumentException => "the token is none of the authority that Http:Authority names",
            _ => "the token could not be checked: the authority that Http:Authority names does not answer as it should",
        });
    }
}
