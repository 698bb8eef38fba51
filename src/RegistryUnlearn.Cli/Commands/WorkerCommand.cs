using System.CommandLine;
using System.Globalization;
using System.Security.Cryptography;
using Microsoft.Extensions.Configuration;
using RegistryUnlearn.Worker;
using RegistryUnlearn.Worker.Hosting;
using RegistryUnlearn.Worker.Hosting.Settings;

namespace RegistryUnlearn.Cli.Commands;

static class WorkerCommand
{
    public static Command Create(CommandHost host)
    {
        var registry = RegistryOptions.Registry();
        registry.Required = false;
        var queue = QueueOptions.Queue();
        var once = new Option<bool>("--once") { Description = "Carry out what waits now, then end; without page and webhook." };
        var concurrency = new Option<int?>("--concurrency") { Description = "Jobs at a time. Default: 1.", HelpName = "n" };
        var http = new Option<string?>("--http")
        {
            Description = "Where page, webhook and health checks are served, or 'none'. Default: http://127.0.0.1:8080.",
            HelpName = "url",
        };
        var settings = new Option<string?>("--settings")
        {
            Description = "File with settings, section Worker. Default: appsettings.json of the working folder, if there is one.",
            HelpName = "appsettings.json",
        };
        var key = RegistryOptions.Key();
        var signing = SigningOptions.Key();
        var command = new Command("worker", "Carry out the requests of a registry as they come, beside other workers, until it is stopped.")
        {
            registry, queue, once, concurrency, http, settings, key, signing, CommonOptions.Device,
        };
        return host.RunAsync(command, async (parsed, cancellation) =>
        {
            var given = new Dictionary<string, string?>
            {
                ["Registry"] = parsed.GetValue(registry),
                ["Queue"] = parsed.GetValue(queue),
                ["Once"] = parsed.GetValue(once) ? "true" : null,
                ["Concurrency"] = parsed.GetValue(concurrency)?.ToString(CultureInfo.InvariantCulture),
                ["Http:Url"] = parsed.GetValue(http),
            };
            var configuration = Configuration(parsed.GetValue(settings), given);
            var options = WorkerSettings.Read(configuration, NewName());
            using var signingKey = SigningOptions.Open(parsed.GetValue(signing));
            var jobs = RegistryOptions.Jobs(parsed.GetValue(key), options.CheckpointInterval.TotalSeconds) with { SigningKey = signingKey };
            if (options.WorkFolder is { } folder)
                jobs = jobs with { WorkFolder = folder };
            await WorkerHost.RunAsync(options, configuration, RegistryOptions.Open(options.Registry), jobs, host.Clock,
                QueueOptions.Open(options.Queue), stop: cancellation);
            return new Answer(new { worker = options.Name, stopped = true }, _ => { });
        });
    }

    /// <summary>Tells this process from every other that works on the same registry, before and after a restart too.</summary>
    static string NewName() => string.Create(CultureInfo.InvariantCulture,
        $"{Environment.MachineName}-{Environment.ProcessId}-{RandomNumberGenerator.GetHexString(8, lowercase: true)}");

    /// <exception cref="InputException">The file of settings is not there, or is not JSON.</exception>
    static IConfigurationRoot Configuration(string? file, IReadOnlyDictionary<string, string?> given)
    {
        var builder = new ConfigurationBuilder();
        var path = Path.GetFullPath(file ?? "appsettings.json");
        builder.AddJsonFile(path, optional: file is null, reloadOnChange: false);
        builder.AddEnvironmentVariables(WorkerSettings.EnvironmentPrefix);
        builder.AddInMemoryCollection(given.Where(g => g.Value is not null)
            .Select(g => KeyValuePair.Create($"{WorkerSettings.Section}:{g.Key}", g.Value)));
        try
        {
            return builder.Build();
        }
        catch (Exception e) when (e is FileNotFoundException or InvalidDataException or UnauthorizedAccessException)
        {
            throw new InputException(path,
                e is FileNotFoundException ? "there is no such file; give settings as JSON with --settings"
                    : $"the settings cannot be read ({e.InnerException?.Message ?? e.Message}); correct the JSON", e);
        }
    }
}
