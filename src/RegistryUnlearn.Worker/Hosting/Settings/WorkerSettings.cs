using Microsoft.Extensions.Configuration;

namespace RegistryUnlearn.Worker.Hosting.Settings;

/// <summary>
/// The settings of a worker: section <c>Worker</c> of appsettings.json, environment variables <c>REGISTRY_UNLEARN_WORKER__*</c>, the
/// command line; the later wins.
/// </summary>
public static class WorkerSettings
{
    public const string Section = "Worker";
    public const string EnvironmentPrefix = "REGISTRY_UNLEARN_";

    const string NoHttp = "none";

    /// <param name="name">This process's own name, used unless one is set.</param>
    /// <exception cref="InputException">Says everything that is wrong.</exception>
    public static WorkerOptions Read(IConfiguration configuration, string name)
    {
        var errors = new List<string>();
        var reader = new SettingsReader(configuration.GetSection(Section), "", errors);
        name = reader.Text("Name") ?? name;
        var defaults = new WorkerOptions
        {
            Name = name,
            Registry = reader.Required("Registry", "where the registry lies, as --registry does"),
            Reconcile = new() { Worker = name },
        };
        var options = defaults with
        {
            Queue = reader.Text("Queue"),
            Once = reader.Flag("Once"),
            Concurrency = reader.Count("Concurrency", defaults.Concurrency, 1, 64),
            PollInterval = reader.Seconds("PollSeconds", defaults.PollInterval, 0.1, 3600),
            CheckpointInterval = reader.Seconds("CheckpointSeconds", defaults.CheckpointInterval, 0, 30),
            ShutdownTimeout = reader.Seconds("ShutdownSeconds", defaults.ShutdownTimeout, 1, 3600),
            WorkFolder = reader.Text("WorkFolder"),
            JsonLogs = reader.Choice("Logs", "text", "json") == "json",
            Telemetry = ReadUrl(reader, "Telemetry", "the address of an OTLP collector, such as http://127.0.0.1:4317"),
            Http = ReadHttp(reader),
            Reconcile = defaults.Reconcile with
            {
                LeaseDuration = reader.Seconds("LeaseSeconds", defaults.Reconcile.LeaseDuration, 1, 3600),
                MaxStrikes = reader.Count("MaxAttempts", defaults.Reconcile.MaxStrikes, 1, 100),
                RetryDelay = reader.Seconds("RetrySeconds", defaults.Reconcile.RetryDelay, 0.1, 3600),
                MaxRetryDelay = reader.Seconds("MaxRetrySeconds", defaults.Reconcile.MaxRetryDelay, 0.1, 86_400),
            },
        };
        reader.RefuseUnknown();
        if (errors.Count > 0)
            throw new InputException("the worker's settings", errors);
        return options;
    }

    static HttpOptions? ReadHttp(SettingsReader worker)
    {
        var reader = worker.Section("Http");
        var url = reader.Text("Url") ?? "http://127.0.0.1:8080";
        var key = ReadKey(reader);
        var authority = ReadUrl(reader, "Authority",
            "the address of the authority, such as https://login.microsoftonline.com/{tenant}/v2.0");
        var audience = reader.Text("Audience");
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
        return new() { Url = address, Key = key, Authority = authority, Audience = audience };
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

    static Uri? ReadUrl(SettingsReader reader, string name, string what)
    {
        if (reader.Text(name) is not { } text)
            return null;
        if (Uri.TryCreate(text, UriKind.Absolute, out var url) && url.Scheme is "http" or "https")
            return url;
        reader.Refuse(name, $"is '{text}'; give {what}");
        return null;
    }
}
