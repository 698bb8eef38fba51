using RegistryUnlearn.Auditing;
using RegistryUnlearn.Unlearning.Methods;
using RegistryUnlearn.Worker.Requests;

namespace RegistryUnlearn.Worker.Jobs;

/// <summary>What the audit found, with what the report draws.</summary>
sealed record JobAudit(
    AuditResult Result, ModelSummary Before, ModelSummary After,
    IReadOnlyList<OracleRecord> Oracles, IReadOnlyList<StepRecord> Steps, IReadOnlyList<string> Notes);

/// <summary>Measures the model before and after, runs the methods to compare with, and judges the gates.</summary>
static class AuditStage
{
    /// <exception cref="JobCancelledException">The job was cancelled.</exception>
    public static async Task<JobAudit> AuditAsync(
        UnlearningRequest request, FetchedJob fetched, PreparedJob job, MethodRun run,
        JobWatch watch, IJobProgress progress, CancellationToken cancellation)
    {
        var before = ModelMeasurement.Of("do nothing", job, job.Task.Original);
        var after = ModelMeasurement.Of(request.Method.Method.Name, job, run.Result);
        var comparisons = new List<AuditedModel>();
        foreach (var choice in request.Audit.Compare)
            comparisons.Add(new AuditedModel(choice.Method.Name, await CompareAsync(choice, job, watch, progress, cancellation)));
        var result = Auditor.Audit(
            new AuditedModel("do nothing", before), new AuditedModel(request.Method.Method.Name, after), comparisons,
            fetched.Oracles, request.Audit.Gates, new AuditOptions(request.Seed));
        return new(result, before, after, fetched.Oracles, [.. run.Traces.Select(Record)], run.Notes);
    }

    static async Task<ModelSummary> CompareAsync(
        MethodChoice choice, PreparedJob job, JobWatch watch, IJobProgress progress, CancellationToken cancellation)
    {
        using var run = choice.Method.Start(job.Task, choice.Options);
        while (!run.IsDone)
        {
            cancellation.ThrowIfCancellationRequested();
            await watch.LookIfDueAsync(cancellation);
            run.Advance();
            progress.Step(choice.Method.Name, run.Step, run.Steps, run.Traces[^1]);
        }
        return ModelMeasurement.Of(choice.Method.Name, job, run.Result);
    }

    static StepRecord Record(StepTrace trace, int step) =>
        new(step + 1, trace.RememberLoss, trace.ForgetLoss, trace.Cosine,
            trace.Fired is { } fired ? fired > 0 : null, trace.KeptForgetNorm);
}
