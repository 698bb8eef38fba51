using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using RegistryUnlearn.Auditing;
using RegistryUnlearn.Registry;
using RegistryUnlearn.Training.Buffers;
using RegistryUnlearn.Unlearning.Data;
using RegistryUnlearn.Worker.Jobs;
using RegistryUnlearn.Worker.Requests;

namespace RegistryUnlearn.Worker.Oracles;

/// <summary>
/// What a pool is about: the model's graph, data, forget set and training. Its SHA-256 is the pool's id. How many models there are is no
/// part of it, so that a pool can grow.
/// </summary>
static class OraclePool
{
    const string Model = "model", Data = "data";

    public static (string Id, byte[] Definition) Define(UnlearningRequest request, FetchedJob fetched, PoolRecipe recipe)
    {
        var definition = new JsonObject
        {
            ["schemaVersion"] = 1,
            [Model] = fetched.ModelDigest.ToString(),
            [Data] = KeyOf(request, fetched),
            ["normalization"] = JsonSerializer.SerializeToNode(
                new { request.Data.Scale, request.Data.Mean, request.Data.Std }, RequestJson.Options),
            ["arrays"] = JsonSerializer.SerializeToNode(request.Data.Arrays, RequestJson.Options),
            ["parameters"] = JsonSerializer.SerializeToNode(request.Parameters, RequestJson.Options),
            ["logits"] = JsonSerializer.SerializeToNode(request.Logits, RequestJson.Options),
            ["seed"] = recipe.Seed,
            ["augmentation"] = JsonSerializer.SerializeToNode(recipe.Augmentation, RequestJson.Options),
            ["training"] = JsonSerializer.SerializeToNode(recipe.Training, RequestJson.Options),
        };
        var bytes = CanonicalJson.Canonicalize(definition.ToJsonString());
        return (Hex(bytes), bytes);
    }

    /// <summary>Stands for the method, its options, seed and share of the data in names of unlearned models.</summary>
    public static string MethodTag(UnlearningRequest request)
    {
        var method = new JsonObject
        {
            ["method"] = request.Method.Method.Name,
            ["options"] = request.Method.OptionsJson(),
            ["fraction"] = request.Retain.Fraction,
            ["retainSeed"] = request.Retain.Seed,
            ["retained"] = request.Retain.Ids is { } ids ? Hex(Encoding.UTF8.GetBytes(string.Join('\n', ids))) : null,
        };
        return Hex(CanonicalJson.Canonicalize(method.ToJsonString()))[..12];
    }

    /// <summary>Checks that a pool is about a request's model, data and forget set.</summary>
    /// <exception cref="AuditInputException">It is not, or there is no such pool.</exception>
    public static async Task RequireFitsAsync(
        IObjectStore store, ModelPool pool, UnlearningRequest request, FetchedJob fetched, CancellationToken cancellation)
    {
        var path = pool.Folder + "pool.json";
        var stored = await store.ReadAsync(path, cancellation)
            ?? throw new AuditInputException($"{path}: there is no such pool; train it with audit oracles, or leave audit.pool out");
        JsonNode definition;
        try
        {
            definition = JsonNode.Parse(stored.Content.Span)!;
        }
        catch (JsonException e)
        {
            throw new AuditInputException($"{path}: is not valid JSON ({e.Message.TrimEnd('.')}); remove the pool and train it again");
        }
        if ((string?)definition[Model] != fetched.ModelDigest.ToString() || (string?)definition[Data] != KeyOf(request, fetched))
            throw new AuditInputException($"{path}: the pool was made for another model, other data or another forget set; "
                + "train a pool for this request, or leave audit.pool out");
    }

    public static void WriteParameters(TensorBlock parameters, string path)
    {
        using var npz = new NpzWriter(File.Create(path));
        for (var i = 0; i < parameters.TensorCount; i++)
            npz.Add<float>(parameters.Layout[i].Name, [.. parameters.Layout[i].Shape], parameters[i]);
    }

    /// <exception cref="DataException">The file does not have the parameters of the layout.</exception>
    public static void ReadParameters(TensorBlock parameters, string path)
    {
        using var npz = NpzReader.Open(path);
        for (var i = 0; i < parameters.TensorCount; i++)
        {
            var stored = npz.Read(parameters.Layout[i].Name);
            if (stored.ElementType is not NpyElementType.Float32 || !stored.Shape.SequenceEqual(parameters.Layout[i].Shape))
                throw new DataException(path, parameters.Layout[i].Name, "is not the parameter of that name", "train the pool again");
            stored.Values<float>().CopyTo(parameters[i]);
        }
    }

    static string KeyOf(UnlearningRequest request, FetchedJob fetched) => OracleKey.Of(
        fetched.Digests[request.Data.Train.Path].Hex,
        request.Data.Holdout is { } holdout ? fetched.Digests[holdout.Path].Hex : null,
        request.Data.Test is { } test ? fetched.Digests[test.Path].Hex : null,
        fetched.ForgetIds);

    static string Hex(byte[] bytes) => Convert.ToHexStringLower(SHA256.HashData(bytes));
}
