using System.Security.Cryptography;
using System.Text.Json;
using Google.Protobuf;
using RegistryUnlearn.Faults;
using RegistryUnlearn.Onnx.Proto;
using RegistryUnlearn.Registry;

namespace RegistryUnlearn.Cli.Tests.Registry;

/// <summary>The tiny registry as a folder that goes away with the test, and the command run on it.</summary>
sealed class TinyFolder : IDisposable
{
    readonly DirectoryInfo folder = Directory.CreateTempSubdirectory("registry-unlearn-tiny-");

    public string Path => folder.FullName;

    public FolderStore Store => new(Path);

    public static async Task<TinyFolder> CreateAsync()
    {
        var tiny = new TinyFolder();
        await TinyRegistry.FillAsync(tiny.Store);
        return tiny;
    }

    public void Write(string path, byte[] content)
    {
        var file = System.IO.Path.Combine(Path, path);
        Directory.CreateDirectory(System.IO.Path.GetDirectoryName(file)!);
        File.WriteAllBytes(file, content);
    }

    public void Write(string path, ModelProto model) => Write(path, model.ToByteArray());

    public byte[] Read(string path) => File.ReadAllBytes(System.IO.Path.Combine(Path, path));

    /// <summary>Digests of all files of the registry but the job's own.</summary>
    public SortedDictionary<string, string> Served() => new(
        Directory.EnumerateFiles(Path, "*", SearchOption.AllDirectories)
            .Select(f => System.IO.Path.GetRelativePath(Path, f))
            .Where(f => !f.StartsWith(".registry-unlearn/", StringComparison.Ordinal) || f.Contains("/aliases/"))
            .ToDictionary(f => f, f => Convert.ToHexStringLower(SHA256.HashData(Read(f)))), StringComparer.Ordinal);

    /// <summary>Runs <c>run</c> on a request; the file lies outside the registry.</summary>
    public async Task<CommandResult> RunAsync(string request, params string[] more)
    {
        var file = System.IO.Path.GetTempFileName();
        try
        {
            await File.WriteAllTextAsync(file, request);
            return await CommandResult.OfAsync(["run", file, "--registry", Path, .. more]);
        }
        finally
        {
            File.Delete(file);
        }
    }

    public void Dispose() => folder.Delete(recursive: true);
}

/// <summary>What a command said and returned.</summary>
sealed record CommandResult(int Code, string Output, string Error)
{
    public JsonElement Json => JsonDocument.Parse(Output).RootElement;

    public static async Task<CommandResult> OfAsync(params string[] args)
    {
        using StringWriter output = new() { NewLine = "\n" }, error = new() { NewLine = "\n" };
        var code = await new CommandLine(new(output, error), TimeProvider.System).RunAsync(args, TestContext.Current.CancellationToken);
        return new(code, output.ToString(), error.ToString());
    }
}
