using RegistryUnlearn.Registry;

namespace RegistryUnlearn.Faults;

/// <summary>A worker that the operating system puts to sleep past its lease, as when a machine is suspended.</summary>
public sealed class PausedWorkerTests
{
    [Theory]
    [InlineData("unlearn")]
    [InlineData("audit")]
    [InlineData("publish")]
    public async Task Notices_that_another_has_its_job(string stage)
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "there is no SIGSTOP here");
        using var site = await WorkerSite.CreateAsync();
        var job = await site.SubmitAsync(steps: 400);
        using var paused = site.StartWorker();
        Assert.True(await paused.UntilAsync(() => Stage(site, job) == stage), paused.Error);
        paused.Pause();
        var hadJob = !(await site.StateAsync(job)).HasEnded;
        using (var other = site.StartWorker())
        {
            await site.UntilClosedAsync(job, other);
            await WorkerSite.StopAsync(other);
        }
        var published = await site.PublishedAsync(2);
        paused.Continue();
        if (hadJob && stage == "unlearn")
            Assert.True(await paused.UntilAsync(() => paused.Error.Contains("this one has stopped")), paused.Error);
        await WorkerSite.StopAsync(paused);
        Assert.Equal(published, await site.PublishedAsync(2));
        await site.AssertSoundAsync(job);
        site.AssertTidy();
    }

    static string? Stage(WorkerSite site, JobId job) => site.StateAsync(job).GetAwaiter().GetResult().Stage;
}
