using System.Collections.Concurrent;
using System.Diagnostics.Metrics;
using System.Net;
using System.Net.Sockets;
using System.Text;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Logging;
using RegistryUnlearn.Registry;
using RegistryUnlearn.Worker.Hosting;

namespace RegistryUnlearn.Worker.Tests.Hosting;

/// <summary>What operators watch: every metric that the documentation names, and its way to a collector.</summary>
public sealed class TelemetryTests
{
    static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Every_documented_metric_is_measured()
    {
        var seen = new ConcurrentDictionary<string, double>();
        var results = new ConcurrentBag<string>();
        using var listener = new MeterListener
        {
            InstrumentPublished = (instrument, l) =>
            {
                if (instrument.Meter.Name == WorkerMetrics.Name)
                    l.EnableMeasurementEvents(instrument);
            },
        };
        listener.SetMeasurementEventCallback<long>((instrument, value, tags, _) => Record(instrument, value, tags));
        listener.SetMeasurementEventCallback<int>((instrument, value, tags, _) => Record(instrument, value, tags));
        listener.SetMeasurementEventCallback<double>((instrument, value, tags, _) => Record(instrument, value, tags));
        listener.Start();

        using var lab = await WorkerLab.CreateAsync(TimeProvider.System);
        var queue = new ReconcileQueue(TimeProvider.System);
        await lab.SubmitAsync();
        await RunOnceAsync(lab);
        using (queue)
        using (var metrics = new WorkerMetrics(queue, new(lab.Jobs, TimeProvider.System)))
        {
            queue.Add(JobId.From(Digest.Of("x"u8)));
            metrics.LeaseLost();
            metrics.Conflict();
            listener.RecordObservableInstruments();
        }

        var documented = File.ReadAllLines(Path.Combine(Repository.Root, "docs", "worker.md")).Where(l => l.StartsWith("| `registry_unlearn."))
            .SelectMany(Names).ToList();
        Assert.Equal(9, documented.Count);
        Assert.Equal(documented.Order(), seen.Keys.Order());
        Assert.Contains("result=done reason=done", results);
        Assert.InRange(seen["registry_unlearn.reconcile.duration"], double.Epsilon, 600);

        void Record(Instrument instrument, double value, ReadOnlySpan<KeyValuePair<string, object?>> tags)
        {
            seen.AddOrUpdate(instrument.Name, value, (_, before) => Math.Max(before, value));
            if (instrument.Name == "registry_unlearn.reconcile")
                results.Add(string.Join(' ', tags.ToArray().Select(t => $"{t.Key}={t.Value}")));
        }

        // A line such as | `a.b`, `….c` | names a.b and, after the last dot of that or behind it, c.
        static IEnumerable<string> Names(string line)
        {
            var names = line.Split('|')[1].Split('`').Where((_, i) => i % 2 == 1).ToList();
            yield return names[0];
            foreach (var more in names.Skip(1))
                yield return more.EndsWith("duration") ? names[0] + more[1..] : names[0][..names[0].LastIndexOf('.')] + more[1..];
        }
    }

    [Fact]
    public async Task Metrics_and_traces_reach_a_collector()
    {
        var port = FreePort();
        var received = new ConcurrentDictionary<string, string>();
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.ConfigureKestrel(k => k.Listen(IPAddress.Loopback, port, l => l.Protocols = HttpProtocols.Http2));
        await using var collector = builder.Build();
        collector.MapPost("{*path}", async context =>
        {
            using var body = new MemoryStream();
            await context.Request.Body.CopyToAsync(body);
            received.AddOrUpdate(context.Request.Path, Text(body), (_, before) => before + Text(body));
            context.Response.ContentType = "application/grpc";
            // A message of no bytes, uncompressed.
            await context.Response.Body.WriteAsync(new byte[5]);
            context.Response.AppendTrailer("grpc-status", "0");
        });
        await collector.StartAsync(Stop);
        using var lab = await WorkerLab.CreateAsync(TimeProvider.System);
        var job = await lab.SubmitAsync();
        await RunOnceAsync(lab, new Uri($"http://127.0.0.1:{port}"));
        var metrics = received["/opentelemetry.proto.collector.metrics.v1.MetricsService/Export"];
        var traces = received["/opentelemetry.proto.collector.trace.v1.TraceService/Export"];
        foreach (var name in new[] { "registry_unlearn.reconcile", "registry_unlearn.steps", "registry_unlearn.worker.active" })
            Assert.Contains(name, metrics);
        Assert.Contains("reconcile", traces);
        Assert.Contains(job.ToString(), traces);
        Assert.DoesNotContain("train-3", metrics + traces);

        static string Text(MemoryStream body) => Encoding.Latin1.GetString(body.ToArray());
    }

    static Task RunOnceAsync(WorkerLab lab, Uri? telemetry = null) => WorkerHost.RunAsync(
        new() { Name = "w", Registry = "memory", Once = true, Telemetry = telemetry, Reconcile = new() { Worker = "w" } },
        new ConfigurationBuilder().Build(), lab.Store, lab.JobOptions, lab.Clock,
        configureLogging: logging => logging.ClearProviders(), stop: Stop);

    static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }
}
