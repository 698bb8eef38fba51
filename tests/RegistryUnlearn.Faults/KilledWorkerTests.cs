using System.Globalization;

namespace RegistryUnlearn.Faults;

/// <summary>
/// Workers killed by the operating system, before and after writes to the registry and at any moment of their work. A fresh worker ends
/// each job in one version with the bytes of an unbroken run. Every run in a short form; all writes and 200 runs with
/// <c>REGISTRY_UNLEARN_FAULT_RUNS=200</c>.
/// </summary>
public sealed class KilledWorkerTests(KilledWorkerTests.UnbrokenRun unbroken) : IClassFixture<KilledWorkerTests.UnbrokenRun>
{
    const int Steps = 8;

    static int Runs => Extent.FaultRuns ?? 20;

    [Fact]
    public async Task Killed_at_a_write()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "there is no SIGKILL here");
        // Evenly over all writes, each before and after: the same ones every time.
        var points = Enumerable.Range(1, unbroken.Writes).SelectMany(w => new[] { (w, true), (w, false) }).ToList();
        var chosen = Enumerable.Range(0, Math.Min(Runs, points.Count)).Select(i => points[i * points.Count / Math.Min(Runs, points.Count)]);
        foreach (var (write, before) in chosen)
        {
            using var site = await WorkerSite.CreateAsync();
            var job = await site.SubmitAsync(Steps);
            using (var faulty = site.StartFaulty(before, write))
                Assert.Equal(137, (await faulty.EndAsync()).Code);
            await FinishAsync(site, job, $"killed {(before ? "before" : "after")} write {write}");
        }
    }

    [Fact]
    public async Task Killed_at_any_moment()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "there is no SIGKILL here");
        var random = new Random(7);
        for (var run = 0; run < Math.Max(4, Runs / 4); run++)
        {
            using var site = await WorkerSite.CreateAsync();
            var job = await site.SubmitAsync(Steps);
            var moment = random.NextDouble() * 1.5;
            using (var worker = site.StartWorker())
            {
                await worker.UntilAsync(() => worker.Error.Length > 0);
                await Task.Delay(TimeSpan.FromSeconds(moment), TestContext.Current.CancellationToken);
                worker.Kill();
                await worker.EndAsync();
            }
            await FinishAsync(site, job, string.Create(CultureInfo.InvariantCulture, $"killed {moment:0.000} s after the first line"));
        }
    }

    async Task FinishAsync(WorkerSite site, RegistryUnlearn.Registry.JobId job, string what)
    {
        using var worker = site.StartWorker();
        await site.UntilClosedAsync(job, worker);
        await WorkerSite.StopAsync(worker);
        await site.AssertSoundAsync(job);
        Assert.True(await site.PublishedAsync(2) == unbroken.Published, what);
    }

    public sealed class UnbrokenRun : IAsyncLifetime
    {
        /// <summary>How many writes the job takes.</summary>
        public int Writes { get; private set; }

        public (string Model, string Metrics) Published { get; private set; }

        public async ValueTask InitializeAsync()
        {
            using var site = await WorkerSite.CreateAsync();
            var job = await site.SubmitAsync(Steps);
            using var worker = site.StartFaulty(before: false, int.MaxValue);
            var (code, output, error) = await worker.EndAsync();
            Assert.True(code == 0, error);
            Writes = int.Parse(output, CultureInfo.InvariantCulture);
            Assert.InRange(Writes, 40, 100);
            Published = await site.PublishedAsync(2);
            await site.AssertSoundAsync(job);
            site.AssertTidy();
        }

        public ValueTask DisposeAsync() => ValueTask.CompletedTask;
    }
}
