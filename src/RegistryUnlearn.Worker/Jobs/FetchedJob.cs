using RegistryUnlearn.Auditing;
using RegistryUnlearn.Registry;
using RegistryUnlearn.Unlearning.Data;
using RegistryUnlearn.Worker.Requests;

namespace RegistryUnlearn.Worker.Jobs;

/// <summary>Everything a job needs, as local files with checked digests.</summary>
/// <param name="ModelPath">The parent's model.onnx, its data files beside it.</param>
/// <param name="Digests">SHA-256 of every data file, by its path in the registry.</param>
sealed record FetchedJob(ResolvedVersion Parent, string ModelPath, UnlearningRequest Request, DataSet Train, DataSet? Holdout, DataSet? Test,
    IReadOnlyList<OracleRecord> Oracles,
    IReadOnlyDictionary<string, Digest> Digests)
{
    /// <summary>Digest of the parent's model.onnx.</summary>
    public Digest ModelDigest => ModelDigestOf(Parent);

    /// <summary>The samples to forget.</summary>
    /// <exception cref="DataException">An id or group does not exist, or is named twice.</exception>
    public Subset Forget => ForgetOf(Request, Train);

    /// <summary>Ids of the samples to forget, those of whole groups included.</summary>
    public IReadOnlyList<string> ForgetIds => IdsOf(Forget);

    /// <summary>The data files in ordinal order of path.</summary>
    public IEnumerable<KeyValuePair<string, Digest>> DataFiles => Digests.OrderBy(d => d.Key, StringComparer.Ordinal);

    /// <summary>What messages about the model call its folder: where it lies in the registry.</summary>
    public string ModelFolder => $"{Parent.Model}/{Parent.Version}";

    /// <exception cref="RegistryException">A file is missing or differs from the digest that the request gives.</exception>
    /// <exception cref="DataException">A file is no data set.</exception>
    /// <exception cref="AuditInputException">
    /// The oracles are damaged, or belong to another model, other data or another forget set.
    /// </exception>
    public static async Task<FetchedJob> FetchAsync(
        IObjectStore store, UnlearningRequest request, ResolvedVersion parent, string folder, CancellationToken cancellation)
    {
        var modelFolder = Path.Combine(folder, "model");
        await new ModelRegistry(store).DownloadAsync(parent, modelFolder, cancellation);
        var digests = new Dictionary<string, Digest>();
        var train = (await LoadAsync(request.Data.Train))!;
        var holdout = await LoadAsync(request.Data.Holdout);
        var test = await LoadAsync(request.Data.Test);
        IReadOnlyList<OracleRecord> oracles = [];
        if (request.Audit.Oracles is { } path)
        {
            var file = OracleFile.Parse(await File.ReadAllBytesAsync(await DownloadAsync(new DataFile(path, null)), cancellation), path);
            var data = request.Data;
            if (file.RequestDigest != OracleKey.Of(HexOf(data.Train)!, HexOf(data.Holdout), HexOf(data.Test), IdsOf(ForgetOf(request, train)))
                || file.ModelDigest != ModelDigestOf(parent).ToString())
                throw new AuditInputException($"{path}: the oracles were made for another model, other data or another forget set; "
                    + "make oracles for this request, or leave audit.oracles out");
            oracles = file.Oracles;
        }
        return new(parent, Path.Combine(modelFolder, "model.onnx"), request, train, holdout, test, oracles, digests);

        string? HexOf(DataFile? file) => file is null ? null : digests[file.Path].Hex;

        async Task<DataSet?> LoadAsync(DataFile? file) => file is null ? null : Load(request.Data, file.Path, await DownloadAsync(file));

        async Task<string> DownloadAsync(DataFile file)
        {
            var local = Path.Combine(folder, "data", file.Path.Replace('/', Path.DirectorySeparatorChar));
            Directory.CreateDirectory(Path.GetDirectoryName(local)!);
            await using var source = await store.OpenReadAsync(file.Path, cancellation)
                ?? throw new RegistryException(RegistryErrorKind.NotFound, file.Path,
                    "the registry has no such file. Correct the path in the request, or put the file there.");
            await using (var target = new FileStream(local, FileMode.Create, FileAccess.Write))
                await source.CopyToAsync(target, cancellation);
            await using var written = File.OpenRead(local);
            var digest = await Digest.OfAsync(written, cancellation);
            if (file.Sha256 is { } expected && digest != expected)
                throw new RegistryException(RegistryErrorKind.Corrupt, file.Path,
                    $"the file has the digest {digest}, the request asks for {expected}. Restore the file, or correct the request.");
            digests[file.Path] = digest;
            return local;
        }
    }

    static Subset ForgetOf(UnlearningRequest request, DataSet train) => train.Select(request.Forget, request.ForgetGroups, "forget");

    static string[] IdsOf(Subset subset) => [.. subset.Rows.ToArray().Select(subset.Data.IdOf)];

    static Digest ModelDigestOf(ResolvedVersion version) => version.Manifest.Files.Single(f => f.Path == "model.onnx").Digest;

    /// <summary>Messages name the path in the registry, not that of the copy.</summary>
    static DataSet Load(RequestedData data, string path, string copy)
    {
        using var npz = new NpzReader(File.OpenRead(copy), path);
        var names = data.Arrays;
        return DataSet.From(
            npz.Read(names.Inputs),
            npz.Read(names.Labels),
            names.Ids is null ? npz.Find("id") : npz.Read(names.Ids),
            names.TrueLabels is null ? npz.Find("y_true") : npz.Read(names.TrueLabels),
            names.Groups is null ? npz.Find("group") : npz.Read(names.Groups),
            new Normalization(data.Scale, data.Mean, data.Std));
    }
}
