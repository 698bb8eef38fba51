using RegistryUnlearn.Conformance;
using RegistryUnlearn.Faults;
using RegistryUnlearn.Registry;
using RegistryUnlearn.Unlearning.Methods;
using RegistryUnlearn.Worker.Jobs;

namespace RegistryUnlearn.Worker.Tests.Jobs;

/// <summary>A registry in memory and a worker on it.</summary>
sealed class Lab : IDisposable
{
    readonly TempFolder work = new();

    public IObjectStore Store { get; } = new MemoryStore();

    public Journal Journal { get; } = new();

    ModelRegistry Models => new(Store);

    static ModelName Tiny { get; } = ModelName.Parse("tiny");

    public static async Task<Lab> CreateAsync()
    {
        var lab = new Lab();
        await TinyRegistry.FillAsync(lab.Store);
        return lab;
    }

    public JobRunner Runner(IObjectStore? store = null) => new(store ?? Store, new FixedClock(), new JobOptions
    {
        WorkFolder = Path.Combine(work.Path, "jobs"),
        CommitmentKey = new byte[32],
        CheckpointInterval = TimeSpan.Zero,
    });

    public Task<JobId> SubmitAsync(string request) => Runner().SubmitAsync(request, "request.json");

    public Task<JobOutcome> RunAsync(JobId job) => Runner().RunAsync(job, Journal);

    public async Task<JobOutcome> RunAsync(string request, IObjectStore? store = null)
    {
        var runner = Runner(store);
        return await runner.RunAsync(await runner.SubmitAsync(request, "request.json"), Journal);
    }

    public async Task PutAsync(string path, byte[] content)
    {
        await Store.DeleteAsync(path);
        await Store.TryCreateAsync(path, content);
    }

    public Task<ResolvedVersion> ResolveAsync(string reference) => Models.ResolveAsync(ModelReference.Parse(reference));

    public Task SetAliasAsync(string alias, int version) => Models.SetAliasAsync(Tiny, Alias.Parse(alias), version);

    public async Task<JobState> StateAsync(string request) =>
        (await new JobStore(Store, new FixedClock()).ReadAsync(await Runner().SubmitAsync(request, "request.json"))).State;

    public async Task<int[]> VersionsAsync() => [.. (await Models.ListVersionsAsync(Tiny)).Select(v => v.Version)];

    public async Task<int?> AliasAsync(string alias) => (await Models.ReadAliasAsync(Tiny, Alias.Parse(alias)))?.Version;

    public Task<Dictionary<string, byte[]>> FilesAsync() => TinyRegistry.FilesAsync(Store, "");

    /// <summary>Nothing of any job is left on the local disk.</summary>
    public bool IsTidy => Path.Combine(work.Path, "jobs") is var jobs
        && (!Directory.Exists(jobs) || !Directory.EnumerateFileSystemEntries(jobs).Any());

    public void Dispose() => work.Dispose();
}

/// <summary>All that jobs tell while they run.</summary>
sealed class Journal : IJobProgress
{
    public List<string> Stages { get; } = [];

    public List<string> Notes { get; } = [];

    public List<int> Steps { get; } = [];

    public void Stage(string name) => Stages.Add(name);

    public void Step(string what, int done, int total, StepTrace trace) => Steps.Add(done);

    public void Note(string text) => Notes.Add(text);
}
