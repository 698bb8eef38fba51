using System.CommandLine;
using RegistryUnlearn.Lineage;
using RegistryUnlearn.Worker;
using RegistryUnlearn.Worker.Keys;

namespace RegistryUnlearn.Cli.Commands;

static class KeysCommand
{
    public static Command Create(CommandHost host) => new("keys", "Keys that sign what is published.") { CreateKey(host) };

    static Command CreateKey(CommandHost host)
    {
        var file = new Argument<string>("file") { Description = "Where the private key goes, such as signing.pem; it must not exist." };
        var curve = CommonOptions.Choice("--curve", "Elliptic curve of the key.", [.. SigningCurve.All.Select(c => c.Name)]);
        var encrypt = new Option<bool>("--encrypt")
        {
            Description = $"Encrypt the private key with the passphrase in {SigningKeySource.PassphraseVariable} or in the file that "
                + $"{SigningKeySource.PassphraseFileVariable} names.",
        };
        var command = new Command("create",
            "Make a key pair: the private key, which its owner alone may read, and the public one beside it, for those who verify.")
        {
            file, curve, encrypt,
        };
        return host.Run(command, (parsed, _) =>
        {
            var path = parsed.GetRequiredValue(file);
            var passphrase = parsed.GetValue(encrypt) ? Passphrase() : null;
            using var key = SigningKey.Create(SigningCurve.All.Single(c => c.Name == parsed.GetRequiredValue(curve)));
            var answer = new KeyAnswer(path, KeyFiles.Write(key, path, passphrase), key.PublicKey.Curve.Name, key.PublicKey.Hint,
                passphrase is not null);
            return new Answer(answer, screen =>
            {
                screen.Line($"Private key  {answer.PrivateKey}{(answer.IsEncrypted ? "  (encrypted)" : "  (not encrypted: guard it)")}");
                screen.Line($"Public key   {answer.PublicKey}  (for those who verify)");
                screen.Line($"Name         {answer.Hint}  ({answer.Curve})");
            });
        });
    }

    static string Passphrase() => SigningKeySource.Passphrase(Environment.GetEnvironmentVariable)
        ?? throw new InputException("--encrypt",
            $"there is no passphrase; put it into {SigningKeySource.PassphraseVariable}, "
            + $"or name a file with it in {SigningKeySource.PassphraseFileVariable}");

    /// <param name="Hint">What signatures call the key.</param>
    sealed record KeyAnswer(string PrivateKey, string PublicKey, string Curve, string Hint, bool IsEncrypted);
}
