namespace RegistryUnlearn.Faults;

/// <summary>
/// Many jobs over three workers: all done once, memory that does not grow, nothing left behind. 300 jobs with
/// <c>REGISTRY_UNLEARN_SOAK_JOBS=300</c>.
/// </summary>
public sealed class SoakTests
{
    const int Workers = 3;

    static int JobCount => Extent.SoakJobs ?? 36;

    [Fact]
    public async Task Workers_neither_lose_jobs_nor_grow()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "memory is read from /proc");
        using var site = await WorkerSite.CreateAsync();
        var warmUp = Math.Min(30, JobCount / 2);
        var workers = Enumerable.Range(0, Workers).Select(_ => site.StartWorker()).ToList();
        try
        {
            foreach (var worker in workers)
                Assert.True(await worker.UntilAsync(() => worker.Error.Contains("at a time")), worker.Error);
            var jobs = new List<Registry.JobId>();
            await CarryOutAsync(site, jobs, warmUp, workers[0]);
            var before = workers.Select(w => w.ResidentBytes).ToList();
            await CarryOutAsync(site, jobs, JobCount, workers[0]);
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

    /// <summary>Submits jobs until there are so many, and waits for all of them.</summary>
    static async Task CarryOutAsync(WorkerSite site, List<Registry.JobId> jobs, int count, RealProcess worker)
    {
        while (jobs.Count < count)
            jobs.Add(await site.SubmitAsync(steps: 6, seed: jobs.Count + 1));
        foreach (var job in jobs)
            await site.UntilClosedAsync(job, worker);
    }
}
