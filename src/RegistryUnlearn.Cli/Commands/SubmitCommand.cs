using System.CommandLine;
using RegistryUnlearn.Registry;
using RegistryUnlearn.Worker.Jobs;
using RegistryUnlearn.Worker.Requests;

namespace RegistryUnlearn.Cli.Commands;

static class SubmitCommand
{
    static readonly TimeSpan LookInterval = TimeSpan.FromSeconds(1);

    public static Command Create(CommandHost host)
    {
        var request = new Argument<string>("request.json") { Description = "What to forget, from which model, how." };
        var registry = RegistryOptions.Registry();
        var queue = QueueOptions.Queue();
        var wait = new Option<bool>("--wait") { Description = "Wait until a worker has brought the job to its end." };
        var command = new Command("submit", "Put an erasure request into a registry, for a worker to carry out.")
        {
            request, registry, queue, wait,
        };
        return host.RunAsync(command, async (parsed, cancellation) =>
        {
            var path = parsed.GetRequiredValue(request);
            var store = RegistryOptions.Open(parsed.GetRequiredValue(registry));
            var json = await RequestDocument.ReadFileAsync(path, cancellation);
            var job = await new JobRunner(store, host.Clock, new JobOptions()).SubmitAsync(json, path, cancellation);
            if (QueueOptions.Open(parsed.GetValue(queue)) is { } hints)
                await hints.SendAsync(job, cancellation);
            var jobs = new JobStore(store, host.Clock);
            var state = (await jobs.ReadAsync(job, cancellation)).State;
            if (parsed.GetValue(wait))
                state = await WaitAsync(host, jobs, state, cancellation);
            return new Answer(state, screen => screen.Line(Describe(state)), CodeOf(state));
        });
    }

    static async Task<JobState> WaitAsync(CommandHost host, JobStore jobs, JobState state, CancellationToken cancellation)
    {
        using var progress = host.NewJobProgress();
        progress.Note($"job {state.JobId}");
        string? shown = null;
        while (!state.HasEnded)
        {
            if (state.Stage is { } stage && stage != shown)
                progress.Stage(shown = stage);
            await Task.Delay(LookInterval, host.Clock, cancellation);
            state = (await jobs.ReadAsync(state.JobId, cancellation)).State;
        }
        return state;
    }

    static string Describe(JobState state) => state switch
    {
        { Result: { } result } => $"New version  {result.Model}@{result.Version}  {result.Digest}",
        { Status: JobStatus.Failed, Error: { } error } => $"Job {state.JobId} has failed: {error.Message}",
        { Status: JobStatus.Cancelled } => $"Job {state.JobId} was cancelled.",
        _ => $"Job {state.JobId} is {state.Status.ToString().ToLowerInvariant()}.",
    };

    static int CodeOf(JobState state) => state switch
    {
        { Status: JobStatus.Failed, Error.Reason: "gate-failed" } => ExitCodes.FailedGate,
        { Status: JobStatus.Failed } => ExitCodes.BadInput,
        { Status: JobStatus.Cancelled } => ExitCodes.JobCancelled,
        _ => ExitCodes.Ok,
    };
}
