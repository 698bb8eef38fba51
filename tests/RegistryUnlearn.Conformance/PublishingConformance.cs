using RegistryUnlearn.Registry;
using Xunit;

namespace RegistryUnlearn.Conformance;

/// <summary>
/// The commit protocol over a back end: killed before and after every operation, with every acknowledgement lost, with twins in every
/// order.
/// </summary>
public abstract class PublishingConformance : IDisposable
{
    readonly Publication publication = new();

    static CancellationToken Stop => TestContext.Current.CancellationToken;

    /// <summary>Orders that are tried of workers whose operations interleave.</summary>
    protected virtual int Interleavings => 60;

    /// <summary>Of so many operations one is disturbed, each kind of fault beginning with another one.</summary>
    protected virtual int Stride => 1;

    public void Dispose()
    {
        publication.Dispose();
        CleanUp();
        GC.SuppressFinalize(this);
    }

    /// <summary>A store over new, empty data; called many times in one test.</summary>
    protected abstract IObjectStore OpenNew();

    protected virtual void CleanUp()
    {
    }

    [Fact]
    public async Task An_undisturbed_publication_is_done_and_repeatable()
    {
        var store = await PrepareAsync();
        await publication.WorkAsync(store);
        await publication.AssertDoneAsync(store, "a");
        await publication.WorkAsync(store, "b");
        await publication.AssertDoneAsync(store, "a");
    }

    [Theory]
    [InlineData(Fault.KillBefore)]
    [InlineData(Fault.KillAfter)]
    public async Task A_fresh_worker_finishes_after_a_kill_at_any_operation(Fault fault)
    {
        var operations = await CountAsync(s => s.Operations);
        Assert.InRange(operations, 40, 400);
        for (var at = 1 + (fault is Fault.KillAfter ? Stride / 2 : 0); at <= operations; at += Stride)
        {
            var store = await PrepareAsync();
            await Assert.ThrowsAsync<KilledException>(() => publication.WorkAsync(new FaultyStore(store, fault, at), "a"));
            await publication.WorkAsync(store, "b");
            await publication.AssertDoneAsync(store, "a", "b");
        }
    }

    [Fact]
    public async Task A_lost_acknowledgement_of_any_write_is_seen_through()
    {
        var writes = await CountAsync(s => s.SuccessfulWrites);
        Assert.InRange(writes, 20, 200);
        for (var at = 1; at <= writes; at += Stride)
        {
            var store = await PrepareAsync();
            var faulty = new FaultyStore(store, Fault.LoseAcknowledgement, at);
            await publication.WorkAsync(faulty);
            Assert.True(faulty.SuccessfulWrites >= at);
            await publication.AssertDoneAsync(store, "a");
        }
    }

    [Fact]
    public async Task Twins_in_any_order_end_in_one_version()
    {
        for (var seed = 0; seed < Interleavings; seed++)
        {
            var store = await PrepareAsync();
            await new Turns(seed).RunAsync(
                (store, s => publication.WorkAsync(s, "a")),
                (store, s => publication.WorkAsync(s, "b")),
                (store, s => publication.WorkAsync(s, "c")));
            await publication.AssertDoneAsync(store, "a", "b", "c");
        }
    }

    [Fact]
    public async Task Twins_of_whom_one_is_killed_and_one_loses_an_acknowledgement_end_in_one_version()
    {
        for (var seed = 0; seed < Interleavings; seed++)
        {
            var store = await PrepareAsync();
            await new Turns(seed).RunAsync(
                (new FaultyStore(store, seed % 2 == 0 ? Fault.KillBefore : Fault.KillAfter, 1 + seed * 7 % 60), SurviveAsync("a")),
                (new FaultyStore(store, Fault.LoseAcknowledgement, 1 + seed % 25), s => publication.WorkAsync(s, "b")));
            await publication.WorkAsync(store, "c");
            await publication.AssertDoneAsync(store, "a", "b", "c");
        }
    }

    [Fact]
    public async Task Different_jobs_get_different_versions_and_the_alias_the_last()
    {
        for (var seed = 0; seed < Interleavings / 4; seed++)
        {
            var store = await PrepareAsync();
            await new Turns(seed).RunAsync([.. "pqrst".Select(job => (store, (Func<IObjectStore, Task>)(s =>
                publication.WorkAsync(s, $"{job}", $$"""{"job":"{{job}}"}""", ParentPolicy.Keep))))]);
            var registry = new ModelRegistry(store);
            Assert.Equal([1, 2, 3, 4, 5, 6], (await registry.ListVersionsAsync(Publication.Model, Stop)).Select(v => v.Version));
            Assert.Equal(6, (await registry.ResolveAsync(ModelReference.To(Publication.Model, Publication.Production), Stop)).Version);
            var made = new HashSet<JobId?>();
            for (var version = 2; version <= 6; version++)
                made.Add((await registry.ResolveAsync(ModelReference.To(Publication.Model, version), Stop)).Manifest.JobId);
            Assert.Equal(5, made.Count);
            Assert.Equal(5, (await new AuditLog(store).VerifyAsync(Stop)).Lines);
        }
    }

    [Theory]
    [InlineData(ParentPolicy.Keep)]
    [InlineData(ParentPolicy.Delete)]
    public async Task The_parent_stays_or_goes_as_asked(ParentPolicy policy)
    {
        var store = await PrepareAsync();
        await publication.WorkAsync(store, policy: policy);
        await publication.WorkAsync(store, policy: policy);
        var kept = await store.ListAsync("digits/1/", Stop).ToListAsync(Stop);
        Assert.Equal(policy is ParentPolicy.Keep ? 2 : 0, kept.Count);
        Assert.Empty(await store.ListAsync(".registry-unlearn/quarantine/", Stop).ToListAsync(Stop));
        Assert.Equal(2, (await new ModelRegistry(store).ReadAliasAsync(Publication.Model, Publication.Production, Stop))!.Version);
    }

    Func<IObjectStore, Task> SurviveAsync(string worker) => async store =>
    {
        try
        {
            await publication.WorkAsync(store, worker);
        }
        catch (KilledException)
        {
            // The other worker goes on.
        }
    };

    async Task<IObjectStore> PrepareAsync()
    {
        var store = OpenNew();
        await publication.PrepareAsync(store);
        return store;
    }

    async Task<int> CountAsync(Func<FaultyStore, int> count)
    {
        var store = new FaultyStore(await PrepareAsync());
        await publication.WorkAsync(store);
        return count(store);
    }
}
