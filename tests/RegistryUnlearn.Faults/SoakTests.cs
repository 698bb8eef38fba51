using System.Globalization;

namespace RegistryUnlearn.Faults;

/// <summary>
/// Many jobs over three workers: all done once, memory that does not grow, nothing left behind. 300 jobs with
/// <c>REGISTRY_UNLEARN_SOAK_JOBS=300</c>.
/// </summary>
public sealed class SoakTests
{
    const int Workers = 3;

    static int JobCount => int.TryParse(Environment.GetEnvironmentVariable("REGISTRY_UNLEARN_SOAK_JOBS"), CultureInfo.InvariantCulture,
        out var jobs) ? jobs : 24;

    [Fact]
    public async Task Workers_neither_lose_jobs_nor_grow()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "memory is read from /proc");
        using var site = await WorkerSite.CreateAsync();
        var warmUp = Math.Min(30, JobCount / 2);
        var workers = Enumerable.Range(0, Workers).Select(_ => site.StartWorker()).ToList();
        try
        {
            var jobs = new List<Registry.JobId>();
            for (var seed = 1; seed <= JobCount; seed++)
            {
                jobs.Add(await site.SubmitAsync(steps: 6, seed));
                if (seed == warmUp)
                    await UntilClosedAsync(site, jobs, workers[0]);
            }
            // The first measure is taken when every worker has worked: those that have not yet would grow by their first job.
            await UntilClosedAsync(site, jobs, workers[0]);
            var before = workers.Select(w => w.ResidentBytes).ToList();
            for (var seed = JobCount + 1; seed <= 2 * JobCount - warmUp; seed++)
                jobs.Add(await site.SubmitAsync(steps: 6, seed));
            await UntilClosedAsync(site, jobs, workers[0]);
            var after = workers.Select(w => w.ResidentBytes).ToList();
            foreach (var worker in workers)
                await WorkerSite.StopAsync(worker);
            await site.AssertSoundAsync([.. jobs]);
            site.AssertTidy();
            Assert.All(before.Zip(after), pair => Assert.InRange((double)pair.Second / pair.First, 0, 1.5));
        }
        finally
        {
            workers.ForEach(w => w.Dispose());
        }
    }

    static async Task UntilClosedAsync(WorkerSite site, List<Registry.JobId> jobs, RealProcess worker)
    {
        foreach (var job in jobs)
            await site.UntilClosedAsync(job, worker);
    }
}
