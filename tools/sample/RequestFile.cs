using System.Security.Cryptography;
using System.Text.Encodings.Web;
using System.Text.Json;

namespace RegistryUnlearn.SampleMaker;

/// <summary>The request of one forget set, as a user would write it.</summary>
static class RequestFile
{
    static readonly JsonSerializerOptions Json =
        new() { WriteIndented = true, NewLine = "\n", Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <summary>Writes requests/{name}.json below the registry folder.</summary>
    public static void Write(string registry, string name, DataDigests data, IReadOnlyList<string> forget)
    {
        var request = new
        {
            schemaVersion = 1,
            model = "digits@1",
            method = new { name = "match", options = new { } },
            seed = 1,
            data = new
            {
                train = new { path = DataDigests.PathOf("train"), sha256 = data.Train },
                holdout = new { path = DataDigests.PathOf("holdout"), sha256 = data.Holdout },
                test = new { path = DataDigests.PathOf("test"), sha256 = data.Test },
                normalization = new { scale = Digit.Brightest, mean = new[] { 0 }, std = new[] { 1 } },
            },
            forget = new { ids = forget },
            retain = new { fraction = 0.1, seed = 1 },
            audit = new
            {
                oracles = $"requests/{name}.oracles.json",
                compare = new[] { "finetune", "neggrad+" },
                gates = new[] { new { metric = "h", atMost = 0.25 } },
            },
            publish = new { parent = "keep" },
        };
        File.WriteAllText(Path.Combine(registry, "requests", $"{name}.json"), JsonSerializer.Serialize(request, Json) + "\n");
    }
}

/// <summary>SHA-256 of the data files, 64 hexadecimal digits each.</summary>
sealed record DataDigests(string Train, string Holdout, string Test)
{
    /// <summary>Where a data file lies below the registry folder.</summary>
    public static string PathOf(string name) => $"datasets/digits/{name}.npz";

    public static DataDigests Of(string registry)
    {
        return new(Digest("train"), Digest("holdout"), Digest("test"));

        string Digest(string name) => HexOf(Path.Combine(registry, PathOf(name)));
    }

    public static string HexOf(string path) => Convert.ToHexStringLower(SHA256.HashData(File.ReadAllBytes(path)));
}
