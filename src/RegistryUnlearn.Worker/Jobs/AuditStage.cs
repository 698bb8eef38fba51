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
    public static async Task<JobAudit> AuditAsync(
        UnlearningRequest request, FetchedJob fetched, PreparedJob job, MethodRun run, RunDriver driver)
    {
        var before = ModelMeasurement.Of("do nothing", job, job.Task.Original);
        var after = ModelMeasurement.Of(request.Method.Method.Name, job, run.Result);
        var comparisons = new List<AuditedModel>();
        foreach (var (i, choice) in request.Audit.Compare.Index())
            comparisons.Add(new AuditedModel(choice.Method.Name, await CompareAsync($"compare-{i}", choice, job, driver)));
        var result = Auditor.Audit(
            new AuditedModel("do nothing", before), new AuditedModel(request.Method.Method.Name, after), comparisons,
            fetched.Oracles, request.Audit.Gates, new AuditOptions(request.Seed));
        return new(result, before, after, fetched.Oracles, [.. run.Traces.Select(Record)], run.Notes);
    }

    static async Task<ModelSummary> CompareAsync(string name, MethodChoice choice, PreparedJob job, RunDriver driver)
    {
        using var run = choice.Method.Start(job.Task, choice.Options);
        await driver.FinishAsync(name, choice.Method.Name, run);
        return ModelMeasurement.Of(choice.Method.Name, job, run.Result);
    }

    static StepRecord Record(StepTrace trace, int step) =>
        new(step + 1, trace.RememberLoss, trace.ForgetLoss, trace.Cosine,
            trace.Fired is { } fired ? fired > 0 : null, trace.KeptForgetNorm);
}
