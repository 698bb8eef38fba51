using System.Globalization;
using RegistryUnlearn.Unlearning.Methods;

namespace RegistryUnlearn.Worker.Jobs;

/// <summary>When a job's work ends early.</summary>
/// <param name="Stop">Save how far the job came, then end.</param>
/// <param name="Abandon">End at once and write no more of the work: the job is another worker's.</param>
sealed record JobStop(CancellationToken Stop, CancellationToken Abandon) : IDisposable
{
    readonly CancellationTokenSource either = CancellationTokenSource.CreateLinkedTokenSource(Stop, Abandon);

    /// <summary>For work with nothing to save.</summary>
    public CancellationToken Either => either.Token;

    public void Dispose() => either.Dispose();
}

/// <summary>Takes runs of methods from where they were saved to their ends.</summary>
sealed class RunDriver(Checkpoints checkpoints, IJobProgress progress, JobStop ends)
{
    /// <param name="name">Distinguishes the runs of a job.</param>
    /// <param name="method">What progress calls the run.</param>
    /// <exception cref="OperationCanceledException">Stopped, after a checkpoint, or abandoned.</exception>
    /// <exception cref="JobTakenOverException">Another worker has the job.</exception>
    public async Task FinishAsync(string name, string method, MethodRun run)
    {
        if (await checkpoints.RestoreAsync(name, run, ends.Either) is > 0 and var step)
            progress.Note(string.Create(CultureInfo.InvariantCulture, $"Goes on from the checkpoint at step {step} of {run.Steps}"));
        while (!run.IsDone)
        {
            ends.Abandon.ThrowIfCancellationRequested();
            if (ends.Stop.IsCancellationRequested)
            {
                await checkpoints.SaveAsync(name, run, ends.Abandon);
                progress.Saved(run.Step);
                ends.Stop.ThrowIfCancellationRequested();
            }
            run.Advance();
            progress.Step(method, run.Step, run.Steps, run.Traces[^1]);
            if (await checkpoints.SaveIfDueAsync(name, run, ends.Abandon))
                progress.Saved(run.Step);
        }
        await checkpoints.SaveIfStaleAsync(name, run, ends.Abandon);
    }
}
