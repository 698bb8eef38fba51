using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Authorization;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.HostFiltering;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
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
        if (options.Tls is { } tls)
        {
            builder.WebHost.UseKestrelHttpsConfiguration().ConfigureKestrel(kestrel => kestrel.ConfigureHttpsDefaults(https =>
                (https.ServerCertificate, https.ServerCertificateChain) = (tls.Certificate, tls.Chain)));
        }
        if (options.IsLoopback)
            builder.Services.Configure<HostFilteringOptions>(o => o.AllowedHosts = ["localhost", "127.0.0.1", "[::1]"]);
        AddAuthentication(builder.Services, options);
    }

    static void AddAuthentication(IServiceCollection services, HttpOptions options)
    {
        // AddAuthentication would bring keys for the protection of data, and write them to disk: nothing here needs any.
        services.AddAuthenticationCore(o => o.DefaultScheme = Any).AddWebEncoders();
        services.AddSingleton<IAuthenticationConfigurationProvider, NoAuthenticationConfiguration>();
        services.AddSingleton(options).AddSingleton<Sessions>();
        var authentication = new AuthenticationBuilder(services);
        if (options.Key is { } key)
            authentication.AddScheme<KeyAuthenticationOptions, KeyAuthentication>(KeyAuthentication.SchemeName, o => o.Key = key);
        if (options.Authority is not null)
            authentication.AddJwtBearer(TokenAuthentication.SchemeName, o => TokenAuthentication.Configure(o, options));
        authentication.AddScheme<AuthenticationSchemeOptions, SessionAuthentication>(SessionAuthentication.SchemeName, null);
        authentication.AddScheme<AuthenticationSchemeOptions, NobodyAuthentication>(NobodyAuthentication.SchemeName, null);
        authentication.AddPolicyScheme(Any, null, o => o.ForwardDefaultSelector = context => SchemeOf(context.Request, options));
        var writing = new AuthorizationPolicyBuilder(Any).RequireAuthenticatedUser().Build();
        services.AddAuthorizationBuilder()
            .AddPolicy(Write, writing)
            .AddPolicy(Read, options.IsLoopback ? new AuthorizationPolicyBuilder(Any).RequireAssertion(_ => true).Build() : writing)
            .SetFallbackPolicy(writing);
    }

    /// <summary>By what a caller shows; without anything, what would have to be shown.</summary>
    static string SchemeOf(HttpRequest request, HttpOptions options) => options switch
    {
        { Key: null, Authority: null } => NobodyAuthentication.SchemeName,
        { Authority: not null } when TokenAuthentication.IsShown(request) => TokenAuthentication.SchemeName,
        { Key: not null } when KeyAuthentication.IsShown(request) => KeyAuthentication.SchemeName,
        _ when request.Cookies.ContainsKey(Sessions.Cookie) => SessionAuthentication.SchemeName,
        _ => options.Key is not null ? KeyAuthentication.SchemeName : TokenAuthentication.SchemeName,
    };
}

/// <summary>Authentication takes everything from <see cref="HttpOptions"/>.</summary>
sealed class NoAuthenticationConfiguration : IAuthenticationConfigurationProvider
{
    public IConfiguration AuthenticationConfiguration { get; } = new ConfigurationBuilder().Build();
}
