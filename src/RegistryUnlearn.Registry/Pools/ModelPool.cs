namespace RegistryUnlearn.Registry;

/// <summary>One model of a pool.</summary>
/// <param name="Name">Unique within the pool: letters, digits and dashes.</param>
/// <param name="Kind">What the model is, in the words of whoever trained it.</param>
/// <param name="Seed">Decides, with the pool's definition, what it was trained on and every random choice.</param>
/// <param name="Parameters">Digest of the parameters, a blob of the pool.</param>
/// <param name="Size">Of the parameters in bytes.</param>
public sealed record PooledModel(
    string Name, string Kind, int Index, ulong Seed, Digest Parameters, long Size);

/// <summary>
/// Models that were trained for comparison, outside the versions that consumers read. Each is stored when it is done, parameters first and
/// its record last, create-if-absent: a pool can grow, by several workers at once, and never changes. Thread-safe.
/// </summary>
/// <param name="id">64 lower-case hexadecimal digits that stand for what the models are trained on and how.</param>
/// <param name="holder">Name of this worker, different from that of any other.</param>
public sealed class ModelPool(IObjectStore store, string id, TimeProvider clock, string holder)
{
    readonly Leases leases = new(store, clock, holder);

    /// <summary>Where the pool lies in the registry.</summary>
    public string Folder { get; } = RegistryLayout.Pool(id);

    string Records => Folder + "models/";

    /// <summary>Stores what the pool is about, once.</summary>
    /// <exception cref="RegistryException">Corrupt: another definition stands there.</exception>
    public async Task DefineAsync(ReadOnlyMemory<byte> definition, CancellationToken cancellation = default)
    {
        if (await store.CreateOrFindAsync(Folder + "pool.json", definition, cancellation) is null)
            throw new RegistryException(RegistryErrorKind.Corrupt, Folder + "pool.json",
                "the pool's definition does not fit its name. Remove the pool and train it again.");
    }

    /// <summary>All models that are done, in ordinal order of name.</summary>
    public async Task<IReadOnlyList<PooledModel>> ListAsync(CancellationToken cancellation = default)
    {
        var models = new List<PooledModel>();
        await foreach (var entry in store.ListAsync(Records, cancellation))
            if (await store.ReadAsync(entry.Path, cancellation) is { } stored)
                models.Add(RegistryJson.Deserialize<PooledModel>(stored.Content.Span, entry.Path));
        models.Sort((a, b) => string.CompareOrdinal(a.Name, b.Name));
        return models;
    }

    /// <summary>Whether a model is done.</summary>
    public async Task<bool> HasAsync(string name, CancellationToken cancellation = default) =>
        await store.GetSizeAsync(Record(name), cancellation) is not null;

    /// <summary>Takes the right to train a model; whoever trains it without does work twice and no harm.</summary>
    public Task<LeaseAnswer> TryClaimAsync(string name, TimeSpan duration, CancellationToken cancellation = default) =>
        leases.TryAcquireAsync($"{Folder}leases/{name}.json", duration, cancellation);

    /// <summary>Stores a model that is done; when another worker was faster, its model stands.</summary>
    /// <param name="localFile">The parameters.</param>
    public async Task<PooledModel> AddAsync(
        string name, string kind, int index, ulong seed, string localFile, CancellationToken cancellation = default)
    {
        var (digest, size) = await LocalFiles.HashAsync(localFile, cancellation);
        await using (var content = new DigestCheckingStream(LocalFiles.OpenRead(localFile), digest, size, localFile))
            await store.TryCreateAsync(Blob(digest), content, cancellation);
        var model = new PooledModel(name, kind, index, seed, digest, size);
        await store.TryCreateAsync(Record(name), RegistryJson.Serialize(model), cancellation);
        var stored = await store.ReadAsync(Record(name), cancellation)
            ?? throw new RegistryException(RegistryErrorKind.NotFound, Record(name), "the pool was removed meanwhile. Train it again.");
        return RegistryJson.Deserialize<PooledModel>(stored.Content.Span, Record(name));
    }

    /// <summary>Copies a model's parameters to a local file, its digest checked.</summary>
    /// <exception cref="RegistryException">NotFound, or Corrupt.</exception>
    public Task DownloadAsync(PooledModel model, string localFile, CancellationToken cancellation = default) =>
        LocalFiles.DownloadAsync(store, Blob(model.Parameters), localFile, model.Parameters, model.Size, cancellation);

    /// <summary>Removes everything of the pool, records first.</summary>
    /// <returns>How many objects there were.</returns>
    public async Task<int> DeleteAsync(CancellationToken cancellation = default)
    {
        var paths = new List<string>();
        await foreach (var entry in store.ListAsync(Folder, cancellation))
            paths.Add(entry.Path);
        foreach (var path in paths.OrderBy(p => !p.StartsWith(Records, StringComparison.Ordinal)))
            await store.DeleteAsync(path, cancellation);
        return paths.Count;
    }

    string Record(string name) => $"{Records}{name}.json";

    string Blob(Digest digest) => $"{Folder}blobs/sha256/{digest.Hex[..2]}/{digest.Hex}";
}
