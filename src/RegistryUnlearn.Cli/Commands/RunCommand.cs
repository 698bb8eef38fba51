using System.CommandLine;
using RegistryUnlearn.Auditing;
using RegistryUnlearn.Cli.Output;
using RegistryUnlearn.Lineage;
using RegistryUnlearn.Registry;
using RegistryUnlearn.Registry.Azure;
using RegistryUnlearn.Worker.Jobs;
using RegistryUnlearn.Worker.Requests;

namespace RegistryUnlearn.Cli.Commands;

static class RunCommand
{
    public static Command Create(CommandHost host)
    {
        var request = new Argument<string>("request.json") { Description = "What to forget, from which model, how." };
        var registry = RegistryOptions.Registry();
        var key = RegistryOptions.Key();
        var signing = SigningOptions.Key();
        var interval = RegistryOptions.CheckpointInterval();
        var command = new Command("run", "Carry out an erasure request: a new version of the model stands in the registry when it is done.")
        {
            request, registry, key, signing, interval, CommonOptions.Device,
        };
        return host.RunAsync(command, async (parsed, cancellation) =>
        {
            var path = parsed.GetRequiredValue(request);
            var location = RegistryLocation.Parse(parsed.GetRequiredValue(registry));
            using var signingKey = SigningOptions.Open(parsed.GetValue(signing));
            var jobs = RegistryOptions.Jobs(parsed.GetValue(key), parsed.GetValue(interval)) with { SigningKey = signingKey };
            var runner = new JobRunner(RegistryOptions.Open(location), host.Clock, jobs);
            return await RunAsync(host, runner, path, location, cancellation, signingKey);
        });
    }

    /// <summary>Submits the request and brings its job to an end.</summary>
    /// <param name="signingKey">The runner's, for the answer; null when it signs nothing.</param>
    public static async Task<Answer> RunAsync(
        CommandHost host, JobRunner runner, string requestPath, RegistryLocation registry, CancellationToken cancellation,
        SigningKey? signingKey = null)
    {
        using var progress = host.NewJobProgress();
        var job = await runner.SubmitAsync(await RequestDocument.ReadFileAsync(requestPath, cancellation), requestPath, cancellation);
        progress.Note($"job {job}");
        try
        {
            var outcome = await Task.Run(() => runner.RunAsync(job, progress, cancellation), CancellationToken.None);
            var version = outcome.Result.Folder;
            var document = new RunAnswer(
                job.ToString(), $"{outcome.Result.Model}@{outcome.Result.Version}", outcome.Result.Digest.ToString(),
                outcome.AlreadyDone, registry.Locate(version + "model.onnx"), registry.Locate(version + "report.html"),
                outcome.AlreadyDone ? null : signingKey?.PublicKey.Hint, outcome.Audit?.Rows, outcome.Audit?.Gates);
            return new Answer(document, screen => Print(document, outcome.Audit, screen));
        }
        catch (GateFailedException e)
        {
            var document = new FailedAnswer(job.ToString(), e.Message, e.Audit.Rows, e.Audit.Gates, e.Candidate);
            return new Answer(document, screen => PrintFailed(document, e.Audit, screen), ExitCodes.FailedGate);
        }
        catch (OperationCanceledException)
        {
            var document = new StoppedAnswer(job.ToString(), Stopped: true);
            return new Answer(document, screen => PrintStopped(document, screen), ExitCodes.Cancelled);
        }
    }

    static void PrintStopped(StoppedAnswer answer, TextScreen screen) => screen.Line(
        $"Job {answer.Job} was stopped, nothing was published. Run the same command again: it goes on where it stood.");

    static void Print(RunAnswer answer, AuditResult? audit, TextScreen screen)
    {
        if (answer.AlreadyDone)
            screen.Line($"This request was carried out before (job {answer.Job}); nothing was done.");
        if (audit is not null)
        {
            AuditText.Print(audit, screen);
            screen.Line();
        }
        screen.Line($"New version  {answer.Version}  {answer.Digest}");
        screen.Line($"Model        {answer.Model}");
        screen.Line($"Report       {answer.Report}");
        if (!answer.AlreadyDone)
            screen.Line($"Signed by    {answer.SignedBy ?? "nobody: run takes --signing-key to sign what it publishes"}");
    }

    static void PrintFailed(FailedAnswer answer, AuditResult audit, TextScreen screen)
    {
        AuditText.Print(audit, screen);
        screen.Line();
        screen.Line($"Job {answer.Job}: {answer.Message}.");
        screen.Line($"What was not published can be looked at: registry-unlearn jobs candidate {answer.Job} --out <folder>");
    }

    /// <param name="Version">Reference of the new version.</param>
    /// <param name="Digest">Digest of its manifest.</param>
    /// <param name="AlreadyDone">The same request had been carried out before.</param>
    /// <param name="SignedBy">Hint of the key; null when the version is not signed or was made before.</param>
    sealed record RunAnswer(
        string Job, string Version, string Digest, bool AlreadyDone, string Model, string Report, string? SignedBy,
        IReadOnlyList<AuditRow>? Rows, IReadOnlyList<GateOutcome>? Gates);

    sealed record StoppedAnswer(string Job, bool Stopped);

    /// <param name="Candidate">What was not published, kept as blobs of the job.</param>
    sealed record FailedAnswer(
        string Job, string Message, IReadOnlyList<AuditRow> Rows, IReadOnlyList<GateOutcome> Gates, IReadOnlyList<ManifestFile> Candidate);
}
