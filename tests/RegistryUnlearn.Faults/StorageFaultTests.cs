using System.Collections.Concurrent;
using RegistryUnlearn.Registry;
using RegistryUnlearn.Registry.Azure.Tests.Http;
using RegistryUnlearn.Worker.Hosting;

namespace RegistryUnlearn.Faults;

/// <summary>
/// Every request of a job, from its submission to the end of its lease, meets every kind of fault between the worker and the blob service.
/// The job ends in one version with the bytes of an unbroken run. An even sample in a short form; all of it with
/// <c>REGISTRY_UNLEARN_FAULT_RUNS=200</c>.
/// </summary>
public sealed class StorageFaultTests(BlobEmulator emulator) : IClassFixture<BlobEmulator>
{
    static readonly HttpFault[] Kinds =
        [HttpFault.ErrorBeforeSend, HttpFault.LostAcknowledgement, HttpFault.TruncatedBody, HttpFault.Throttled];

    static readonly HttpFault[] Delays = [HttpFault.Delay, HttpFault.LateRequest];

    static bool All => Extent.FaultRuns >= 200;

    /// <param name="lasts">Whether the repetitions of the request fail too, so that the worker must look at the job again.</param>
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_request_fails(bool lasts)
    {
        emulator.Require();
        await EachAsync(1, emulator.Requests, Kinds, 16, async (request, fault) =>
        {
            var what = $"{fault} {(lasts ? "of" : "at first of")} request {request}";
            using var site = await emulator.NewSiteAsync();
            var faults = new FaultTransport(a => a.Number == request && (lasts || a.Attempt is 0) ? fault : null);
            var store = site.Connect(faults);
            JobId job;
            try
            {
                job = await site.SubmitAsync(store);
            }
            catch (RegistryException e) when (lasts && e.Kind is RegistryErrorKind.Unavailable)
            {
                job = await site.SubmitAsync(store);
            }
            var worker = site.NewWorker(store);
            if (request % 2 is 0 || await worker.LookAsync(job) is ReconcileResult.Done)
                await worker.FinishAsync(job, what);
            else
                await site.NewWorker(site.Whole).FinishAsync(job, what);
            // The last requests of a run are not always as many: one that did not come could not fail.
            Assert.True(faults.Injected >= 1 || faults.Requests < request, what);
            await site.AssertDoneAsync(job, emulator.Published, what);
        });
    }

    /// <summary>A worker waits for one request past its lease. Another one ends the job meanwhile; then the request goes on.</summary>
    [Fact]
    public async Task A_request_takes_longer_than_the_lease()
    {
        emulator.Require();
        var answers = new ConcurrentBag<string>();
        await EachAsync(1, emulator.Requests - emulator.SubmissionRequests, Delays, 16, async (request, fault) =>
        {
            var what = $"{fault} of request {request}";
            using var site = await emulator.NewSiteAsync();
            var job = await site.SubmitAsync(site.Whole);
            var (waits, goesOn) = (new TaskCompletionSource(), new TaskCompletionSource());
            var faults = new FaultTransport(a =>
            {
                if (a.Number != request)
                    return null;
                waits.TrySetResult();
                return fault;
            })
            {
                Until = goesOn.Task,
            };
            var slow = site.NewWorker(site.Connect(faults));
            var waiting = Task.Run(() => slow.LookAsync(job));
            await waits.Task;
            await site.NewWorker(site.Whole).FinishAsync(job, what);
            goesOn.SetResult();
            var answer = await waiting switch
            {
                ReconcileResult.Done => "done",
                ReconcileResult.RetryAfter { Reason: var reason } => reason,
                var other => $"{what}: {other}",
            };
            answers.Add(answer);
            await site.AssertDoneAsync(job, emulator.Published, what);
        });
        // A client that has waited for too long says that the registry does not answer.
        Assert.Equal(["done", "taken-over"], answers.Distinct().Except(["registry-unavailable"]).Order());
    }

    /// <summary>All requests with all kinds of faults; in a short form some requests, evenly, with the kinds in turn.</summary>
    static Task EachAsync(int first, int last, HttpFault[] kinds, int sample, Func<int, HttpFault, Task> test)
    {
        var count = last - first + 1;
        var chosen = All
            ? Enumerable.Range(first, count).SelectMany(request => kinds.Select(kind => (request, kind)))
            : Enumerable.Range(0, sample).Select(i => (first + i * count / sample, kinds[i % kinds.Length]));
        return Parallel.ForEachAsync(chosen, new ParallelOptions { MaxDegreeOfParallelism = 4 },
            async (row, _) => await test(row.Item1, row.Item2));
    }
}
