using System.Security.Cryptography;
using RegistryUnlearn.Auditing;
using RegistryUnlearn.Registry;
using RegistryUnlearn.Unlearning.Data;
using RegistryUnlearn.Worker.Requests;

namespace RegistryUnlearn.Worker.Jobs;

/// <summary>Everything a job needs, as local files with checked digests.</summary>
/// <param name="ModelPath">The parent's model.onnx, its data files beside it.</param>
/// <param name="Digests">SHA-256 of every data file, by its path in the registry.</param>
sealed record FetchedJob(ResolvedVersion Parent, string ModelPath, DataSet Train, DataSet? Holdout, DataSet? Test, OracleFile? Oracles,
    IReadOnlyDictionary<string, Digest> Digests)
{
    /// <summary>Digest of the parent's model.onnx.</summary>
    public Digest ModelDigest => Parent.Manifest.Files.Single(f => f.Path == "model.onnx").Digest;

    /// <exception cref="RegistryException">A file is missing or differs from the digest that the request gives.</exception>
    /// <exception cref="DataException">A file is no data set.</exception>
    public static async Task<FetchedJob> FetchAsync(
        IObjectStore store, UnlearningRequest request, ResolvedVersion parent, string folder, CancellationToken cancellation)
    {
        var modelFolder = Path.Combine(folder, "model");
        await new ModelRegistry(store).DownloadAsync(parent, modelFolder, cancellation);
        var digests = new Dictionary<string, Digest>();
        var names = request.Data.Arrays;
        var options = new DataSetOptions
        {
            Inputs = names.Inputs,
            Labels = names.Labels,
            Ids = names.Ids,
            TrueLabels = names.TrueLabels,
            Groups = names.Groups,
            Normalization = new Normalization(request.Data.Scale, request.Data.Mean, request.Data.Std),
        };
        var train = (await LoadAsync(request.Data.Train))!;
        var holdout = await LoadAsync(request.Data.Holdout);
        var test = await LoadAsync(request.Data.Test);
        OracleFile? oracles = null;
        if (request.Audit.Oracles is { } path)
            oracles = OracleFile.Parse(await File.ReadAllBytesAsync(await DownloadAsync(new DataFile(path, null)), cancellation), path);
        return new(parent, Path.Combine(modelFolder, "model.onnx"), train, holdout, test, oracles, digests);

        async Task<DataSet?> LoadAsync(DataFile? file) => file is null ? null : DataSet.Load(await DownloadAsync(file), options);

        async Task<string> DownloadAsync(DataFile file)
        {
            var local = Path.Combine(folder, "data", file.Path.Replace('/', Path.DirectorySeparatorChar));
            Directory.CreateDirectory(Path.GetDirectoryName(local)!);
            await using var source = await store.OpenReadAsync(file.Path, cancellation)
                ?? throw new RegistryException(RegistryErrorKind.NotFound, file.Path, "the registry has no such file. Correct the path in the request, or put the file there.");
            await using (var target = new FileStream(local, FileMode.Create, FileAccess.Write))
                await source.CopyToAsync(target, cancellation);
            await using var written = File.OpenRead(local);
            var digest = Digest.FromHash(await SHA256.HashDataAsync(written, cancellation));
            if (file.Sha256 is { } expected && digest != expected)
                throw new RegistryException(RegistryErrorKind.Corrupt, file.Path, $"the file has the digest {digest}, the request asks for {expected}. Restore the file, or correct the request.");
            digests[file.Path] = digest;
            return local;
        }
    }
}
