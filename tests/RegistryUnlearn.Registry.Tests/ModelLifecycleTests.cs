using RegistryUnlearn.Conformance;

namespace RegistryUnlearn.Registry.Tests;

/// <summary>Promotion, retirement and the history that shows them; model m has the adopted version 1 and version 2 made from it.</summary>
public sealed class ModelLifecycleTests : IDisposable
{
    static readonly ModelName Model = ModelName.Parse("m");
    static readonly Alias Production = Alias.Parse("production");

    readonly TempFolder local = new();
    readonly MemoryStore store = new();
    readonly FixedClock clock = new();
    readonly JobStore jobs;
    readonly ModelRegistry registry;
    readonly ModelLifecycle lifecycle;

    public ModelLifecycleTests()
    {
        jobs = new(store, clock);
        registry = new(store);
        lifecycle = new(store, clock);
    }

    static CancellationToken Stop => TestContext.Current.CancellationToken;

    public void Dispose() => local.Dispose();

    [Fact]
    public async Task An_alias_moves_forwards_and_backwards_and_the_log_says_so()
    {
        await PublishAsync(await AdoptAsync());
        Assert.Null((await PromoteAsync("m@2")).Before);
        Assert.Equal(2, (await PromoteAsync("m@1")).Before?.Version);
        Assert.Equal(1, (await PromoteAsync("m:production")).Before?.Version);
        Assert.Equal(1, (await registry.ReadAliasAsync(Model, Production, Stop))?.Version);
        Assert.Equal(["published", "promoted m@2 from ", "promoted m@1 from m@2", "promoted m@1 from m@1"], (await LogAsync())
            .Select(e => e.Event is "published" ? e.Event : $"{e.Event} {e.Subject} from {e.Details.GetValueOrDefault("before")}"));
    }

    [Fact]
    public async Task What_is_withdrawn_or_incomplete_or_absent_is_not_promoted()
    {
        var parent = await AdoptAsync();
        await PublishAsync(parent);
        await lifecycle.RetireAsync(Model, 1, ParentPolicy.Quarantine, Stop);
        await store.TryCreateAsync(".registry-unlearn/models/m/claims/3", "a job"u8.ToArray(), Stop);
        await store.TryCreateAsync("m/3/model.onnx", "half"u8.ToArray(), Stop);
        foreach (var (reference, kind) in new[] { ("m@1", RegistryErrorKind.Withdrawn), ("m@3", RegistryErrorKind.Unavailable),
            ("m@4", RegistryErrorKind.NotFound) })
        {
            Assert.Equal(kind, (await Assert.ThrowsAsync<RegistryException>(() => PromoteAsync(reference))).Kind);
            if (kind is not RegistryErrorKind.Withdrawn)
            {
                Assert.Equal(kind, (await Assert.ThrowsAsync<RegistryException>(() =>
                    lifecycle.RetireAsync(Model, reference[^1] - '0', ParentPolicy.Delete, Stop))).Kind);
            }
        }
        Assert.Null(await registry.ReadAliasAsync(Model, Production, Stop));
    }

    [Fact]
    public async Task A_version_behind_an_alias_is_not_retired()
    {
        await PublishAsync(await AdoptAsync());
        await PromoteAsync("m@2");
        var refusal = await Assert.ThrowsAsync<RegistryException>(() => lifecycle.RetireAsync(Model, 2, ParentPolicy.Delete, Stop));
        Assert.Equal((RegistryErrorKind.Conflict, "m@2: consumers reach it by the alias production. Promote another version first."),
            (refusal.Kind, refusal.Message));
        await PromoteAsync("m@1");
        await lifecycle.RetireAsync(Model, 2, ParentPolicy.Delete, Stop);
        Assert.Empty(await store.ListAsync("m/2/", Stop).ToListAsync(Stop));
    }

    [Fact]
    public async Task A_retired_version_is_kept_in_quarantine_until_it_is_deleted()
    {
        await PublishAsync(await AdoptAsync());
        for (var time = 0; time < 2; time++)
            Assert.Equal(new Withdrawal(1, ParentPolicy.Quarantine, null),
                await lifecycle.RetireAsync(Model, 1, ParentPolicy.Quarantine, Stop));
        Assert.NotNull(await store.ReadAsync(".registry-unlearn/quarantine/m/1/model.onnx", Stop));
        Assert.Contains("was quarantined; its files are under .registry-unlearn/quarantine/m/1/. It was retired; use another version of m.",
            (await Assert.ThrowsAsync<RegistryException>(() => PromoteAsync("m@1"))).Message, StringComparison.Ordinal);
        Assert.Equal(ParentPolicy.Delete, (await lifecycle.RetireAsync(Model, 1, ParentPolicy.Delete, Stop)).Policy);
        Assert.Equal(ParentPolicy.Delete, (await lifecycle.RetireAsync(Model, 1, ParentPolicy.Quarantine, Stop)).Policy);
        Assert.Empty(await store.ListAsync(".registry-unlearn/quarantine/", Stop).ToListAsync(Stop));
        Assert.Equal(2, Assert.Single(await registry.ListVersionsAsync(Model, Stop)).Version);
    }

    [Fact]
    public async Task An_alias_that_was_set_while_the_version_was_retired_is_taken_back()
    {
        await PublishAsync(await AdoptAsync());
        await PromoteAsync("m@2");
        var racing = new ModelRegistry(new InterruptedStore(store, 1,
            () => lifecycle.RetireAsync(Model, 1, ParentPolicy.Quarantine, Stop)));
        var refusal = await Assert.ThrowsAsync<RegistryException>(() => racing.SetAliasAsync(Model, Production, 1, Stop));
        Assert.Equal(RegistryErrorKind.Withdrawn, refusal.Kind);
        Assert.Equal(2, (await registry.ReadAliasAsync(Model, Production, Stop))?.Version);
    }

    [Fact]
    public async Task History_remembers_every_version()
    {
        var first = await AdoptAsync();
        var second = await PublishAsync(first);
        var third = await PublishAsync(second, policy: ParentPolicy.Delete);
        var fourth = await PublishAsync(third, policy: ParentPolicy.Quarantine);
        await PromoteAsync("m@4");
        var history = await new ModelHistory(store, jobs).ReadAsync(Model, Stop);
        Assert.Equal(
            [
                (1, VersionStatus.Adopted, null, null), (2, VersionStatus.Deleted, 1, 3),
                (3, VersionStatus.Quarantined, 2, 4), (4, VersionStatus.Published, 3, null),
            ],
            history.Select(v => (v.Version, v.Status, v.Parent, v.ReplacedBy)));
        Assert.Equal([null, second.Digest, third.Digest, fourth.Digest], history.Select(v => v.Digest));
        Assert.Equal(3, history.Count(v => v.Job is not null));
        Assert.Equal([0, 0, 0, 1], history.Select(v => v.Aliases.Count));
        Assert.Empty(await new ModelHistory(store, jobs).ReadAsync(ModelName.Parse("other"), Stop));
    }

    async Task<VersionPointer> AdoptAsync()
    {
        await store.TryCreateAsync("m/1/model.onnx", "model"u8.ToArray(), Stop);
        return (await registry.ResolveAsync(ModelReference.Parse("m@1"), Stop)).Pointer;
    }

    async Task<VersionPointer> PublishAsync(VersionPointer parent, ParentPolicy policy = ParentPolicy.Keep)
    {
        var job = await jobs.SubmitAsync(parent.Digest, $$"""{"model":"m@{{parent.Version}}"}""", Stop);
        await jobs.TryUpdateAsync(job, job.State.Started(), Stop);
        var result = await new CommitProtocol(store, jobs, clock).PublishAsync(job.State.JobId, new PublishPlan
        {
            Model = Model,
            Files = [new(local.Write("model.onnx", $"child of {parent.Version}"), "model.onnx", "model", "application/onnx")],
            Created = clock.Now,
            Parent = parent,
            ParentPolicy = policy,
        }, Stop);
        return new(result.Version, result.Digest);
    }

    Task<(ResolvedVersion Target, VersionPointer? Before)> PromoteAsync(string reference)
    {
        clock.Now += TimeSpan.FromMinutes(1);
        return lifecycle.PromoteAsync(ModelReference.Parse(reference), Production, Stop);
    }

    async Task<List<AuditEntry>> LogAsync()
    {
        var log = new AuditLog(store);
        await log.VerifyAsync(Stop);
        return [.. (await log.ReadAsync(Stop).ToListAsync(Stop)).Select(l => l.Entry)];
    }
}
