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

    static readonly ParallelOptions Together = new() { MaxDegreeOfParallelism = 4 };

    static int Runs => Extent.FaultRuns ?? 20;

    [Fact]
    public async Task Killed_at_a_write()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "there is no SIGKILL here");
        // Evenly over all writes, each before and after: the same ones every time.
        var points = Enumerable.Range(1, unbroken.Writes).SelectMany(w => new[] { (w, true), (w, false) }).ToList();
        var chosen = Enumerable.Range(0, Math.Min(Runs, points.Count)).Select(i => points[i * points.Count / Math.Min(Runs, points.Count)]);
        // They wait for leases to end, most of the time.
        await Parallel.ForEachAsync(chosen, Together, async (point, _) =>
        {
            var (write, before) = point;
            using var site = await WorkerSite.CreateAsync();
            var job = await site.SubmitAsync(Steps);
            using (var faulty = site.StartFaulty(before, write))
                Assert.Equal(137, (await faulty.EndAsync()).Code);
            await FinishAsync(site, job, $"killed {(before ? "before" : "after")} write {write}");
        });
    }

    [Fact]
    public async Task Killed_at_any_moment()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "there is no SIGKILL here");
        var random = new Random(7);
        var moments = Enumerable.Range(0, Runs / 3).Select(_ => random.NextDouble() * 1.5).ToList();
        await Parallel.ForEachAsync(moments, Together, async (moment, _) =>
        {
            using var site = await WorkerSite.CreateAsync();
            var job = await site.SubmitAsync(Steps);
            using (var worker = site.StartWorker())
            {
                await worker.UntilAsync(() => worker.Error.Length > 0);
                await Task.Delay(TimeSpan.FromSeconds(moment), TestContext.Current.CancellationToken);
                worker.Kill();
                await worker.EndAsync();
            }
            await FinishAsync(site, job, string.Create(CultureInfo.InvariantCulture, $"killed {moment:0.000} s after the first line"));
        });
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
