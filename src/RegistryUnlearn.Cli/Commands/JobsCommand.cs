using System.CommandLine;
using System.Globalization;
using RegistryUnlearn.Registry;

namespace RegistryUnlearn.Cli.Commands;

static class JobsCommand
{
    public static Command Create(CommandHost host) => new("jobs", "Look at the jobs of a registry, stop them, start them again.")
    {
        List(host),
        Show(host),
        Candidate(host),
        End(host, "cancel", "Stop a job: nothing is published. A worker that has it notices within seconds.",
            (commit, job, cancellation) => commit.CancelAsync(job, cancellation),
            job => $"Job {job} is cancelled."),
        End(host, "retry", "Let a failed or cancelled job wait for a worker again, from its beginning.",
            (commit, job, cancellation) => commit.RetryAsync(job, cancellation),
            job => $"Job {job} waits for a worker; its request, run again, starts it at once."),
    };

    /// <summary>A command that changes the state of one job.</summary>
    static Command End(CommandHost host, string name, string description,
        Func<CommitProtocol, JobId, CancellationToken, Task<JobState>> change, Func<JobId, string> said)
    {
        var id = Id();
        var registry = RegistryOptions.Registry();
        return host.RunAsync(new Command(name, description) { id, registry }, async (parsed, cancellation) =>
        {
            var store = RegistryOptions.Open(parsed.GetRequiredValue(registry));
            var commit = new CommitProtocol(store, new JobStore(store, host.Clock), host.Clock);
            var state = await change(commit, JobId.Parse(parsed.GetRequiredValue(id)), cancellation);
            return new Answer(state, screen => screen.Line(said(state.JobId)));
        });
    }

    static Argument<string> Id() => new("job") { Description = "The job's id." };

    static Command List(CommandHost host)
    {
        var registry = RegistryOptions.Registry();
        return host.RunAsync(new Command("list", "All jobs with their state.") { registry }, async (parsed, cancellation) =>
        {
            var jobs = new JobStore(RegistryOptions.Open(parsed.GetRequiredValue(registry)), host.Clock);
            var states = new List<JobState>();
            await foreach (var job in jobs.ListAsync(cancellation))
                states.Add((await jobs.ReadAsync(job, cancellation)).State);
            states.Sort((a, b) => (a.Submitted, a.JobId.ToString()).CompareTo((b.Submitted, b.JobId.ToString())));
            return new Answer(states, screen => screen.Table(["job", "status", "submitted", "result"],
                states.Select(s => (string[])[s.JobId.ToString(), s.Status.ToString(), Time(s.Submitted), Result(s)])));
        });
    }

    static Command Show(CommandHost host)
    {
        var id = Id();
        var registry = RegistryOptions.Registry();
        var command = new Command("show", "One job: its state, its result or why it failed.") { id, registry };
        return host.RunAsync(command, async (parsed, cancellation) =>
        {
            var jobs = new JobStore(RegistryOptions.Open(parsed.GetRequiredValue(registry)), host.Clock);
            var state = (await jobs.ReadAsync(JobId.Parse(parsed.GetRequiredValue(id)), cancellation)).State;
            return new Answer(state, screen => screen.Table(["", ""],
                new (string Name, string? Value)[]
                {
                    ("job", state.JobId.ToString()), ("status", state.Status.ToString()), ("stage", state.Stage),
                    ("attempts", Output.Text.Count(state.Attempt)), ("submitted", Time(state.Submitted)), ("updated", Time(state.Updated)),
                    ("result", Result(state)), ("error", state.Error?.Message),
                }.Where(r => !string.IsNullOrEmpty(r.Value)).Select(r => (string[])[r.Name, r.Value!])));
        });
    }

    static Command Candidate(CommandHost host)
    {
        var id = Id();
        var registry = RegistryOptions.Registry();
        var folder = CommonOptions.File("--out", "folder", "Receives the files; those of the same names are replaced.");
        var command = new Command("candidate", "Copy what a job did not publish because its audit failed: model, metrics and report.")
        {
            id, registry, folder,
        };
        return host.RunAsync(command, async (parsed, cancellation) =>
        {
            var jobs = new JobStore(RegistryOptions.Open(parsed.GetRequiredValue(registry)), host.Clock);
            var state = (await jobs.ReadAsync(JobId.Parse(parsed.GetRequiredValue(id)), cancellation)).State;
            var files = state.Candidate ?? throw new RegistryException(RegistryErrorKind.NotFound, state.JobId.ToString(),
                $"the job is {state.Status} and keeps no candidate. Only a job whose audit failed has one, until it is retried.");
            var target = parsed.GetRequiredValue(folder);
            foreach (var file in files)
                await jobs.BlobsOf(state).DownloadAsync(
                    file.Digest, Path.Combine(target, file.Path.Replace('/', Path.DirectorySeparatorChar)), cancellation);
            return new Answer(files, screen => screen.Table(["file", "sha256"],
                files.Select(f => (string[])[Path.Combine(target, f.Path), f.Digest.Hex])));
        });
    }

    static string Result(JobState state) => state.Result is { } result ? $"{result.Model}@{result.Version}" : state.Error?.Reason ?? "";

    static string Time(DateTimeOffset time) => time.UtcDateTime.ToString("yyyy-MM-dd HH:mm:ss'Z'", CultureInfo.InvariantCulture);
}
