using RegistryUnlearn.Faults;
using RegistryUnlearn.Registry;
using RegistryUnlearn.Worker.Jobs;

namespace RegistryUnlearn.Cli.Tests.Registry;

/// <summary><c>jobs cancel</c> and <c>jobs retry</c>.</summary>
public sealed class JobCommandTests
{
    [Fact]
    public async Task A_cancelled_job_is_carried_out_only_after_it_is_retried()
    {
        using var folder = await TinyFolder.CreateAsync();
        var runner = new JobRunner(folder.Store, TimeProvider.System, new JobOptions());
        var request = TinyRegistry.Request();
        var job = (await runner.SubmitAsync(request, "request.json", TestContext.Current.CancellationToken)).ToString();

        Assert.Equal((0, $"Job {job} is cancelled.\n"), await SaidAsync("cancel"));
        Assert.Equal((0, $"Job {job} is cancelled.\n"), await SaidAsync("cancel"));
        var refused = await folder.RunAsync(request, "--output", "json");
        Assert.Equal((ExitCodes.JobCancelled, 5), (refused.Code, refused.Json.GetProperty("error").GetProperty("exitCode").GetInt32()));
        Assert.Contains(
            $"{job}: the job was cancelled, nothing was published. To carry it out after all: registry-unlearn jobs retry {job}\n",
            refused.Error);

        Assert.Equal((0, $"Job {job} waits for a worker; its request, run again, starts it at once.\n"), await SaidAsync("retry"));
        Assert.Equal((2, $"{job}: the job is Submitted. Only a failed or cancelled job is retried.\n"), await SaidAsync("retry"));
        Assert.Equal(0, (await folder.RunAsync(request)).Code);
        Assert.Equal((2, $"{job}: it has ended in tiny@2. Retire that version if it is not wanted.\n"), await SaidAsync("cancel"));
        var stop = TestContext.Current.CancellationToken;
        Assert.Equal(["cancelled", "retried", "published"],
            (await new AuditLog(folder.Store).ReadAsync(stop).ToListAsync(stop)).Select(l => l.Entry.Event));

        async Task<(int, string)> SaidAsync(string command)
        {
            var result = await CommandResult.OfAsync("jobs", command, job, "--registry", folder.Path);
            return (result.Code, result.Output + result.Error);
        }
    }
}
