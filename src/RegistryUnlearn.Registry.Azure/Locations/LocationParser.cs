using System.Text.RegularExpressions;

namespace RegistryUnlearn.Registry.Azure;

/// <summary>
/// Reads what is given as a registry. A token is sent to hosts of Azure only, and nothing to another machine without TLS.
/// </summary>
static partial class LocationParser
{
    const string Emulator = "UseDevelopmentStorage";

    /// <summary>Host names of blob accounts end like this, in the public cloud and the others.</summary>
    static readonly string[] Clouds =
        [".blob.core.windows.net", ".blob.storage.azure.net", ".blob.core.usgovcloudapi.net", ".blob.core.chinacloudapi.cn"];

    public static RegistryLocation Parse(string text)
    {
        if (string.IsNullOrWhiteSpace(text))
            throw Invalid("", "it is empty");
        if (Settings().IsMatch(text))
            return ParseSettings(text);
        var scheme = text.IndexOf("://", StringComparison.Ordinal);
        if (scheme < 0)
            return new FolderLocation(text);
        if (!Uri.TryCreate(text, UriKind.Absolute, out var uri))
            throw Invalid(text[..(scheme + 3)] + "…", "it is not an address");
        var shown = $"{uri.Scheme}://{uri.Authority}{uri.AbsolutePath}";
        if (uri.UserInfo.Length > 0)
            throw Invalid(shown, "it holds a user name or a password. Leave them out");
        if (uri.Query.Length > 0 || uri.Fragment.Length > 0)
        {
            throw Invalid(shown, "it holds something behind '?' or '#'. A shared access signature would end in logs and process lists: "
                + $"leave it out, and name a credential in {AzureCredentials.Variable}, or set {DelegationSas.Variable} to a signature "
                + "of user delegation");
        }
        return uri.Scheme switch
        {
            "file" when uri.Host is "" or "localhost" => new FolderLocation(new Uri("file://" + uri.AbsolutePath).LocalPath),
            "file" => throw Invalid(shown, "it names a folder of another machine. Mount it, and give the path"),
            "http" or "https" when uri.Host is "127.0.0.1" => ParseEmulator(uri, shown),
            "http" when uri.Host is "localhost" => ParseEmulator(new UriBuilder(uri) { Host = "127.0.0.1" }.Uri, shown),
            "https" when uri.IsDefaultPort && Clouds.Any(c => uri.Host.EndsWith(c, StringComparison.OrdinalIgnoreCase)) =>
                ParseContainer(uri, shown, uri.Segments[1..], new Uri(uri.GetLeftPart(UriPartial.Authority) + "/"), isEmulator: false),
            "https" => throw Invalid(shown, $"its host is no account of Azure Blob Storage (…{string.Join(", …", Clouds)})"),
            "http" => throw Invalid(shown, "without TLS only the emulator at 127.0.0.1 is spoken to. Write https"),
            _ => throw Invalid(shown, $"'{uri.Scheme}' is unknown"),
        };
    }

    static BlobLocation ParseEmulator(Uri uri, string shown)
    {
        if (uri.Segments.Length < 2 || uri.Segments[1].TrimEnd('/') is not BlobLocation.EmulatorAccount)
            throw Invalid(shown, $"on this machine only the emulator's account '{BlobLocation.EmulatorAccount}' is known");
        var account = new Uri($"{uri.GetLeftPart(UriPartial.Authority)}/{BlobLocation.EmulatorAccount}/");
        return ParseContainer(uri, shown, uri.Segments[2..], account, isEmulator: true);
    }

    static BlobLocation ParseContainer(Uri uri, string shown, string[] segments, Uri account, bool isEmulator)
    {
        if (segments.Length is 0)
            throw Invalid(shown, "it lacks the container");
        var name = CheckContainer(segments[0].TrimEnd('/'), shown);
        var prefix = string.Concat(segments[1..].Select(Uri.UnescapeDataString));
        return new(new Uri(account, name), CheckPrefix(prefix, shown), isEmulator);
    }

    static BlobLocation ParseSettings(string text)
    {
        var values = new Dictionary<string, string>(StringComparer.OrdinalIgnoreCase);
        foreach (var part in text.Split(';', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries))
        {
            var name = part.Split('=')[0];
            if (!values.TryAdd(name, part[Math.Min(part.Length, name.Length + 1)..]))
                throw Invalid(Emulator, $"'{name}' is there twice");
        }
        if (!values.Remove(Emulator, out var use) || !use.Equals("true", StringComparison.OrdinalIgnoreCase))
        {
            throw Invalid("connection string", "keys open the emulator only. Write the container's address, and name a credential in "
                + $"{AzureCredentials.Variable}, or set {DelegationSas.Variable} to a signature of user delegation");
        }
        var container = values.Remove("Container", out var given) ? given : throw Invalid(Emulator, "Container is missing");
        var prefix = values.Remove("Prefix", out var below) ? below : "";
        if (values.Count > 0)
            throw Invalid(Emulator, $"'{values.Keys.First()}' is unknown");
        return new(new Uri($"http://127.0.0.1:10000/{BlobLocation.EmulatorAccount}/{CheckContainer(container, Emulator)}"),
            CheckPrefix(prefix, Emulator), IsEmulator: true);
    }

    static string CheckContainer(string name, string shown) => ContainerName().IsMatch(name) ? name
        : throw Invalid(shown, "a container has 3 to 63 lower-case letters, digits and single hyphens between them");

    static string CheckPrefix(string prefix, string shown)
    {
        try
        {
            return ObjectPath.CheckFolder(prefix.Length is 0 || prefix.EndsWith('/') ? prefix : prefix + '/');
        }
        catch (RegistryException e)
        {
            throw Invalid(shown, $"its prefix breaks a rule ({e.Message.TrimEnd('.')})");
        }
    }

    static RegistryException Invalid(string shown, string what) => new(RegistryErrorKind.Invalid, shown.Length > 0 ? shown : "registry",
        $"{what}. A registry is a folder, file://, https://account.blob.core.windows.net/container[/prefix], or for the emulator "
        + $"http://127.0.0.1:10000/{BlobLocation.EmulatorAccount}/container[/prefix] or {Emulator}=true;Container=c[;Prefix=p].");

    /// <summary>The form of a connection string.</summary>
    [GeneratedRegex("^(UseDevelopmentStorage|DefaultEndpointsProtocol|AccountName|AccountKey|BlobEndpoint|SharedAccessSignature)=",
        RegexOptions.IgnoreCase | RegexOptions.CultureInvariant)]
    private static partial Regex Settings();

    [GeneratedRegex(@"^(?=.{3,63}\z)[a-z0-9]+(-[a-z0-9]+)*\z", RegexOptions.CultureInvariant)]
    private static partial Regex ContainerName();
}
