using System.Globalization;
using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Azure.Core;
using Azure.Core.Pipeline;
using Azure.Storage.Blobs;
using Azure.Storage.Queues;
using RegistryUnlearn.Conformance;
using RegistryUnlearn.Registry.Azure.Tests.Emulator;

[assembly: AssemblyFixture(typeof(CloudEmulator))]

namespace RegistryUnlearn.Registry.Azure.Tests.Emulator;

/// <summary>
/// Emulators of the blob and the queue service that look like an account of the cloud: reached by its name, over TLS, and open to bearer
/// tokens. Only where the connection goes and which certificate it ends at differs from what users have: that is this test's transport.
/// Started when a test first asks; tests are skipped where they cannot be.
/// </summary>
public sealed class CloudEmulator : IAsyncLifetime
{
    /// <summary>Address of the blob service; ends in '/'.</summary>
    public const string Blobs = "https://devstoreaccount1.blob.core.windows.net/";

    /// <summary>Address of the queue service; ends in '/'.</summary>
    public const string Queues = "https://devstoreaccount1.queue.core.windows.net/";

    readonly string? missing = Azurite.Missing(Repository.Root);
    readonly TempFolder folder = new();
    readonly X509Certificate2 certificate = NewCertificate();
    readonly Lazy<Task<Azurite>> blobs, queues;
    int containers;

    public CloudEmulator()
    {
        blobs = new(() => StartAsync("blob"));
        queues = new(() => StartAsync("queue"));
    }

    public ValueTask InitializeAsync()
    {
        var (chain, key) = (CertificateFile, KeyFile);
        File.WriteAllText(chain, certificate.ExportCertificatePem());
        using var secret = certificate.GetECDsaPrivateKey()!;
        File.WriteAllText(key, secret.ExportPkcs8PrivateKeyPem());
        return ValueTask.CompletedTask;
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var started in new[] { blobs, queues }.Where(s => s.IsValueCreated))
            await (await started.Value).DisposeAsync();
        certificate.Dispose();
        folder.Dispose();
    }

    /// <summary>A new container, as a location that users would give.</summary>
    public async Task<BlobLocation> NewContainerAsync()
    {
        var name = string.Create(CultureInfo.InvariantCulture, $"test-{Interlocked.Increment(ref containers)}");
        var location = (BlobLocation)RegistryLocation.Parse(Blobs + name);
        await location.Connect(await BlobOptionsAsync(), new TestCredential()).CreateAsync();
        return location;
    }

    /// <summary>A new queue.</summary>
    public async Task<QueueLocation> NewQueueAsync()
    {
        var name = string.Create(CultureInfo.InvariantCulture, $"test-{Interlocked.Increment(ref containers)}");
        var location = QueueLocation.Parse(Queues + name);
        await location.Connect(await QueueOptionsAsync(), new TestCredential()).CreateAsync();
        return location;
    }

    /// <summary>The product's options, with this test's way to the blob service and no long pauses.</summary>
    /// <param name="trusted">Whether the certificate is.</param>
    public async Task<BlobClientOptions> BlobOptionsAsync(bool trusted = true)
    {
        var options = BlobService.Options();
        Shorten(options, Transport(await RequireAsync(blobs), trusted));
        return options;
    }

    /// <summary>The same for the queue service.</summary>
    public async Task<QueueClientOptions> QueueOptionsAsync()
    {
        var options = QueueLocation.Options();
        Shorten(options, Transport(await RequireAsync(queues), trusted: true));
        return options;
    }

    string CertificateFile => Path.Combine(folder.Path, "certificate.pem");

    string KeyFile => Path.Combine(folder.Path, "key.pem");

    static void Shorten(ClientOptions options, HttpPipelineTransport transport)
    {
        options.Retry.Delay = TimeSpan.FromMilliseconds(1);
        options.Retry.MaxDelay = TimeSpan.FromMilliseconds(10);
        options.Transport = transport;
    }

    Task<Azurite> StartAsync(string service) =>
        Azurite.StartAsync(Repository.Root, service, "--oauth", "basic", "--cert", CertificateFile, "--key", KeyFile);

    Task<Azurite> RequireAsync(Lazy<Task<Azurite>> service)
    {
        Assert.SkipUnless(missing is null, missing ?? "");
        return service.Value;
    }

    /// <summary>Goes to the emulator whatever the address says, and checks its certificate as any other, against one root.</summary>
    HttpClientTransport Transport(Azurite service, bool trusted)
    {
        var handler = new SocketsHttpHandler
        {
            ConnectCallback = async (_, cancellation) =>
            {
                var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
                await socket.ConnectAsync(IPAddress.Loopback, service.Port, cancellation);
                return new NetworkStream(socket, ownsSocket: true);
            },
        };
        if (trusted)
        {
            handler.SslOptions = new SslClientAuthenticationOptions
            {
                CertificateChainPolicy = new X509ChainPolicy
                {
                    TrustMode = X509ChainTrustMode.CustomRootTrust,
                    CustomTrustStore = { certificate },
                    RevocationMode = X509RevocationMode.NoCheck,
                },
            };
        }
        return new(new HttpClient(handler));
    }

    static X509Certificate2 NewCertificate()
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=emulator", key, HashAlgorithmName.SHA256);
        var names = new SubjectAlternativeNameBuilder();
        foreach (var address in new[] { Blobs, Queues })
            names.AddDnsName(new Uri(address).Host);
        request.CertificateExtensions.Add(names.Build());
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(true, false, 0, true));
        return request.CreateSelfSigned(DateTimeOffset.UtcNow.AddHours(-1), DateTimeOffset.UtcNow.AddDays(1));
    }
}
