using System.Globalization;
using System.Text;
using CsCheck;
using RegistryUnlearn.Registry;
using Xunit;

namespace RegistryUnlearn.Conformance;

/// <summary>
/// Random histories of versions, aliases, claims and commits: one after another they follow a model of a few lines, side by side they keep
/// what the registry promises.
/// </summary>
public abstract class RegistryModelConformance : IDisposable
{
    const int Jobs = 4;

    static readonly string[] Aliases = ["production", "canary"];
    static readonly Gen<Event> Events = Gen.Select(Gen.Enum<What>(), Gen.Int[0, Jobs - 1], Gen.Int[0, 9], Gen.Int[0, 1],
        Gen.Enum<ParentPolicy>(), Gen.Int[1, 45], (what, job, version, alias, policy, at) =>
            new Event(what, job, version, Aliases[alias], policy, at));

    readonly TempFolder folder = new();

    /// <summary>What happens to the registry.</summary>
    public enum What
    {
        Publish,

        /// <summary>The worker dies at an operation; another one may come later.</summary>
        PublishKilled,

        /// <summary>Every acknowledgement of one write gets lost.</summary>
        PublishUnheard,
        SetAlias,
        Fail,
    }

    static CancellationToken Stop => TestContext.Current.CancellationToken;

    /// <summary>Histories that are tried.</summary>
    protected virtual int Histories => 100;

    public void Dispose()
    {
        folder.Dispose();
        CleanUp();
        GC.SuppressFinalize(this);
    }

    /// <summary>A store over new, empty data; called many times.</summary>
    protected abstract IObjectStore OpenNew();

    protected virtual void CleanUp()
    {
    }

    [Fact]
    public Task Any_history_of_jobs_and_aliases_follows_the_model() => Events.Array[1, 10].SampleAsync(async events =>
    {
        var lab = await PrepareAsync();
        var model = new Model();
        foreach (var e in events)
        {
            await ApplyAsync(e, lab, model);
            await CheckAsync(lab, model);
        }
    }, iter: Histories, threads: 1);

    [Fact]
    public Task Jobs_and_aliases_side_by_side_keep_the_promises() => Events.Where(e => e.What is not What.Fail).Array[2, 6].SampleAsync(
        async events =>
        {
            var lab = await PrepareAsync();
            await Task.WhenAll(events.Select(e => Task.Run(() => e.What is What.SetAlias
                ? lab.Registry.SetAliasAsync(Publication.Model, Alias.Parse(e.Alias), 1, Stop)
                : TryPublishAsync(lab, e with { Policy = ParentPolicy.Keep }, lab.First), Stop)));
            var asked = events.Where(e => e.What is not What.SetAlias).Select(e => e.Job).Distinct().ToList();
            var results = new List<JobResult>();
            foreach (var job in asked)
                results.Add(await lab.PublishAsync(lab.Store, job, lab.First, ParentPolicy.Keep, null));

            Assert.Equal(asked.Count, results.Select(r => r.Version).Distinct().Count());
            Assert.Equal(results.Select(r => r.Version).Append(1).Order(),
                (await lab.Registry.ListVersionsAsync(Publication.Model, Stop)).Select(v => v.Version));
            foreach (var result in results)
            {
                var version = await lab.Registry.ResolveAsync(ModelReference.To(Publication.Model, result.Version), Stop);
                Assert.Equal(result.Digest, version.Digest);
                var claim = await lab.Store.ReadAsync($".registry-unlearn/models/{Publication.Model}/claims/{result.Version}", Stop);
                Assert.Equal(version.Manifest.JobId.ToString(), Encoding.ASCII.GetString(claim!.Content.Span));
            }
            foreach (var (_, target) in await lab.Registry.ListAliasesAsync(Publication.Model, Stop))
                Assert.Contains(target, results.Select(r => new VersionPointer(r.Version, r.Digest)).Append(lab.First));
            Assert.Equal(asked.Count, (await new AuditLog(lab.Store).VerifyAsync(Stop)).Lines);
            Assert.DoesNotContain(await lab.Store.ListAsync(".registry-unlearn/jobs/", Stop).ToListAsync(Stop),
                e => e.Path.Contains("/blobs/", StringComparison.Ordinal));
        }, iter: Histories / 2, threads: 1);

    static async Task ApplyAsync(Event e, Lab lab, Model model)
    {
        var inService = model.Versions.Where(v => v.Value.InService).Select(v => v.Key).ToList();
        var version = inService[e.Version % inService.Count];
        var pointer = new VersionPointer(version, model.Versions[version].Digest ?? lab.First.Digest);
        if (e.What is What.SetAlias)
        {
            await lab.Registry.SetAliasAsync(Publication.Model, Alias.Parse(e.Alias), version, Stop);
            model.Aliases[e.Alias] = version;
        }
        else if (e.What is What.Fail)
        {
            await lab.FailAsync(e.Job, lab.First);
        }
        else
        {
            // A job keeps the parent that it was submitted with.
            var plan = model.Plans.TryGetValue(e.Job, out var known) ? known : (Parent: pointer, e.Policy, e.Alias);
            model.Plans[e.Job] = plan;
            await TryPublishAsync(lab, e with { Policy = plan.Policy, Alias = plan.Alias }, plan.Parent);
            // Whoever comes next finishes, if it was not finished.
            model.Publish(e.Job, await lab.PublishAsync(lab.Store, e.Job, plan.Parent, plan.Policy, Alias.Parse(plan.Alias)));
        }
    }

    static async Task CheckAsync(Lab lab, Model model)
    {
        Assert.Equal(model.Versions.Where(v => v.Value.InService).Select(v => v.Key),
            (await lab.Registry.ListVersionsAsync(Publication.Model, Stop)).Select(v => v.Version));
        Assert.Equal(model.Aliases.OrderBy(a => a.Key, StringComparer.Ordinal).Select(a => (a.Key, a.Value)),
            (await lab.Registry.ListAliasesAsync(Publication.Model, Stop)).Select(a => (a.Alias.ToString(), a.Target.Version)));
        foreach (var (number, version) in model.Versions)
        {
            var resolving = lab.Registry.ResolveAsync(ModelReference.To(Publication.Model, number), Stop);
            if (version.InService)
                Assert.Equal(version.Digest ?? lab.First.Digest, (await resolving).Digest);
            else
                Assert.Equal(RegistryErrorKind.Withdrawn, (await Assert.ThrowsAsync<RegistryException>(() => resolving)).Kind);
        }
    }

    static async Task TryPublishAsync(Lab lab, Event e, VersionPointer parent)
    {
        var store = e.What switch
        {
            What.PublishKilled => new FaultyStore(lab.Store, e.At % 2 == 0 ? Fault.KillBefore : Fault.KillAfter, e.At),
            What.PublishUnheard => new FaultyStore(lab.Store, Fault.LoseAcknowledgement, e.At),
            _ => lab.Store,
        };
        try
        {
            await lab.PublishAsync(store, e.Job, parent, e.Policy, Alias.Parse(e.Alias));
        }
        catch (KilledException)
        {
            // That worker is gone.
        }
    }

    async Task<Lab> PrepareAsync()
    {
        var store = OpenNew();
        await store.TryCreateAsync($"{Publication.Model}/1/model.onnx", "one"u8.ToArray(), Stop);
        var first = await new ModelRegistry(store).ResolveAsync(ModelReference.To(Publication.Model, 1), Stop);
        return new(store, first.Pointer, folder);
    }

    /// <summary>Something that happens.</summary>
    sealed record Event(What What, int Job, int Version, string Alias, ParentPolicy Policy, int At);

    /// <summary>A registry and workers on it.</summary>
    sealed record Lab(IObjectStore Store, VersionPointer First, TempFolder Folder)
    {
        static int files;

        readonly FixedClock clock = new();

        public ModelRegistry Registry { get; } = new(Store);

        /// <summary>What a worker does from submission to the end.</summary>
        public async Task<JobResult> PublishAsync(IObjectStore store, int number, VersionPointer parent, ParentPolicy policy, Alias? alias)
        {
            var jobs = new JobStore(store, clock);
            var job = await jobs.SubmitAsync(parent.Digest, RequestOf(number), Stop);
            while (job.State.Status is JobStatus.Submitted or JobStatus.Failed)
                job = await jobs.TryUpdateAsync(job, job.State.Started(), Stop) ?? await jobs.ReadAsync(job.State.JobId, Stop);
            var file = Folder.Write($"{Interlocked.Increment(ref files)}/model.onnx", $"of job {number}");
            var plan = new PublishPlan
            {
                Model = Publication.Model,
                Files = [new(file, "model.onnx", "model", "application/onnx")],
                Created = clock.Now,
                Parent = parent,
                ParentPolicy = policy,
                Alias = alias,
            };
            return await new CommitProtocol(store, jobs, clock).PublishAsync(job.State.JobId, plan, Stop);
        }

        /// <summary>Ends a job that was submitted on the first version and has not ended.</summary>
        public async Task FailAsync(int number, VersionPointer parent)
        {
            var jobs = new JobStore(Store, clock);
            var job = await jobs.SubmitAsync(parent.Digest, $$"""{"failing":{{number}}}""", Stop);
            var ended = await new CommitProtocol(Store, jobs, clock).FailAsync(job.State.JobId, new("test", "It was meant to."), Stop);
            Assert.Equal(JobStatus.Failed, ended.Status);
        }

        static string RequestOf(int number) => string.Create(CultureInfo.InvariantCulture, $$"""{"job":{{number}}}""");
    }

    /// <summary>What a registry is to its users.</summary>
    sealed class Model
    {
        public SortedDictionary<int, (Digest? Digest, bool InService)> Versions { get; } = new() { [1] = (null, true) };

        public Dictionary<string, int> Aliases { get; } = [];

        public Dictionary<int, (VersionPointer Parent, ParentPolicy Policy, string Alias)> Plans { get; } = [];

        readonly Dictionary<int, JobResult> results = [];

        public void Publish(int job, JobResult result)
        {
            var (parent, policy, alias) = Plans[job];
            if (results.TryAdd(job, result))
            {
                Assert.True(Versions.TryAdd(result.Version, (result.Digest, true)), $"version {result.Version} was taken");
                Assert.True(result.Version > Versions.Keys.Where(v => v != result.Version).Max(), $"version {result.Version} came late");
                Aliases[alias] = Math.Max(result.Version, Aliases.GetValueOrDefault(alias));
                if (policy is ParentPolicy.Keep)
                    return;
                Versions[parent.Version] = Versions[parent.Version] with { InService = false };
                foreach (var moved in Aliases.Where(a => a.Value == parent.Version).Select(a => a.Key).ToList())
                    Aliases[moved] = result.Version;
            }
            Assert.Equal(results[job], result);
        }
    }
}
