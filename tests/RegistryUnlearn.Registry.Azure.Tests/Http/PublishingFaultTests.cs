using System.Diagnostics;
using System.Globalization;
using RegistryUnlearn.Conformance;
using RegistryUnlearn.Registry.Azure.Tests.Emulator;

namespace RegistryUnlearn.Registry.Azure.Tests.Http;

/// <summary>The promises of publishing, with every kind of fault between the client and the service.</summary>
public sealed class PublishingFaultTests(EmulatorFixture emulator) : IDisposable
{
    readonly BlobLocation location = emulator.NewContainer();
    readonly Publication publication = new();
    int stores;

    static CancellationToken Stop => TestContext.Current.CancellationToken;

    public void Dispose() => publication.Dispose();

    /// <param name="fault">What happens.</param>
    /// <param name="every">To every n-th request. Truncation leaves some whole: an answer that breaks off is a new request.</param>
    /// <param name="first">From which one on.</param>
    [Theory]
    [InlineData(HttpFault.ErrorBeforeSend, 1, 0)]
    [InlineData(HttpFault.LostAcknowledgement, 1, 0)]
    [InlineData(HttpFault.Delay, 1, 0)]
    [InlineData(HttpFault.TruncatedBody, 2, 0)]
    [InlineData(HttpFault.TruncatedBody, 2, 1)]
    [InlineData(HttpFault.Throttled, 1, 0)]
    public async Task Every_request_of_a_publication_fails_at_first(HttpFault fault, int every, int first)
    {
        var faults = new FaultTransport(a => a.Attempt is 0 && a.Number % every == first ? fault : null)
        {
            Delay = TimeSpan.FromMilliseconds(1),
        };
        var (whole, faulty) = await PrepareAsync(faults);
        await publication.WorkAsync(faulty);
        await publication.AssertDoneAsync(whole, "a");
        Assert.InRange(faults.Requests, 40, 400);
        Assert.InRange(faults.Injected, faults.Requests / every, faults.Requests / every + 1);
    }

    [Fact]
    public async Task Any_single_request_fails_at_first()
    {
        var kinds = Enum.GetValues<HttpFault>();
        var requests = await CountAsync();
        for (var at = 1; at <= requests; at += 3)
        {
            var faults = new FaultTransport(a => a.Attempt is 0 && a.Number == at ? kinds[at % kinds.Length] : null);
            var (whole, faulty) = await PrepareAsync(faults);
            await publication.WorkAsync(faulty);
            await publication.AssertDoneAsync(whole, "a");
            Assert.Equal(1, faults.Injected);
        }
    }

    [Fact]
    public async Task After_an_outage_at_any_request_the_same_call_finishes()
    {
        var requests = await CountAsync();
        for (var at = 1; at <= requests; at += 6)
        {
            var down = true;
            var faults = new FaultTransport(a => down && a.Number >= at
                ? at % 4 < 2 ? HttpFault.Throttled : HttpFault.ErrorBeforeSend : null);
            var (whole, faulty) = await PrepareAsync(faults);
            var refusal = await Assert.ThrowsAsync<RegistryException>(() => publication.WorkAsync(faulty));
            Assert.Equal(RegistryErrorKind.Unavailable, refusal.Kind);
            down = false;
            await publication.WorkAsync(faulty);
            await publication.AssertDoneAsync(whole, "a");
        }
    }

    [Fact]
    public async Task A_busy_service_is_asked_again_when_it_says()
    {
        var faults = new FaultTransport(a => a.Attempt is 0 ? HttpFault.Throttled : null) { RetryAfter = 1 };
        var store = new AzureBlobStore(EmulatorFixture.Connect(location, faults), "busy/");
        var started = Stopwatch.GetTimestamp();
        Assert.Null(await store.ReadAsync("a", Stop));
        Assert.InRange(Stopwatch.GetElapsedTime(started).TotalSeconds, 0.99, 30);
    }

    async Task<int> CountAsync()
    {
        var faults = new FaultTransport(_ => null);
        var (_, counting) = await PrepareAsync(faults);
        await publication.WorkAsync(counting);
        return faults.Requests;
    }

    /// <summary>Two stores over the same new data with a parent in it: one that works, and one with faults.</summary>
    async Task<(IObjectStore Whole, IObjectStore Faulty)> PrepareAsync(FaultTransport faults)
    {
        var prefix = string.Create(CultureInfo.InvariantCulture, $"{++stores}/");
        var whole = new AzureBlobStore(EmulatorFixture.Connect(location), prefix);
        await publication.PrepareAsync(whole);
        return (whole, new AzureBlobStore(EmulatorFixture.Connect(location, faults), prefix));
    }
}
