using System.Security.Cryptography;
using Microsoft.AspNetCore.Authentication.JwtBearer;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.IdentityModel.JsonWebTokens;
using Microsoft.IdentityModel.Protocols.OpenIdConnect;
using Microsoft.IdentityModel.Tokens;

namespace RegistryUnlearn.Worker.Tests.Hosting.Http;

/// <summary>
/// An issuer of tokens whose published keys a worker knows without asking for them; everything else of the check is real.
/// </summary>
sealed class TestAuthority : IDisposable
{
    public const string Audience = "api://registry-unlearn";

    readonly RSA rsa = RSA.Create(2048);

    public static Uri Address { get; } = new("https://login.example/tenant/v2.0");

    /// <summary>Puts the published keys where a worker would have fetched them.</summary>
    public void Stand(IServiceCollection services) => services.PostConfigure<JwtBearerOptions>(
        JwtBearerDefaults.AuthenticationScheme,
        options =>
        {
            options.Configuration = new OpenIdConnectConfiguration { Issuer = Address.ToString() };
            var published = rsa.ExportParameters(includePrivateParameters: false);
            options.Configuration.SigningKeys.Add(new RsaSecurityKey(published) { KeyId = "1" });
        });

    /// <param name="expires">From now.</param>
    public string Token(string? issuer = null, string audience = Audience, TimeSpan? expires = null, RSA? signer = null)
    {
        var end = DateTimeOffset.UtcNow + (expires ?? TimeSpan.FromMinutes(5));
        return new JsonWebTokenHandler().CreateToken(new SecurityTokenDescriptor
        {
            Issuer = issuer ?? Address.ToString(),
            Audience = audience,
            NotBefore = end.UtcDateTime - TimeSpan.FromHours(1),
            IssuedAt = end.UtcDateTime - TimeSpan.FromHours(1),
            Expires = end.UtcDateTime,
            SigningCredentials = new(new RsaSecurityKey(signer ?? rsa) { KeyId = "1" }, SecurityAlgorithms.RsaSha256),
        });
    }

    public void Dispose() => rsa.Dispose();
}
