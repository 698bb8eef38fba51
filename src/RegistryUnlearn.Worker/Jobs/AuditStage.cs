using RegistryUnlearn.Auditing;
using RegistryUnlearn.Training.Buffers;
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
    /// <param name="result">What is to be published: the run's result, with the defence that the request asks for.</param>
    public static async Task<JobAudit> AuditAsync(
        UnlearningRequest request, FetchedJob fetched, PreparedJob job, MethodRun run, TensorBlock result, RunDriver driver,
        IReadOnlyList<PooledOutputs> pool)
    {
        var original = ModelMeasurement.Of("do nothing", job, job.Task.Original);
        using var relearn = RelearnMeasurement.Of(job);
        var before = Audited(original, job.Task.Original);
        var unlearned = ModelMeasurement.Of(request.Method.Method.Name, job, result);
        var after = Audited(unlearned, result);
        var comparisons = new List<AuditedModel>();
        foreach (var (i, choice) in request.Audit.Compare.Index())
            comparisons.Add(await CompareAsync($"compare-{i}", choice));
        var options = new AuditOptions(request.Seed);
        IReadOnlyList<OracleRecord> oracles =
        [
            .. fetched.Oracles,
            .. pool.Where(m => m.Kind is PoolKind.Oracle).Select(m => OracleRecord.Of(m.Outputs, (long)m.Seed, lossPoints: null)),
        ];
        var found = Auditor.Audit(before, after, comparisons, oracles, request.Audit.Gates, options,
            pool.Count == 0 ? null : PoolAudit.Of(original, unlearned, pool, options));
        return new(found, before.Summary, after.Summary, oracles, [.. run.Traces.Select(Record)], run.Notes);

        AuditedModel Audited(ModelOutputs outputs, TensorBlock parameters) => new(
            outputs.Name, ModelSummary.Of(outputs), RetrainFreeEstimates.Of(outputs, original, relearn?.Measure(parameters)));

        async Task<AuditedModel> CompareAsync(string name, MethodChoice choice)
        {
            using var other = choice.Method.Start(job.Task, choice.Options);
            await driver.FinishAsync(name, choice.Method.Name, other);
            return Audited(ModelMeasurement.Of(choice.Method.Name, job, other.Result), other.Result);
        }
    }

    static StepRecord Record(StepTrace trace, int step) =>
        new(step + 1, trace.RememberLoss, trace.ForgetLoss, trace.Cosine,
            trace.Fired is { } fired ? fired > 0 : null, trace.KeptForgetNorm);
}
