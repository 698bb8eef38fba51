using RegistryUnlearn.Lineage;

namespace RegistryUnlearn.Worker.Keys;

/// <summary>
/// Where a worker finds its signing key and the passphrase: never on a command line, which everybody on the machine can read.
/// </summary>
public static class SigningKeySource
{
    /// <summary>The key itself, as PEM text.</summary>
    public const string KeyVariable = "REGISTRY_UNLEARN_SIGNING_KEY";

    /// <summary>The path of a PEM file.</summary>
    public const string KeyFileVariable = KeyVariable + "_FILE";

    /// <summary>The passphrase of an encrypted key.</summary>
    public const string PassphraseVariable = KeyVariable + "_PASSPHRASE";

    /// <summary>The path of a file with the passphrase; a line end at its end is not part of it.</summary>
    public const string PassphraseFileVariable = PassphraseVariable + "_FILE";

    /// <param name="file">The path given for this run; it comes before the environment.</param>
    /// <param name="environment">A variable's value; null when it is not set.</param>
    /// <returns>The key, which the caller disposes of; null when there is none.</returns>
    /// <exception cref="InputException">A file cannot be read, or two sources are set at once.</exception>
    /// <exception cref="LineageException">What was found is no such key, or its passphrase is missing or wrong.</exception>
    public static SigningKey? Find(string? file, Func<string, string?> environment)
    {
        var text = file is null ? OneOf(KeyVariable, KeyFileVariable, environment) : null;
        file ??= text is null ? Value(KeyFileVariable, environment) : null;
        return text is not null ? SigningKey.FromPem(text, Passphrase(environment), KeyVariable)
            : file is not null ? KeyFiles.ReadPrivate(file, Passphrase(environment))
            : null;
    }

    /// <summary>The passphrase; null when there is none.</summary>
    /// <exception cref="InputException">The file cannot be read, or both variables are set.</exception>
    public static string? Passphrase(Func<string, string?> environment) =>
        OneOf(PassphraseVariable, PassphraseFileVariable, environment)
        ?? (Value(PassphraseFileVariable, environment) is { } file ? KeyFiles.ReadText(file, "passphrase").TrimEnd('\r', '\n') : null);

    /// <summary>The value of the first variable, when the second is not set as well.</summary>
    static string? OneOf(string variable, string fileVariable, Func<string, string?> environment) =>
        Value(variable, environment) is not { } value ? null
        : Value(fileVariable, environment) is null ? value
        : throw new InputException(variable, $"both {variable} and {fileVariable} are set; set one of them");

    static string? Value(string variable, Func<string, string?> environment) =>
        environment(variable) is { Length: > 0 } value ? value : null;
}
