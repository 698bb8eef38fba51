using System.Text;
using Azure.Storage.Blobs;
using Azure.Storage.Blobs.Models;
using RegistryUnlearn.Conformance;
using RegistryUnlearn.Registry.Azure.Tests.Emulator;

namespace RegistryUnlearn.Registry.Azure.Tests.Storage;

/// <summary>A container that others have filled.</summary>
public sealed class AdoptionTests(EmulatorFixture emulator) : IDisposable
{
    readonly BlobLocation location = emulator.NewContainer();
    readonly TempFolder local = new();

    static CancellationToken Stop => TestContext.Current.CancellationToken;

    public void Dispose() => local.Dispose();

    [Fact]
    public async Task Looking_writes_nothing_and_a_job_adds_a_version_beside()
    {
        var container = EmulatorFixture.Connect(location);
        string[] names = ["models/digits/1/model.onnx", "models/digits/1/weights/w äöü?#%20.bin", "models/readme.txt", "other/x"];
        foreach (var name in names)
            await container.GetBlobClient(name).UploadAsync(BinaryData.FromString(name), Stop);
        var before = await BlobsAsync(container);

        var store = ((BlobLocation)RegistryLocation.Parse($"{location.Container}/models")).Open(_ => null);
        var registry = new ModelRegistry(store);
        Assert.Equal(["digits"], (await registry.ListModelsAsync(Stop)).Select(m => m.ToString()));
        Assert.Equal([new VersionInfo(1, IsAdopted: true)], await registry.ListVersionsAsync(ModelName.Parse("digits"), Stop));
        var version = await registry.ResolveAsync(ModelReference.Parse("digits@1"), Stop);
        Assert.Equal(
            [("model.onnx", Digest.Of("models/digits/1/model.onnx"u8)),
                ("weights/w äöü?#%20.bin", Digest.Of("models/digits/1/weights/w äöü?#%20.bin"u8))],
            version.Manifest.Files.Select(f => (f.Path, f.Digest)));
        await registry.DownloadAsync(version, local.Path, Stop);
        Assert.Equal("models/digits/1/model.onnx", await File.ReadAllTextAsync(Path.Combine(local.Path, "model.onnx"), Stop));
        Assert.Equal(before, await BlobsAsync(container));

        var jobs = new JobStore(store, new FixedClock());
        var job = await jobs.SubmitAsync(version.Digest, "{}", Stop);
        await jobs.TryUpdateAsync(job, job.State.Started(), Stop);
        var plan = new PublishPlan
        {
            Model = version.Model,
            Files = [new(local.Write("new.onnx", "new"), "model.onnx", "model", "application/onnx")],
            Created = new FixedClock().Now,
            Parent = version.Pointer,
            ParentPolicy = ParentPolicy.Keep,
        };
        await new CommitProtocol(store, jobs, new FixedClock()).PublishAsync(job.State.JobId, plan, Stop);
        var after = await BlobsAsync(container);
        Assert.All(before, b => Assert.Contains(b, after));
        Assert.Equal(["models/digits/2/manifest.json", "models/digits/2/model.onnx"], after.Except(before).Select(b => b.Split(' ')[0])
            .Where(b => !b.StartsWith("models/.registry-unlearn/", StringComparison.Ordinal)));
    }

    [Fact]
    public async Task Marks_of_folders_are_no_objects()
    {
        var container = EmulatorFixture.Connect(location);
        await container.GetBlobClient("digits/1/data").UploadAsync(BinaryData.FromString(""),
            new BlobUploadOptions { Metadata = new Dictionary<string, string> { ["hdi_isfolder"] = "true" } }, Stop);
        await container.GetBlobClient("digits/1/model.onnx").UploadAsync(BinaryData.FromString("m"), Stop);
        var version = await new ModelRegistry(location.Open(_ => null)).ResolveAsync(ModelReference.Parse("digits@1"), Stop);
        Assert.Equal("model.onnx", Assert.Single(version.Manifest.Files).Path);
    }

    /// <summary>Name, tag and size of every blob, in order of name.</summary>
    static async Task<List<string>> BlobsAsync(BlobContainerClient container) => await container.GetBlobsAsync(cancellationToken: Stop)
        .Select(b => new StringBuilder(b.Name.Replace(' ', '_')).Append(' ').Append(b.Properties.ETag).Append(' ')
            .Append(b.Properties.ContentLength).ToString())
        .Order(StringComparer.Ordinal).ToListAsync(Stop);
}
