using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Authentication.JwtBearer;
using Microsoft.AspNetCore.Authorization;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.HostFiltering;
using Microsoft.AspNetCore.Hosting;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;

namespace RegistryUnlearn.Worker.Hosting.Http;

/// <summary>
/// Who may do what over HTTP. Writing always asks who it is; reading does unless only this machine can connect, and then the request must
/// name this machine, so that a page from elsewhere cannot read through a browser here.
/// </summary>
static class HttpSetup
{
    public const string Read = "read";
    public const string Write = "write";

    const int MaxBody = 16 << 20;
    const string Any = "any";

    public static void Add(WebApplicationBuilder builder, HttpOptions options)
    {
        builder.WebHost.UseUrls(options.Url.GetLeftPart(UriPartial.Authority));
        builder.WebHost.ConfigureKestrel(kestrel =>
        {
            kestrel.AddServerHeader = false;
            kestrel.Limits.MaxRequestBodySize = MaxBody;
        });
        if (options.Url.Scheme == Uri.UriSchemeHttps)
            builder.WebHost.UseKestrelHttpsConfiguration();
        if (options.IsLoopback)
            builder.Services.Configure<HostFilteringOptions>(o => o.AllowedHosts = ["localhost", "127.0.0.1", "[::1]"]);
        AddAuthentication(builder.Services, options);
    }

    static void AddAuthentication(IServiceCollection services, HttpOptions options)
    {
        var schemes = new List<string>();
        // AddAuthentication would bring keys for the protection of data, and write them to disk: nothing here needs any.
        services.AddAuthenticationCore(o => o.DefaultScheme = Any).AddWebEncoders();
        services.AddSingleton<IAuthenticationConfigurationProvider, NoAuthenticationConfiguration>();
        var authentication = new AuthenticationBuilder(services);
        if (options.Key is { } key)
        {
            authentication.AddScheme<KeyAuthenticationOptions, KeyAuthentication>(KeyAuthentication.SchemeName, o => o.Key = key);
            schemes.Add(KeyAuthentication.SchemeName);
        }
        if (options.Authority is { } authority)
        {
            authentication.AddJwtBearer(o =>
            {
                o.Authority = authority.ToString();
                o.Audience = options.Audience;
                o.MapInboundClaims = false;
            });
            schemes.Add(JwtBearerDefaults.AuthenticationScheme);
        }
        if (schemes.Count == 0)
        {
            authentication.AddScheme<AuthenticationSchemeOptions, NobodyAuthentication>(NobodyAuthentication.SchemeName, null);
            schemes.Add(NobodyAuthentication.SchemeName);
        }
        authentication.AddPolicyScheme(Any, null, o => o.ForwardDefaultSelector = context =>
            options.Authority is not null && (options.Key is null || context.Request.Headers.Authorization.Count > 0)
                ? JwtBearerDefaults.AuthenticationScheme : schemes[0]);
        var writing = new AuthorizationPolicyBuilder(Any).RequireAuthenticatedUser().Build();
        services.AddAuthorizationBuilder()
            .AddPolicy(Write, writing)
            .AddPolicy(Read, options.IsLoopback ? new AuthorizationPolicyBuilder(Any).RequireAssertion(_ => true).Build() : writing)
            .SetFallbackPolicy(writing);
    }
}

/// <summary>Authentication takes everything from <see cref="HttpOptions"/>.</summary>
sealed class NoAuthenticationConfiguration : IAuthenticationConfigurationProvider
{
    public IConfiguration AuthenticationConfiguration { get; } = new ConfigurationBuilder().Build();
}
