using System.Runtime.CompilerServices;
using RegistryUnlearn.Registry;

namespace RegistryUnlearn.Worker.Verification;

/// <summary>The files of a version in a registry.</summary>
public sealed class StoreFiles(IObjectStore store, ModelName model, int version) : VersionFiles
{
    readonly string folder = $"{model}/{version}/";

    public override string Place => $"{model}@{version}";

    public override string Name => $"{version}";

    public override async IAsyncEnumerable<string> ListAsync([EnumeratorCancellation] CancellationToken cancellation)
    {
        await foreach (var entry in store.ListAsync(folder, cancellation))
            yield return entry.Path[folder.Length..];
    }

    protected override Task<Stream?> OpenAsync(string path, CancellationToken cancellation) =>
        store.OpenReadAsync(folder + path, cancellation);
}
