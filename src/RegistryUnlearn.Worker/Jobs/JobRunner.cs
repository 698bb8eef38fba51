using System.Text.Json;
using Microsoft.ML.OnnxRuntime;
using RegistryUnlearn.Auditing;
using RegistryUnlearn.Onnx.Models;
using RegistryUnlearn.Registry;
using RegistryUnlearn.Unlearning.Data;
using RegistryUnlearn.Unlearning.Methods;
using RegistryUnlearn.Worker.Requests;

namespace RegistryUnlearn.Worker.Jobs;

/// <summary>
/// Carries out jobs: fetch, prepare, unlearn, audit, publish. A job that was interrupted anywhere is taken up where it stood and ends in
/// the same bytes; a job that is done is not done again.
/// </summary>
public sealed class JobRunner(IObjectStore store, TimeProvider clock, JobOptions options)
{
    readonly JobStore jobs = new(store, clock);
    readonly CommitProtocol commit = new(store, new JobStore(store, clock), clock);

    /// <summary>Stores a request as a job, or finds the job that the same request made before.</summary>
    /// <param name="source">Where the request comes from, for messages.</param>
    /// <exception cref="InputException">The request is not well-formed.</exception>
    /// <exception cref="RegistryException">There is no such model, version or alias.</exception>
    public async Task<JobId> SubmitAsync(string json, string source, CancellationToken cancellation = default)
    {
        var request = RequestReader.Read(json, source);
        ResolvedVersion parent;
        try
        {
            parent = await new ModelRegistry(store).ResolveAsync(request.Model, cancellation);
        }
        catch (RegistryException e) when (e.Kind is RegistryErrorKind.Withdrawn)
        {
            // The version is gone because it was unlearned: by this very request, perhaps.
            if (await FindEarlierAsync(json, cancellation) is { } earlier)
                return earlier;
            throw;
        }
        return (await jobs.SubmitAsync(parent.Digest, json, cancellation)).State.JobId;
    }

    /// <summary>Brings a job to its end, whatever state it is in.</summary>
    /// <exception cref="GateFailedException">The audit failed.</exception>
    /// <exception cref="JobCancelledException">The job was cancelled, before or while it was worked on.</exception>
    public async Task<JobOutcome> RunAsync(JobId job, IJobProgress progress, CancellationToken cancellation = default)
    {
        if (await FinishOrStartAsync(job, cancellation) is { } outcome)
            return outcome;
        using var work = WorkFolder.Open(options.WorkFolder, job.ToString());
        try
        {
            return await CarryOutAsync(job, work.Path, progress, cancellation);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // The registry's own refusals are RegistryExceptions: this one is about the local copies.
            throw new InputException(work.Path,
                $"local copies cannot be kept here ({e.Message.TrimEnd('.')}); "
                + "free space, or name another folder by TMPDIR, and run the job again", e);
        }
        catch (JobCancelledException)
        {
            // What this worker stored after the job had been tidied up.
            await commit.FinishCancelledAsync(job, CancellationToken.None);
            throw;
        }
        catch (Exception e) when (e is not OperationCanceledException && !IsTransient(e))
        {
            await RecordFailureAsync(job, e);
            throw;
        }
    }

    /// <summary>
    /// Says nothing about the job: once the disk has room or the store answers, the same call goes on from the last checkpoint.
    /// </summary>
    static bool IsTransient(Exception e) =>
        e is RegistryException { Kind: RegistryErrorKind.Full or RegistryErrorKind.Denied or RegistryErrorKind.Unavailable };

    async Task RecordFailureAsync(JobId job, Exception e)
    {
        try
        {
            await commit.FailAsync(job, new JobError(Reason(e), e.Message), CancellationToken.None);
        }
        catch (RegistryException)
        {
            // The registry cannot be written; what went wrong first says more, and the job can be run again as it is.
        }
    }

    async Task<JobOutcome> CarryOutAsync(JobId job, string folder, IJobProgress progress, CancellationToken cancellation)
    {
        var (request, parentDigest) = await ReadRequestAsync(job, cancellation);
        progress.Stage("fetch");
        var parent = await new ModelRegistry(store).ResolveAsync(request.Model, cancellation);
        if (parent.Digest != parentDigest)
            throw new RegistryException(RegistryErrorKind.Conflict, request.Model.ToString(),
                "the reference points to another version than when the job was submitted. Submit the request again.");
        var fetched = await FetchedJob.FetchAsync(store, request, parent, folder, cancellation);

        try
        {
            return await CarryOutAsync(job, request, fetched, folder, progress, cancellation);
        }
        catch (OnnxRuntimeException e)
        {
            throw new OnnxModelException($"{fetched.ModelFolder}/model.onnx: ONNX Runtime cannot run it: {e.Message}", e);
        }
        catch (OnnxModelException e)
        {
            // Messages name the place in the registry, not that of the copy.
            var copy = Path.GetDirectoryName(fetched.ModelPath)!;
            throw new OnnxModelException(
                e.Message.Contains(copy)
                    ? e.Message.Replace(copy, fetched.ModelFolder)
                    : $"{fetched.ModelFolder}/model.onnx: {e.Message}", e);
        }
    }

    async Task<JobOutcome> CarryOutAsync(
        JobId job, UnlearningRequest request, FetchedJob fetched, string folder, IJobProgress progress, CancellationToken cancellation)
    {
        progress.Stage("prepare");
        using var prepared = PreparedJob.Prepare(request, fetched);
        var task = prepared.Task;
        progress.Note(FormattableString.Invariant(
            $"{prepared.Model.Selection.Trainable.Count} trainable tensors, {task.Original.Layout.Sum(p => p.Count):N0} parameters; ")
            + $"{task.Forget!.Count} samples to forget, {task.Retained.Count} of {prepared.RetainedAll.Count} retained samples in use");

        progress.Stage("unlearn");
        using var run = request.Method.Method.Start(prepared.Task, request.Method.Options);
        var watch = new JobWatch(jobs, job, clock);
        var checkpoints = new Checkpoints(jobs, job, watch, clock, options.CheckpointInterval);
        if (await checkpoints.RestoreAsync(run, cancellation) is > 0 and var step)
            progress.Note($"Goes on from the checkpoint at step {step} of {run.Steps}");
        await AdvanceAsync(run, request.Method.Method.Name, progress, checkpoints, cancellation);
        foreach (var note in run.Notes)
            progress.Note(note);

        progress.Stage("audit");
        var audit = await AuditStage.AuditAsync(request, fetched, prepared, run, watch, progress, cancellation);
        if (!audit.Result.Passed)
            throw new GateFailedException(job, [.. audit.Result.Gates.Where(g => !g.Passed)], audit.Result);

        progress.Stage("publish");
        var state = (await jobs.ReadAsync(job, cancellation)).State;
        watch.Require(state);
        var key = options.CommitmentKey is { } own ? own.ToArray() : await CommitmentKey.OfAsync(store, cancellation);
        var plan = PublishStage.Plan(request, fetched, prepared, run, audit, state, key, options.SigningKey,
            Path.Combine(folder, "result"));
        try
        {
            return new(job, await commit.PublishAsync(job, plan, cancellation), AlreadyDone: false, audit.Result);
        }
        catch (RegistryException e) when (e.Kind is RegistryErrorKind.Conflict)
        {
            await watch.LookAsync(cancellation);
            throw;
        }
    }

    static async Task AdvanceAsync(
        MethodRun run, string name, IJobProgress progress, Checkpoints checkpoints, CancellationToken cancellation)
    {
        while (!run.IsDone)
        {
            if (cancellation.IsCancellationRequested)
            {
                await checkpoints.SaveAsync(run, CancellationToken.None);
                cancellation.ThrowIfCancellationRequested();
            }
            run.Advance();
            progress.Step(name, run.Step, run.Steps, run.Traces[^1]);
            await checkpoints.SaveIfDueAsync(run, cancellation);
        }
    }

    /// <summary>The end of a job whose version is fixed, with what a killed worker left undone; null when the job has begun anew.</summary>
    async Task<JobOutcome?> FinishOrStartAsync(JobId job, CancellationToken cancellation)
    {
        while (true)
        {
            var current = await jobs.ReadAsync(job, cancellation);
            if (current.State.Status is JobStatus.Committing or JobStatus.Succeeded)
            {
                var result = (await commit.ResumeAsync(job, cancellation))!;
                return new(job, result, AlreadyDone: current.State.Status is JobStatus.Succeeded, null);
            }
            if (current.State.Status is JobStatus.Cancelled)
                throw new JobCancelledException(job);
            if (await jobs.TryUpdateAsync(current, current.State.Started(), cancellation) is not null)
                return null;
        }
    }

    async Task<(UnlearningRequest, Digest)> ReadRequestAsync(JobId job, CancellationToken cancellation)
    {
        using var document = JsonDocument.Parse(await jobs.ReadRequestAsync(job, cancellation));
        var root = document.RootElement;
        var request = RequestReader.Read(root.GetProperty("request").GetRawText(), $"job {job}");
        return (request, Digest.Parse(root.GetProperty("model").GetString()!));
    }

    async Task<JobId?> FindEarlierAsync(string json, CancellationToken cancellation)
    {
        var asked = CanonicalJson.Canonicalize(json);
        await foreach (var job in jobs.ListAsync(cancellation))
        {
            using var document = JsonDocument.Parse(await jobs.ReadRequestAsync(job, cancellation));
            if (CanonicalJson.Canonicalize(document.RootElement.GetProperty("request")).AsSpan().SequenceEqual(asked))
                return job;
        }
        return null;
    }

    /// <summary>The machine-readable reason of a failure.</summary>
    static string Reason(Exception e) => e switch
    {
        GateFailedException => "gate-failed",
        DivergedException => "diverged",
        OnnxModelException => "model",
        DataException or AuditInputException => "data",
        InputException => "request",
        RegistryException { Kind: var kind } => "registry-" + kind.ToString().ToLowerInvariant(),
        _ => "defect",
    };
}
