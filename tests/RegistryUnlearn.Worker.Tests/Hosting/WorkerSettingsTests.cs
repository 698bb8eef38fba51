using Microsoft.Extensions.Configuration;
using RegistryUnlearn.Conformance;
using RegistryUnlearn.Worker.Hosting;
using RegistryUnlearn.Worker.Hosting.Settings;
using RegistryUnlearn.Worker.Tests.Hosting.Http;

namespace RegistryUnlearn.Worker.Tests.Hosting;

public sealed class WorkerSettingsTests
{
    const string Key = "0123456789abcdef0123456789abcdef";

    static WorkerOptions Read(params (string Name, string Value)[] settings) => WorkerSettings.Read(
        new ConfigurationBuilder().AddInMemoryCollection(settings.Select(s => KeyValuePair.Create($"Worker:{s.Name}", (string?)s.Value)))
            .Build(),
        "me");

    static IReadOnlyList<string> Errors(params (string Name, string Value)[] settings) =>
        Assert.Throws<InputException>(() => Read(settings)).Errors;

    [Fact]
    public void A_registry_is_all_it_takes()
    {
        var options = Read(("Registry", "models"));
        Assert.Equal(("me", "models", null, false, 1), (options.Name, options.Registry, options.Queue, options.Once, options.Concurrency));
        Assert.Equal((10, 10, 60, 30, 5), (options.PollInterval.TotalSeconds, options.CheckpointInterval.TotalSeconds,
            options.ShutdownTimeout.TotalSeconds, options.Reconcile.LeaseDuration.TotalSeconds, options.Reconcile.MaxStrikes));
        Assert.Equal(("http://127.0.0.1:8080/", true, null), (options.Http!.Url.ToString(), options.Http.IsLoopback, options.Http.Key));
        Assert.Null(options.Telemetry);
    }

    [Fact]
    public void Everything_can_be_set()
    {
        using var folder = new TempFolder();
        var (certificate, key) = ServerCertificate.New();
        var options = Read(("Registry", "models"), ("Name", "w7"), ("Concurrency", "4"), ("LeaseSeconds", "2.5"), ("MaxAttempts", "3"),
            ("Once", "true"), ("Http:Url", "https://0.0.0.0:8443"), ("Http:Key", Key), ("Logs", "json"),
            ("Http:Certificate", folder.Write("both.pem", certificate + key)),
            ("Telemetry", "http://collector:4317"), ("Http:Authority", "https://login.example/t"), ("Http:Audience", "api://unlearn"));
        Assert.Equal(("w7", "w7", 4, 2.5, 3), (options.Name, options.Reconcile.Worker, options.Concurrency,
            options.Reconcile.LeaseDuration.TotalSeconds, options.Reconcile.MaxStrikes));
        Assert.Equal((true, true, "http://collector:4317/"), (options.Once, options.JsonLogs, options.Telemetry!.ToString()));
        Assert.Equal((Key, "api://unlearn", false), (options.Http!.Key, options.Http.Audience, options.Http.IsLoopback));
        Assert.Equal(("CN=worker", true), (options.Http.Tls!.Certificate.Subject, options.Http.Tls.Certificate.HasPrivateKey));
    }

    [Fact]
    public void All_errors_are_said_at_once() => Assert.Equal(
        [
            "Registry is missing; give where the registry lies, as --registry does",
            "Once is 'maybe'; give true or false",
            "Concurrency is '0'; give a whole number from 1 to 64",
            "PollSeconds is 'soon'; give seconds from 0.1 to 3600",
            "CheckpointSeconds is '31'; give seconds from 0 to 30",
            "Logs is 'xml'; give one of text, json",
            "Telemetry is 'here'; give the address of an OTLP collector, such as http://127.0.0.1:4317",
            "Http:Key holds 5 characters; give at least 32, such as those of 'openssl rand -hex 32'",
            "Http:Urls is no setting; there are Audience, Authority, Certificate, CertificateKey, Key, KeyFile, Url",
            "Http:Url is 'ftp://x'; give scheme, address and port, such as http://127.0.0.1:8080, or 'none'",
            "LeaseSeconds is '-1'; give seconds from 1 to 3600",
            "Colour is no setting; there are CheckpointSeconds, Concurrency, Http, LeaseSeconds, Logs, MaxAttempts, MaxRetrySeconds, Name, "
                + "Once, PollSeconds, Queue, Registry, RetrySeconds, ShutdownSeconds, Telemetry, WorkFolder",
        ],
        Errors(("Once", "maybe"), ("Concurrency", "0"), ("PollSeconds", "soon"), ("CheckpointSeconds", "31"), ("Logs", "xml"),
            ("Telemetry", "here"), ("Http:Key", "short"), ("Http:Urls", "x"), ("Http:Url", "ftp://x"), ("LeaseSeconds", "-1"),
            ("Colour", "blue")));

    [Theory]
    [InlineData("http://0.0.0.0:8080", null, null, null, "which other machines reach")]
    [InlineData("http://10.0.0.4:8080", null, null, null, "which other machines reach")]
    [InlineData("http://127.0.0.1:8080", null, "http://login.example", "api://a", "Authority is not https")]
    [InlineData("http://127.0.0.1:8080", null, "https://login.example", null, "Audience is missing")]
    [InlineData("http://127.0.0.1:8080/base", null, null, null, "give scheme, address and port")]
    public void Nothing_listens_that_anybody_could_write_to(string url, string? key, string? authority, string? audience, string said)
    {
        var settings = new List<(string, string)> { ("Registry", "r"), ("Http:Url", url) };
        foreach (var (name, value) in new[] { ("Http:Key", key), ("Http:Authority", authority), ("Http:Audience", audience) })
            if (value is not null)
                settings.Add((name, value));
        Assert.Contains(said, Assert.Single(Errors([.. settings])));
    }

    [Fact]
    public void A_key_comes_from_a_file_and_is_never_repeated()
    {
        using var folder = new TempFolder();
        var file = folder.Write("key", Key + "\n");
        Assert.Equal(Key, Read(("Registry", "r"), ("Http:KeyFile", file)).Http!.Key);
        Assert.Contains("are both set", Assert.Single(Errors(("Registry", "r"), ("Http:KeyFile", file), ("Http:Key", Key))));
        Assert.Contains("cannot be read (FileNotFoundException)", Assert.Single(Errors(("Registry", "r"), ("Http:KeyFile", file + "x"))));
        var shortKey = folder.Write("short", "hunter2");
        Assert.DoesNotContain("hunter2", Assert.Single(Errors(("Registry", "r"), ("Http:KeyFile", shortKey))));
    }

    [Fact]
    public void An_address_of_https_needs_a_certificate_with_its_key()
    {
        using var folder = new TempFolder();
        var ((certificate, key), (_, other)) = (ServerCertificate.New(), ServerCertificate.New());
        var (file, keyFile, otherFile) = (folder.Write("server.pem", certificate), folder.Write("key", key), folder.Write("other", other));
        var https = ("Http:Url", "https://127.0.0.1:8443");
        var tls = Read(("Registry", "r"), https, ("Http:Certificate", file), ("Http:CertificateKey", keyFile)).Http!.Tls!;
        Assert.True(tls.Certificate.HasPrivateKey);
        Assert.Empty(tls.Chain);
        var root = folder.Write("chain.pem", certificate + ServerCertificate.New().Certificate);
        Assert.Single(Read(("Registry", "r"), https, ("Http:Certificate", root), ("Http:CertificateKey", keyFile)).Http!.Tls!.Chain);

        Assert.Contains("Http:Certificate is missing", Assert.Single(Errors(("Registry", "r"), https)));
        foreach (var (name, with) in new[] { (file, otherFile), (file, file), (file + "x", keyFile), (keyFile, keyFile) })
        {
            var error = Assert.Single(Errors(("Registry", "r"), https, ("Http:Certificate", name), ("Http:CertificateKey", with)));
            Assert.StartsWith("Http:Certificate cannot be used (", error);
        }
        Assert.Contains("of no use without an address of https", Assert.Single(Errors(("Registry", "r"), ("Http:Certificate", file))));
    }

    [Fact]
    public void None_switches_http_off() => Assert.Null(Read(("Registry", "r"), ("Http:Url", "none")).Http);
}
