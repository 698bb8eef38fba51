using RegistryUnlearn.Registry;
using RegistryUnlearn.Worker.Hosting.Progress;
using RegistryUnlearn.Worker.Jobs;

namespace RegistryUnlearn.Worker.Hosting.Http;

/// <summary>How a job stands.</summary>
public sealed record JobSummary(
    string Job, string Status, string? Stage, int Attempt, DateTimeOffset Submitted, DateTimeOffset Updated, DateTimeOffset? Finished,
    DateTimeOffset? NotBefore, string? Result, JobError? Error)
{
    public static JobSummary Of(JobState state) => new(
        state.JobId.ToString(), Word(state.Status), state.Stage, state.Attempt, state.Submitted, state.Updated, state.Finished,
        state.NotBefore, state.Result is { } result ? $"{result.Model}@{result.Version}" : null, state.Error);

    static string Word(JobStatus status) => status.ToString().ToLowerInvariant();
}

/// <summary>What a job was asked, without whom it is about.</summary>
/// <param name="ForgetCount">How many samples are to be forgotten, beside those of whole groups.</param>
/// <param name="ForgetGroups">How many groups are to be forgotten.</param>
public sealed record RequestSummary(string Model, string Method, int ForgetCount, int ForgetGroups, string ParentPolicy, string? Alias, ulong Seed)
{
    internal static RequestSummary Of(StoredRequest stored)
    {
        var request = stored.Request;
        return new(request.Model.ToString(), request.Method.Method.Name, request.Forget.Count, request.ForgetGroups.Count,
            request.ParentPolicy.ToString().ToLowerInvariant(), request.Alias?.ToString(), request.Seed);
    }
}

/// <summary>How far the present run of a job's worker has come.</summary>
public sealed record StepView(string Method, int Step, int Steps);

/// <summary>A job in a list, with what was asked, and its progress while it runs.</summary>
/// <param name="Damage">Why nothing more is known of the job; null when it is.</param>
public sealed record JobRow(JobSummary? Job, RequestSummary? Request = null, StepView? Progress = null, string? Damage = null);

/// <summary>A job as its page shows it.</summary>
public sealed record JobView(JobSummary Job, RequestSummary? Request, JobProgressDocument? Progress);
