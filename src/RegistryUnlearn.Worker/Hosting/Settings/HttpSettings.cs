using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace RegistryUnlearn.Worker.Hosting.Settings;

/// <summary>The settings of what the worker answers over HTTP: section <c>Http</c> of its own.</summary>
static class HttpSettings
{
    const string NoHttp = "none";

    /// <param name="reader">Of the section; everything that is wrong is added to what it has found.</param>
    public static HttpOptions? Read(SettingsReader reader)
    {
        var url = reader.Text("Url") ?? "http://127.0.0.1:8080";
        var key = ReadKey(reader);
        var authority = reader.Url("Authority",
            "the address of the authority, such as https://login.microsoftonline.com/{tenant}/v2.0");
        var audience = reader.Text("Audience");
        var (certificate, certificateKey) = (reader.Text("Certificate"), reader.Text("CertificateKey"));
        if (authority is { Scheme: not "https" })
            reader.Refuse("Authority", "is not https; tokens are only as good as the way to their keys");
        if (authority is not null && audience is null)
            reader.Refuse("Audience", "is missing; give whom tokens of the authority must be meant for");
        reader.RefuseUnknown();
        if (url == NoHttp)
            return null;
        if (!Uri.TryCreate(url, UriKind.Absolute, out var address) || address.Scheme is not ("http" or "https")
            || address.PathAndQuery != "/")
        {
            reader.Refuse("Url", $"is '{url}'; give scheme, address and port, such as http://127.0.0.1:8080, or '{NoHttp}'");
            return null;
        }
        if (!address.IsLoopback && key is null && authority is null)
            reader.Refuse("Url", $"is '{url}', which other machines reach; set Http:KeyFile, or Http:Authority and Http:Audience, first");
        return new()
        {
            Url = address,
            Tls = ReadTls(reader, address, certificate, certificateKey),
            Key = key,
            Authority = authority,
            Audience = audience,
        };
    }

    static ServerTls? ReadTls(SettingsReader reader, Uri address, string? file, string? keyFile)
    {
        if (address.Scheme == Uri.UriSchemeHttp)
        {
            if ((file ?? keyFile) is not null)
                reader.Refuse(file is not null ? "Certificate" : "CertificateKey", "is of no use without an address of https in Http:Url");
            return null;
        }
        if (file is null)
        {
            reader.Refuse("Certificate", "is missing; give the PEM file of the server's certificate, with those that lead to a known one");
            return null;
        }
        try
        {
            var all = new X509Certificate2Collection();
            all.ImportFromPemFile(file);
            using var own = X509Certificate2.CreateFromPemFile(file, keyFile);
            // On Windows a server cannot use a key that exists in memory alone.
            return new(X509CertificateLoader.LoadPkcs12(own.Export(X509ContentType.Pkcs12), null), [.. all.Skip(1)]);
        }
        // ArgumentException: the key is another certificate's.
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or CryptographicException or ArgumentException)
        {
            reader.Refuse("Certificate", $"cannot be used ({e.GetType().Name}); give a PEM file that this account may read, and the key to "
                + "it, not encrypted, in the same file or in Http:CertificateKey");
            return null;
        }
    }

    static string? ReadKey(SettingsReader reader)
    {
        var (key, file) = (reader.Text("Key"), reader.Text("KeyFile"));
        if (key is not null && file is not null)
            reader.Refuse("Key", "and Http:KeyFile are both set; set one");
        if (file is not null)
        {
            try
            {
                key = File.ReadAllText(file).Trim();
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                reader.Refuse("KeyFile", $"cannot be read ({e.GetType().Name}); give a file that this account may read");
                return null;
            }
        }
        if (key is { Length: < HttpOptions.MinKeyLength })
            reader.Refuse(file is null ? "Key" : "KeyFile",
                $"holds {key.Length} characters; give at least {HttpOptions.MinKeyLength}, such as those of 'openssl rand -hex 32'");
        return key;
    }
}
