using System.Text.Json;
using Microsoft.ML.OnnxRuntime;
using RegistryUnlearn.Onnx.Models;
using RegistryUnlearn.Registry;
using RegistryUnlearn.Unlearning.Defences;
using RegistryUnlearn.Worker.Oracles;
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

    /// <summary>
    /// Brings a job to its end, whatever state it is in. What would fail again is recorded as the job's end; anything else leaves the job
    /// where it stands, so that the same call goes on from the last checkpoint.
    /// </summary>
    /// <param name="stop">Ends the work after a checkpoint.</param>
    /// <param name="abandon">
    /// Ends the work at once; nothing more of it is written, and what was written after the job had ended elsewhere is removed.
    /// </param>
    /// <exception cref="GateFailedException">The audit failed.</exception>
    /// <exception cref="JobTakenOverException">Another worker began the same job meanwhile.</exception>
    /// <exception cref="JobCancelledException">The job was cancelled, before or while it was worked on.</exception>
    public async Task<JobOutcome> RunAsync(
        JobId job, IJobProgress progress, CancellationToken stop = default, CancellationToken abandon = default)
    {
        using var ends = new JobStop(stop, abandon);
        var state = await FinishOrStartAsync(job, ends.Either);
        if (state.Status is JobStatus.Succeeded)
            return new(job, state.Result!, AlreadyDone: state.Finished is not null, null);
        try
        {
            using var work = WorkFolder.Open(options.WorkFolder, job.ToString());
            return await CarryOutAsync(new(state, work.Path, new JobWatch(jobs, state, clock), progress, ends));
        }
        catch (OperationCanceledException) when (stop.IsCancellationRequested && !abandon.IsCancellationRequested)
        {
            await ChangeOwnAsync(state, s => s.Released());
            throw;
        }
        catch (Exception e) when (e is OperationCanceledException or JobCancelledException or JobTakenOverException)
        {
            await TidyAsync(job);
            throw;
        }
        catch (Exception e) when (JobFailure.IsTerminal(e))
        {
            await FailAsync(job, e);
            throw;
        }
        catch (Exception e)
        {
            await ChangeOwnAsync(state, s => s with { Error = JobFailure.Describe(e) });
            throw;
        }
    }

    /// <summary>
    /// Changes the state while this attempt is the newest; a registry that does not take it is no reason to say less of what went wrong
    /// before.
    /// </summary>
    async Task ChangeOwnAsync(JobState begun, Func<JobState, JobState> change)
    {
        try
        {
            await jobs.ChangeAsync(begun.JobId,
                now => now.Status is JobStatus.Running && now.IsSameAttemptAs(begun) ? change(now) : null, CancellationToken.None);
        }
        catch (RegistryException)
        {
            // The registry cannot be written; the job can be run again as it is.
        }
    }

    /// <summary>Removes what this worker stored after another one had ended the job and tidied up.</summary>
    async Task TidyAsync(JobId job)
    {
        try
        {
            await commit.FinishEndedAsync(job, CancellationToken.None);
        }
        catch (RegistryException)
        {
            // The registry cannot be written; garbage collection finds what is left.
        }
    }

    async Task FailAsync(JobId job, Exception e)
    {
        try
        {
            await commit.FailAsync(job, JobFailure.Describe(e), (e as GateFailedException)?.Candidate, CancellationToken.None);
        }
        catch (RegistryException)
        {
            // The registry cannot be written; what went wrong first says more, and the job can be run again as it is.
        }
    }

    async Task<JobOutcome> CarryOutAsync(JobAttempt attempt)
    {
        try
        {
            var stop = attempt.Ends.Either;
            var (request, parentDigest) = await StoredRequest.ReadAsync(jobs, attempt.State.JobId, stop);
            await attempt.EnterAsync("fetch");
            var parent = await new ModelRegistry(store).ResolveAsync(request.Model, stop);
            if (parent.Digest != parentDigest)
                throw new RegistryException(RegistryErrorKind.Conflict, request.Model.ToString(),
                    "the reference points to another version than when the job was submitted. Submit the request again.");
            return await CarryOutAsync(attempt, request, await FetchedJob.FetchAsync(store, request, parent, attempt.Folder, stop));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // The registry's own refusals are RegistryExceptions: this one is about the local copies.
            throw new LocalCopyException(attempt.Folder,
                $"local copies cannot be kept here ({e.Message.TrimEnd('.')}); "
                + "free space, or name another folder by TMPDIR, and run the job again", e);
        }
    }

    async Task<JobOutcome> CarryOutAsync(JobAttempt attempt, UnlearningRequest request, FetchedJob fetched)
    {
        try
        {
            return await WorkAsync(attempt, request, fetched);
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

    async Task<JobOutcome> WorkAsync(JobAttempt attempt, UnlearningRequest request, FetchedJob fetched)
    {
        var (state, folder, watch, progress, ends) = attempt;
        var job = state.JobId;
        await attempt.EnterAsync("prepare");
        using var prepared = PreparedJob.Prepare(request, fetched);
        var task = prepared.Task;
        progress.Note(FormattableString.Invariant(
            $"{prepared.Model.Selection.Trainable.Count} trainable tensors, {task.Original.Layout.Sum(p => p.Count):N0} parameters; ")
            + $"{task.Forget!.Count} samples to forget, {task.Retained.Count} of {prepared.RetainedAll.Count} retained samples in use");

        await attempt.EnterAsync("unlearn");
        using var run = request.Method.Method.Start(prepared.Task, request.Method.Options);
        var driver = new RunDriver(new Checkpoints(jobs, job, watch, folder, clock, options.CheckpointInterval), progress, ends);
        await driver.FinishAsync("unlearn", request.Method.Method.Name, run);
        foreach (var note in run.Notes)
            progress.Note(note);
        using var defended = request.Defence.IsNone ? null : DifferenceDefence.Apply(task, run.Result, request.Defence);
        var result = defended ?? run.Result;

        await attempt.EnterAsync("audit");
        IReadOnlyList<Auditing.PooledOutputs> pool = request.Audit.Pool is { } id
            ? await PoolMeasurement.MeasureAsync(store, id, request, fetched, prepared, folder, clock, progress, ends.Either) : [];
        var audit = await AuditStage.AuditAsync(request, fetched, prepared, run, result, driver, pool);
        if (!audit.Result.Passed)
        {
            var kept = PublishStage.WriteResult(request, fetched, prepared, result, audit, state, Path.Combine(folder, "candidate"));
            throw new GateFailedException(job, audit.Result, await StoreAsync(jobs.BlobsOf(state), kept, ends.Either));
        }

        await attempt.EnterAsync("publish");
        var key = options.CommitmentKey is { } own ? own.ToArray() : await CommitmentKey.OfAsync(store, ends.Either);
        var plan = PublishStage.Plan(request, fetched, prepared, result, audit, state, key, options.SigningKey,
            Path.Combine(folder, "result"));
        try
        {
            return new(job, await commit.PublishAsync(job, plan, ends.Either), AlreadyDone: false, audit.Result);
        }
        catch (RegistryException e) when (e.Kind is RegistryErrorKind.Conflict)
        {
            await watch.LookAsync(ends.Either);
            throw;
        }
    }

    /// <summary>Stores local files as blobs of a job.</summary>
    static async Task<IReadOnlyList<ManifestFile>> StoreAsync(
        JobBlobs blobs, IReadOnlyList<PublishFile> files, CancellationToken cancellation)
    {
        var stored = new List<ManifestFile>();
        foreach (var file in files)
        {
            var (digest, size) = await blobs.PutFileAsync(file.LocalPath, cancellation);
            stored.Add(new(file.Path, digest, size, file.MediaType, file.Role));
        }
        return stored;
    }

    /// <summary>
    /// The state of a job that has succeeded, with what a killed worker left undone, as it was found apart from its result. Or the state of
    /// the attempt that begins.
    /// </summary>
    async Task<JobState> FinishOrStartAsync(JobId job, CancellationToken cancellation)
    {
        while (true)
        {
            var current = await jobs.ReadAsync(job, cancellation);
            if (current.State.Status is JobStatus.Committing or JobStatus.Succeeded)
            {
                var result = (await commit.ResumeAsync(job, cancellation))!;
                return current.State with { Status = JobStatus.Succeeded, Result = result };
            }
            if (current.State.Status is JobStatus.Cancelled)
                throw new JobCancelledException(job);
            if (await jobs.TryUpdateAsync(current, current.State.Started(), cancellation) is { } started)
                return started.State;
        }
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
}
