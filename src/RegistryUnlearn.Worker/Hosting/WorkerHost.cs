using System.Runtime.ExceptionServices;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Console;
using OpenTelemetry.Metrics;
using OpenTelemetry.Trace;
using RegistryUnlearn.Registry;
using RegistryUnlearn.Registry.Azure;
using RegistryUnlearn.Worker.Hosting.Http;
using RegistryUnlearn.Worker.Hosting.Progress;
using RegistryUnlearn.Worker.Hosting.Sources;
using RegistryUnlearn.Worker.Jobs;

namespace RegistryUnlearn.Worker.Hosting;

/// <summary>
/// Puts a worker together and runs it until it is stopped, or, with <see cref="WorkerOptions.Once"/>, has nothing left to do.
/// </summary>
public static class WorkerHost
{
    /// <param name="configuration">For the levels of logging (section <c>Logging</c>).</param>
    /// <param name="hints">A queue that hints at jobs, beside the listing of the registry; null for none.</param>
    /// <param name="configureLogging">More places for log lines, for whoever embeds the worker.</param>
    /// <exception cref="RegistryException">The registry could not be read in a run that happens once.</exception>
    public static async Task RunAsync(
        WorkerOptions options, IConfiguration configuration, IObjectStore store, JobOptions jobs, TimeProvider clock,
        HintQueue? hints = null, Action<ILoggingBuilder>? configureLogging = null, CancellationToken stop = default)
    {
        using var host = Build(options, configuration, store, jobs, clock, hints, configureLogging);
        var worker = host.Services.GetServices<IHostedService>().OfType<WorkerService>().Single();
        await host.RunAsync(stop);
        if (worker.Failure is { } failure)
            ExceptionDispatchInfo.Throw(failure);
    }

    /// <summary>The worker, not started.</summary>
    internal static IHost Build(
        WorkerOptions options, IConfiguration configuration, IObjectStore store, JobOptions jobs, TimeProvider clock,
        HintQueue? hints, Action<ILoggingBuilder>? configureLogging)
    {
        if (options.Http is not { } http || options.Once)
        {
            var plain = Host.CreateEmptyApplicationBuilder(new() { ApplicationName = WorkerMetrics.Name, DisableDefaults = true });
            Add(plain, options, configuration, store, jobs, clock, hints, configureLogging);
            return plain.Build();
        }
        var builder = WebApplication.CreateSlimBuilder(
            new WebApplicationOptions { ApplicationName = typeof(WorkerHost).Assembly.GetName().Name });
        builder.Configuration.Sources.Clear();
        builder.Configuration.AddInMemoryCollection();
        Add(builder, options, configuration, store, jobs, clock, hints, configureLogging);
        HttpSetup.Add(builder, http);
        var app = builder.Build();
        HttpPipeline.Use(app);
        return app;
    }

    static void Add(
        IHostApplicationBuilder builder, WorkerOptions options, IConfiguration configuration, IObjectStore store, JobOptions jobs,
        TimeProvider clock, HintQueue? hints, Action<ILoggingBuilder>? configureLogging)
    {
        AddLogging(builder, options, configuration, configureLogging);
        AddTelemetry(builder.Services, options);
        var services = builder.Services;
        services.AddSystemd();
        services.Configure<HostOptions>(o =>
        {
            o.ShutdownTimeout = options.ShutdownTimeout;
            o.ServicesStopConcurrently = true;
        });
        services.AddSingleton(clock).AddSingleton(options).AddSingleton(options.Reconcile).AddSingleton(jobs);
        services.AddSingleton<ReconcileQueue>();
        services.AddSingleton<IObjectStore>(provider =>
            new MeteredStore(store, () => provider.GetRequiredService<WorkerMetrics>().Conflict()));
        services.AddSingleton<JobStore>().AddSingleton<ModelRegistry>().AddSingleton<CommitProtocol>().AddSingleton<JobRunner>();
        services.AddSingleton<JobFeed>().AddSingleton<JobWindow>().AddSingleton<ModelWindow>();
        services.AddSingleton<WorkerMetrics>().AddSingleton<WorkerHealth>();
        services.AddSingleton<JobReconciler>();
        services.AddSingleton(provider => new RegistryListing(
            provider.GetRequiredService<JobStore>(), options.PollInterval, clock, provider.GetRequiredService<ILogger<RegistryListing>>()));
        services.AddSingleton<IJobSource>(provider => provider.GetRequiredService<RegistryListing>());
        if (hints is not null)
            services.AddSingleton<IJobSource>(provider => new QueueSource(
                hints, options.Concurrency, clock, provider.GetRequiredService<ILogger<QueueSource>>()));
        services.AddHostedService<WorkerService>();
    }

    static void AddLogging(
        IHostApplicationBuilder builder, WorkerOptions options, IConfiguration configuration, Action<ILoggingBuilder>? more)
    {
        builder.Logging.ClearProviders();
        builder.Logging.AddConfiguration(configuration.GetSection("Logging"));
        // The chatter of the web server and of storage clients says nothing about jobs.
        builder.Logging.AddFilter("Microsoft", LogLevel.Warning).AddFilter("Azure", LogLevel.Warning).AddFilter("System", LogLevel.Warning)
            .AddFilter("RegistryUnlearn.Worker.Hosting.Http", LogLevel.Warning);
        builder.Logging.AddConsole(console =>
        {
            console.LogToStandardErrorThreshold = LogLevel.Trace;
            console.FormatterName = options.JsonLogs ? ConsoleFormatterNames.Json : ConsoleFormatterNames.Simple;
        });
        // As a service of systemd the host would choose a format by itself, after this.
        builder.Services.PostConfigure<ConsoleLoggerOptions>(console =>
            console.FormatterName = options.JsonLogs ? ConsoleFormatterNames.Json : console.FormatterName);
        builder.Services.Configure<SimpleConsoleFormatterOptions>(Format);
        builder.Services.Configure<JsonConsoleFormatterOptions>(Format);
        builder.Services.Configure<ConsoleFormatterOptions>(Format);
        more?.Invoke(builder.Logging);

        static void Format(ConsoleFormatterOptions format)
        {
            format.IncludeScopes = true;
            format.UseUtcTimestamp = true;
            format.TimestampFormat = "yyyy-MM-dd'T'HH:mm:ss.fff'Z' ";
            if (format is SimpleConsoleFormatterOptions simple)
                simple.SingleLine = true;
        }
    }

    /// <summary>Nothing is sent anywhere unless an address is configured.</summary>
    static void AddTelemetry(IServiceCollection services, WorkerOptions options)
    {
        if (options.Telemetry is not { } collector)
            return;
        services.AddOpenTelemetry()
            .WithMetrics(m => m.AddMeter(WorkerMetrics.Name, "Microsoft.AspNetCore.Hosting").AddOtlpExporter(o => o.Endpoint = collector))
            .WithTracing(t => t.AddSource(WorkerMetrics.Name).AddOtlpExporter(o => o.Endpoint = collector));
    }
}
