using System.Diagnostics;
using System.Runtime.InteropServices;
using System.Text.Json;

namespace RegistryUnlearn.Testing;

/// <summary>A tensor that goes to or comes from the official engine.</summary>
/// <param name="Type">float32, int32, int64 or bool.</param>
/// <param name="Data">Elements in row-major order, little endian.</param>
sealed record EngineTensor(string Type, long[] Dims, byte[] Data)
{
    public static EngineTensor Of(long[] dims, float[] values) => new("float32", dims, MemoryMarshal.AsBytes(values.AsSpan()).ToArray());

    public static EngineTensor Of(long[] dims, long[] values) => new("int64", dims, MemoryMarshal.AsBytes(values.AsSpan()).ToArray());

    public float[] Floats() => Type == "float32" ? MemoryMarshal.Cast<byte, float>(Data).ToArray()
        : throw new InvalidOperationException($"the engine gave {Type}");
}

/// <summary>Either training on a folder of artifacts, one step for each of the feeds, or one run of a model.</summary>
sealed record EngineJob(
    string? Train = null, IReadOnlyList<Dictionary<string, EngineTensor>>? Steps = null,
    string? Run = null, Dictionary<string, EngineTensor>? Feeds = null);

/// <param name="Outputs">Of every step, and after training of an evaluation on the last step's feeds.</param>
/// <param name="Parameters">After training: all of them, one after another.</param>
sealed record EngineResult(
    IReadOnlyList<Dictionary<string, EngineTensor>>? Outputs = null, EngineTensor? Parameters = null, string? Error = null);

/// <summary>
/// The official ONNX Runtime Training engine in its WebAssembly build, run by Node.js. Tests that need it are skipped where it is not
/// installed (<c>npm ci</c> in tests/ort-training).
/// </summary>
static class TrainingEngine
{
    static readonly JsonSerializerOptions Json = new(JsonSerializerDefaults.Web)
    {
        DefaultIgnoreCondition = System.Text.Json.Serialization.JsonIgnoreCondition.WhenWritingNull,
    };

    static string Folder => Path.Combine(Repository.Root, "tests", "ort-training");

    public static void Require()
    {
        Assert.SkipUnless(Directory.Exists(Path.Combine(Folder, "node_modules", "onnxruntime-web")),
            "onnxruntime-web is not installed: run 'npm ci' in tests/ort-training");
        Assert.SkipUnless(ExternalCommand.Run("node", "--version").Code == 0, "the program 'node' is not on the path");
    }

    /// <summary>Runs jobs in one process, in order; a job that fails has an error for its result.</summary>
    /// <param name="folder">Takes two files of this method.</param>
    public static async Task<EngineResult[]> RunAsync(string folder, IReadOnlyList<EngineJob> jobs)
    {
        string jobsFile = Path.Combine(folder, "jobs.json"), resultsFile = Path.Combine(folder, "results.json");
        await File.WriteAllTextAsync(jobsFile, JsonSerializer.Serialize(jobs, Json));
        using var process = Start(Path.Combine(Folder, "engine.mjs"), jobsFile, resultsFile);
        var error = await process.StandardError.ReadToEndAsync();
        await process.WaitForExitAsync();
        Assert.True(process.ExitCode == 0, error);
        var results = JsonSerializer.Deserialize<EngineResult[]>(await File.ReadAllTextAsync(resultsFile), Json)!;
        Assert.Equal(jobs.Count, results.Length);
        return results;
    }

    static Process Start(params string[] arguments) =>
        Process.Start(new ProcessStartInfo("node", arguments) { RedirectStandardError = true, RedirectStandardOutput = true })!;
}
