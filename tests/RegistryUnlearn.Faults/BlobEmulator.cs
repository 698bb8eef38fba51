using System.Globalization;
using RegistryUnlearn.Registry.Azure;
using RegistryUnlearn.Registry.Azure.Tests.Http;

namespace RegistryUnlearn.Faults;

/// <summary>An emulator for a class of tests, which are skipped where it cannot be started, and a job that nothing disturbs.</summary>
public sealed class BlobEmulator : IAsyncLifetime
{
    readonly string? missing = Azurite.Missing(Repository.Root);
    Azurite? azurite;
    int sites;

    /// <summary>Requests of the job, from its submission on.</summary>
    public int Requests { get; private set; }

    /// <summary>Of these, the ones that submit it.</summary>
    public int SubmissionRequests { get; private set; }

    /// <summary>The new version's files by path.</summary>
    public Dictionary<string, byte[]> Published { get; } = [];

    public async ValueTask InitializeAsync()
    {
        if (missing is not null)
            return;
        azurite = await Azurite.StartAsync(Repository.Root);
        await LocationOf("").Connect(BlobService.Options(), _ => null).CreateAsync();
        using var site = await NewSiteAsync();
        var counting = new FaultTransport(_ => null);
        var store = site.Connect(counting);
        var job = await site.SubmitAsync(store);
        SubmissionRequests = counting.Requests;
        await site.NewWorker(store).FinishAsync(job, "unbroken");
        Requests = counting.Requests;
        foreach (var (path, content) in await TinyRegistry.FilesAsync(site.Whole, "tiny/2/"))
            Published[path] = content;
        await site.AssertDoneAsync(job, Published, "unbroken");
    }

    public async ValueTask DisposeAsync()
    {
        if (azurite is not null)
            await azurite.DisposeAsync();
    }

    public void Require() => Assert.SkipUnless(missing is null, missing ?? "");

    internal Task<BlobSite> NewSiteAsync() =>
        BlobSite.CreateAsync(LocationOf(string.Create(CultureInfo.InvariantCulture, $"{Interlocked.Increment(ref sites)}")));

    BlobLocation LocationOf(string prefix) => (BlobLocation)RegistryLocation.Parse($"{azurite!.Account}faults/{prefix}");
}
