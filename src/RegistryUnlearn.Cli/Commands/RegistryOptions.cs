using System.CommandLine;
using System.Globalization;
using RegistryUnlearn.Lineage;
using RegistryUnlearn.Registry;
using RegistryUnlearn.Registry.Azure;
using RegistryUnlearn.Worker;
using RegistryUnlearn.Worker.Jobs;

namespace RegistryUnlearn.Cli.Commands;

/// <summary>Options of the commands that work on a registry.</summary>
static class RegistryOptions
{
    const int MaxInterval = 86_400;

    public static Option<string> Registry() => CommonOptions.File(
        "--registry", "location", "The model registry: a folder, or the address of a container of Azure Blob Storage.");

    public static Option<string?> Key() => new("--commitment-key")
    {
        Description = "File with a key of at least 32 bytes for the commitment to the forget set. Default: a key that the registry keeps.",
        HelpName = "file",
    };

    /// <exception cref="InputException">The folder does not exist.</exception>
    /// <exception cref="RegistryException">It is no location of a registry, or no credential is named.</exception>
    public static IObjectStore Open(string registry) => Open(RegistryLocation.Parse(registry));

    /// <inheritdoc cref="Open(string)"/>
    public static IObjectStore Open(RegistryLocation location) =>
        location is FolderLocation { Folder: var folder } && !Directory.Exists(folder)
            ? throw new InputException(folder, "there is no such folder; give the registry's root with --registry")
            : location.Open(Environment.GetEnvironmentVariable);

    public static Option<double> CheckpointInterval() => new("--checkpoint-interval")
    {
        Description = "Seconds of work between two checkpoints, from which an interrupted job goes on; 0 saves every step.",
        HelpName = "seconds",
        DefaultValueFactory = _ => new JobOptions().CheckpointInterval.TotalSeconds,
        CustomParser = result =>
        {
            if (double.TryParse(result.Tokens[0].Value, NumberStyles.Float, CultureInfo.InvariantCulture, out var seconds)
                && seconds is >= 0 and <= MaxInterval)
                return seconds;
            result.AddError($"--checkpoint-interval is not from 0 to {MaxInterval}; give the seconds between two checkpoints.");
            return 0;
        },
    };

    /// <exception cref="InputException">The key is missing or too short.</exception>
    public static JobOptions Jobs(string? keyFile, double checkpointInterval) => new()
    {
        CommitmentKey = keyFile is null ? (ReadOnlyMemory<byte>?)null : ReadKey(keyFile),
        CheckpointInterval = TimeSpan.FromSeconds(checkpointInterval),
    };

    static byte[] ReadKey(string path)
    {
        byte[] key;
        try
        {
            key = System.IO.File.ReadAllBytes(path);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new InputException(path, $"the commitment key cannot be read ({e.GetType().Name}); give a file with --commitment-key", e);
        }
        return key.Length >= ForgetCommitment.MinKeyBytes ? key
            : throw new InputException(path, $"the key has {key.Length} bytes; give at least {ForgetCommitment.MinKeyBytes}");
    }
}
