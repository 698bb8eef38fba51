using System.Text.RegularExpressions;
using Azure.Core;
using Azure.Storage;
using Azure.Storage.Queues;

namespace RegistryUnlearn.Registry.Azure;

/// <summary>
/// Where a queue lies: <c>https://account.queue.core.windows.net/queue</c>, and for the emulator
/// <c>http://127.0.0.1:10001/devstoreaccount1/queue</c> or <c>UseDevelopmentStorage=true;Queue=q</c>.
/// </summary>
/// <param name="Address">The queue's address.</param>
/// <param name="IsEmulator">Whether the key of the emulator's account opens it, which everybody knows.</param>
public sealed partial record QueueLocation(Uri Address, bool IsEmulator)
{
    const string Emulator = "UseDevelopmentStorage=true;Queue=";

    static readonly string[] Clouds =
        [".queue.core.windows.net", ".queue.storage.azure.net", ".queue.core.usgovcloudapi.net", ".queue.core.chinacloudapi.cn"];

    /// <exception cref="RegistryException">
    /// Invalid: not a queue, or one that holds a key or a token. The message does not repeat them.
    /// </exception>
    public static QueueLocation Parse(string text)
    {
        if (text.StartsWith(Emulator, StringComparison.OrdinalIgnoreCase))
        {
            return At(
                new Uri($"http://127.0.0.1:10001/{BlobLocation.EmulatorAccount}/"), text[Emulator.Length..], Emulator, isEmulator: true);
        }
        if (!Uri.TryCreate(text, UriKind.Absolute, out var uri))
            throw Invalid("queue", "it is not an address");
        var shown = $"{uri.Scheme}://{uri.Authority}{uri.AbsolutePath}";
        if (uri.UserInfo.Length > 0 || uri.Query.Length > 0 || uri.Fragment.Length > 0)
            throw Invalid(shown, $"it holds more than an address. Leave that out, and name a credential in {AzureCredentials.Variable}");
        if (uri is { IsLoopback: true, Scheme: "http" or "https", Segments: [_, BlobLocation.EmulatorAccount + "/", var local] })
            return At(new Uri($"{uri.GetLeftPart(UriPartial.Authority)}/{BlobLocation.EmulatorAccount}/"), local, shown, isEmulator: true);
        if (uri is { Scheme: "https", IsDefaultPort: true, Segments: [_, var name] }
            && Clouds.Any(c => uri.Host.EndsWith(c, StringComparison.OrdinalIgnoreCase)))
            return At(new Uri(uri.GetLeftPart(UriPartial.Authority) + "/"), name, shown, isEmulator: false);
        throw Invalid(shown, "it is no queue of an account of Azure Storage");
    }

    /// <summary>A client for the queue. Sends no request yet.</summary>
    /// <param name="environment">Gives the value of an environment variable, or null: for the credential.</param>
    /// <exception cref="RegistryException">Denied: no credential is named.</exception>
    public QueueClient Connect(Func<string, string?> environment) => Connect(Options(), environment);

    /// <summary>The queue for messages that could not be used: the same name with <c>-poison</c> behind it.</summary>
    /// <inheritdoc cref="Connect(Func{string, string?})"/>
    public QueueClient ConnectPoison(Func<string, string?> environment) => Poison.Connect(environment);

    public override string ToString() => Address.AbsoluteUri;

    /// <summary>Where messages go that could not be used.</summary>
    internal QueueLocation Poison => this with { Address = new Uri(Address.AbsoluteUri + "-poison") };

    /// <param name="options">Those of <see cref="Options"/>, perhaps with more.</param>
    /// <inheritdoc cref="Connect(Func{string, string?})"/>
    internal QueueClient Connect(QueueClientOptions options, Func<string, string?> environment) => IsEmulator
        ? new(Address, new StorageSharedKeyCredential(BlobLocation.EmulatorAccount, BlobLocation.EmulatorKey), options)
        : Connect(options, AzureCredentials.Create(environment));

    /// <summary>A client for somebody.</summary>
    internal QueueClient Connect(QueueClientOptions options, TokenCredential credential) => new(Address, credential, options);

    /// <summary>As <see cref="BlobService.Options"/>: a pinned protocol, and nothing said about this machine.</summary>
    internal static QueueClientOptions Options() => new(QueueClientOptions.ServiceVersion.V2025_11_05)
    {
        MessageEncoding = QueueMessageEncoding.None,
        Diagnostics = { IsTelemetryEnabled = false, IsLoggingContentEnabled = false },
    };

    static QueueLocation At(Uri account, string name, string shown, bool isEmulator) => QueueName().IsMatch(name)
        ? new(new Uri(account, name), isEmulator)
        : throw Invalid(shown, "a queue has 3 to 56 lower-case letters, digits and single hyphens between them");

    static RegistryException Invalid(string shown, string what) => new(RegistryErrorKind.Invalid, shown,
        $"{what}. A queue is https://account.queue.core.windows.net/queue, or for the emulator "
        + $"http://127.0.0.1:10001/{BlobLocation.EmulatorAccount}/queue or {Emulator}q.");

    /// <summary>Room is left for the name of the poison queue.</summary>
    [GeneratedRegex(@"^(?=.{3,56}\z)[a-z0-9]+(-[a-z0-9]+)*\z", RegexOptions.CultureInvariant)]
    private static partial Regex QueueName();
}
