using System.Collections.Concurrent;
using System.Text;
using System.Text.Json.Nodes;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Logging;
using RegistryUnlearn.Faults;
using RegistryUnlearn.Registry;
using RegistryUnlearn.Worker.Hosting;

namespace RegistryUnlearn.Worker.Tests.Hosting;

public sealed class WorkerHostTests
{
    static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Several_workers_share_the_jobs_and_each_is_done_once()
    {
        using var lab = await WorkerLab.CreateAsync(TimeProvider.System);
        var jobs = await SubmitAsync(lab, 6);
        await Task.WhenAll(Enumerable.Range(1, 3).Select(i => RunAsync(lab, $"worker-{i}", concurrency: 2)));
        foreach (var job in jobs)
        {
            var state = await lab.StateAsync(job);
            Assert.Equal((JobStatus.Succeeded, 1, true), (state.Status, state.Attempt, state.Closed));
        }
        var versions = await new ModelRegistry(lab.Store).ListVersionsAsync(ModelName.Parse("tiny"), Stop);
        Assert.Equal([1, 2, 3, 4, 5, 6, 7], versions.Select(v => v.Version));
        Assert.Equal(6, (await new AuditLog(lab.Store).VerifyAsync(Stop)).Lines);
    }

    [Fact]
    public async Task A_damaged_job_does_not_keep_the_others_waiting()
    {
        using var lab = await WorkerLab.CreateAsync(TimeProvider.System);
        var jobs = await SubmitAsync(lab, 2);
        var damaged = $".registry-unlearn/jobs/{jobs[0]}/state.json";
        await lab.Store.DeleteAsync(damaged, Stop);
        await lab.Store.TryCreateAsync(damaged, "{"u8.ToArray(), Stop);
        var log = new LogLines();
        await RunAsync(lab, "worker", log: log);
        Assert.Equal(JobStatus.Succeeded, (await lab.StateAsync(jobs[1])).Status);
        Assert.Contains(log.Lines, line => line.Contains(damaged) && line.Contains($" job={jobs[0]}"));
    }

    [Fact]
    public async Task Every_line_about_a_job_names_it_and_its_attempt_and_none_a_sample()
    {
        using var lab = await WorkerLab.CreateAsync(TimeProvider.System);
        var job = Assert.Single(await SubmitAsync(lab, 1));
        var log = new LogLines();
        await RunAsync(lab, "worker", log: log);
        Assert.Contains(log.Lines, line => line.Contains("Carrying out") && line.Contains($"job={job}") && line.Contains("attempt=1"));
        Assert.Contains(log.Lines, line => line.Contains("Hosting.WorkerService Done"));
        Assert.All(log.Lines.Where(l => !l.Contains(" Worker worker on ")), line => Assert.EndsWith($" job={job} attempt=1", line));
        Assert.DoesNotContain(log.Lines, line => line.Contains("train-3") || line.Contains("train-13"));
    }

    [Fact]
    public async Task A_worker_that_is_stopped_leaves_its_job_free()
    {
        using var lab = await WorkerLab.CreateAsync(TimeProvider.System);
        var request = TinyRegistry.Request(r =>
            r["method"] = JsonNode.Parse("""{ "name": "finetune", "options": { "steps": 100000, "batch": 8 } }"""));
        var job = await lab.SubmitAsync(request);
        using var stopping = CancellationTokenSource.CreateLinkedTokenSource(Stop);
        var running = RunAsync(lab, "worker", once: false, stop: stopping.Token);
        while ((await lab.StateAsync(job)).Checkpoint is null)
            await Task.Delay(5, Stop);
        await stopping.CancelAsync();
        await running;
        var state = await lab.StateAsync(job);
        Assert.Equal((JobStatus.Running, 0), (state.Status, state.Strikes));
        var lease = (await lab.Store.ReadAsync($".registry-unlearn/leases/{job}.json", Stop))!.Content;
        Assert.DoesNotContain("holder", Encoding.UTF8.GetString(lease.Span));
    }

    /// <summary>The worker that ended the job was killed before it gave the lease up.</summary>
    [Fact]
    public async Task A_lease_that_a_dead_worker_left_of_a_closed_job_is_removed()
    {
        using var lab = await WorkerLab.CreateAsync(TimeProvider.System);
        var job = Assert.Single(await SubmitAsync(lab, 1));
        await RunAsync(lab, "worker");
        await new JobLeases(lab.Store, lab.Clock, "dead").TryAcquireAsync(job, TimeSpan.FromMinutes(5), Stop);
        await RunAsync(lab, "other");
        Assert.True((await lab.StateAsync(job)).Closed);
        Assert.Null(await lab.Store.ReadAsync($".registry-unlearn/leases/{job}.json", Stop));
    }

    /// <summary>Requests that differ in their seeds.</summary>
    static async Task<List<JobId>> SubmitAsync(WorkerLab lab, int count)
    {
        var jobs = new List<JobId>();
        for (var i = 0; i < count; i++)
            jobs.Add(await lab.SubmitAsync(TinyRegistry.Request(r => r["seed"] = i + 1)));
        return jobs;
    }

    static Task RunAsync(
        WorkerLab lab, string name, int concurrency = 1, bool once = true, LogLines? log = null, CancellationToken? stop = null) =>
        WorkerHost.RunAsync(
            new()
            {
                Name = name,
                Registry = "memory",
                Once = once,
                Concurrency = concurrency,
                PollInterval = TimeSpan.FromMilliseconds(50),
                Reconcile = new() { Worker = name },
            },
            new ConfigurationBuilder().Build(), lab.Store, lab.JobOptions, lab.Clock,
            configureLogging: logging => logging.ClearProviders().AddProvider(log ?? new LogLines()), stop: stop ?? Stop);

    /// <summary>What a worker logs, one string a line, with its scopes.</summary>
    sealed class LogLines : ILoggerProvider, ISupportExternalScope
    {
        IExternalScopeProvider scopes = new LoggerExternalScopeProvider();

        public ConcurrentQueue<string> Lines { get; } = new();

        public ILogger CreateLogger(string categoryName) => new Logger(this, categoryName);

        public void SetScopeProvider(IExternalScopeProvider scopeProvider) => scopes = scopeProvider;

        public void Dispose()
        {
        }

        sealed class Logger(LogLines log, string category) : ILogger
        {
            public IDisposable? BeginScope<TState>(TState state) where TState : notnull => log.scopes.Push(state);

            public bool IsEnabled(LogLevel logLevel) => true;

            public void Log<TState>(
                LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
            {
                var line = new StringBuilder($"{logLevel} {category} {formatter(state, exception)} {exception}");
                log.scopes.ForEachScope((scope, text) =>
                {
                    foreach (var (name, value) in scope as IEnumerable<KeyValuePair<string, object>> ?? [])
                        text.Append($" {name}={value}");
                }, line);
                log.Lines.Enqueue(line.ToString());
            }
        }
    }
}
