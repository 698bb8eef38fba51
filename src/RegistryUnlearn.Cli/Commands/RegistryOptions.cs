using System.CommandLine;
using RegistryUnlearn.Registry;
using RegistryUnlearn.Worker;
using RegistryUnlearn.Worker.Jobs;

namespace RegistryUnlearn.Cli.Commands;

/// <summary>Options of the commands that work on a registry.</summary>
static class RegistryOptions
{
    public static Option<string> Registry() => CommonOptions.File("--registry", "folder", "The model registry.");

    public static Option<string?> Key() => new("--commitment-key")
    {
        Description = "File with a key of at least 32 bytes for the commitment to the forget set. Default: a key that the registry keeps.",
        HelpName = "file",
    };

    /// <exception cref="InputException">The folder does not exist.</exception>
    public static FolderStore Open(string folder) => Directory.Exists(folder)
        ? new FolderStore(folder)
        : throw new InputException(folder, "there is no such folder; give the registry's root with --registry");

    public static JobOptions Jobs(string? keyFile)
    {
        if (keyFile is null)
            return new JobOptions();
        var key = System.IO.File.ReadAllBytes(keyFile);
        return key.Length >= 32 ? new JobOptions { CommitmentKey = key }
            : throw new InputException(keyFile, $"the key has {key.Length} bytes; give at least 32");
    }
}
