using System.CommandLine;
using RegistryUnlearn.Lineage;
using RegistryUnlearn.Worker.Keys;

namespace RegistryUnlearn.Cli.Commands;

/// <summary>The option of commands that sign.</summary>
static class SigningOptions
{
    public static Option<string?> Key() => new("--signing-key")
    {
        Description = "PEM file with the private key that signs what is published; see keys create. Default: the key in "
            + $"{SigningKeySource.KeyVariable} or in the file that {SigningKeySource.KeyFileVariable} names; without one nothing is "
            + "signed. "
            + $"The passphrase of an encrypted key is in {SigningKeySource.PassphraseVariable} or the file of "
            + $"{SigningKeySource.PassphraseFileVariable}.",
        HelpName = "file",
    };

    /// <inheritdoc cref="SigningKeySource.Find"/>
    public static SigningKey? Open(string? file) => SigningKeySource.Find(file, Environment.GetEnvironmentVariable);
}
