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
            Telemetry = reader.Url("Telemetry", "the address of an OTLP collector, such as http://127.0.0.1:4317"),
            Http = HttpSettings.Read(reader.Section("Http")),
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
}
