using System.Text;
using RegistryUnlearn.Registry;
using Xunit;

namespace RegistryUnlearn.Conformance;

/// <summary>
/// One publication to be disturbed: model <c>digits</c> with the adopted version 1 behind <c>production</c>, and a job whose result becomes
/// version 2, with version 1 quarantined. <see cref="AssertDoneAsync"/> states what must hold afterwards, whatever went wrong meanwhile.
/// </summary>
public sealed class Publication : IDisposable
{
    public static readonly ModelName Model = ModelName.Parse("digits");
    public static readonly Alias Production = Alias.Parse("production");

    const string Request = """{"method":"ltu","forget":"requests/forget.txt","model":"digits:production"}""";
    const string ParentModel = "the parent still knows";

    static readonly string[] Files = ["model.onnx", "model.onnx.data", "reports/metrics.json"];

    readonly TempFolder folder = new();
    readonly FixedClock clock = new();

    VersionPointer parent = null!;

    static CancellationToken Stop => TestContext.Current.CancellationToken;

    public void Dispose() => folder.Dispose();

    /// <summary>Puts the parent and its alias into an empty store.</summary>
    public async Task PrepareAsync(IObjectStore store)
    {
        await store.TryCreateAsync("digits/1/model.onnx", Encoding.UTF8.GetBytes(ParentModel), Stop);
        await store.TryCreateAsync("digits/1/weights/w.bin", new byte[] { 1, 2, 3 }, Stop);
        parent = (await new ModelRegistry(store).SetAliasAsync(Model, Production, 1, Stop)).Pointer;
    }

    /// <summary>What a worker does from submission to the end; its training gives bytes that carry the worker's name.</summary>
    public async Task WorkAsync(IObjectStore store, string worker = "a", string request = Request,
        ParentPolicy policy = ParentPolicy.Quarantine)
    {
        var jobs = new JobStore(store, clock);
        var job = await jobs.SubmitAsync(parent.Digest, request, Stop);
        if (job.State.Status is JobStatus.Submitted)
            await jobs.TryUpdateAsync(job, job.State.Started(), Stop);
        var plan = new PublishPlan
        {
            Model = Model,
            Files = [.. Files.Select(f => new PublishFile(folder.Write($"{worker}/{f}", $"{f} of {worker}"), f, "model",
                "application/octet-stream"))],
            Created = clock.Now,
            Parent = parent,
            ParentPolicy = policy,
            Alias = Production,
        };
        await new CommitProtocol(store, jobs, clock).PublishAsync(job.State.JobId, plan, Stop);
    }

    /// <summary>Exactly one version, whole and of one worker; alias, parent, job, audit log and blobs as they should be.</summary>
    public async Task AssertDoneAsync(IObjectStore store, params string[] workers)
    {
        var registry = new ModelRegistry(store);
        var resolved = await registry.ResolveAsync(ModelReference.Parse("digits:production"), Stop);
        Assert.Equal([new VersionInfo(2, IsAdopted: false)], await registry.ListVersionsAsync(Model, Stop));
        Assert.Equal((2, parent), (resolved.Version, resolved.Manifest.Parent));
        var local = Path.Combine(folder.Path, "download");
        await registry.DownloadAsync(resolved, local, Stop);
        var contents = Files.Select(f => File.ReadAllText(Path.Combine(local, f))).ToList();
        Assert.Contains(workers, w => contents.SequenceEqual(Files.Select(f => $"{f} of {w}")));
        Directory.Delete(local, recursive: true);

        var jobs = new JobStore(store, clock);
        var state = (await jobs.ReadAsync(JobStore.IdOf(parent.Digest, Request), Stop)).State;
        Assert.Equal((JobStatus.Succeeded, new JobResult(Model, 2, resolved.Digest)), (state.Status, state.Result));
        Assert.Empty(await store.ListAsync($".registry-unlearn/jobs/{state.JobId}/blobs/", Stop).ToListAsync(Stop));

        var gone = await Assert.ThrowsAsync<RegistryException>(() => registry.ResolveAsync(ModelReference.Parse("digits@1"), Stop));
        Assert.Equal(RegistryErrorKind.Withdrawn, gone.Kind);
        Assert.Empty(await store.ListAsync("digits/1/", Stop).ToListAsync(Stop));
        Assert.Equal(ParentModel, Text(await store.ReadAsync(".registry-unlearn/quarantine/digits/1/model.onnx", Stop)));
        Assert.Equal(3, await store.GetSizeAsync(".registry-unlearn/quarantine/digits/1/weights/w.bin", Stop));

        var line = Assert.Single(await new AuditLog(store).ReadAsync(Stop).ToListAsync(Stop));
        Assert.Equal(("published", state.JobId.ToString(), "digits@2"), (line.Entry.Event, line.Entry.Subject,
            line.Entry.Details["version"]));
        Assert.Equal(new AuditVerification(1, line.Hash), await new AuditLog(store).VerifyAsync(Stop));
    }

    static string? Text(StoredObject? found) => found is null ? null : Encoding.UTF8.GetString(found.Content.Span);
}
