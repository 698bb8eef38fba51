using System.Security.Cryptography;

namespace RegistryUnlearn.Lineage;

/// <summary>
/// A private key for ECDSA. Neither its text nor its passphrase is ever part of an error: messages name where the key came from.
/// Thread-safe.
/// </summary>
public sealed class SigningKey : IDisposable
{
    const string EncryptedLabel = "ENCRYPTED PRIVATE KEY";

    static readonly PbeParameters Encryption = new(PbeEncryptionAlgorithm.Aes256Cbc, HashAlgorithmName.SHA256, iterationCount: 600_000);

    readonly ECDsa key;
    readonly Lock gate = new();

    SigningKey(ECDsa key, SigningCurve curve) => (this.key, PublicKey) = (key, new(key, curve));

    public VerificationKey PublicKey { get; }

    /// <summary>A new key from the operating system's source of randomness.</summary>
    public static SigningKey Create(SigningCurve curve) => new(ECDsa.Create(curve.Curve), curve);

    /// <summary>Reads the first PEM block of a text: PKCS#8, plain or encrypted, or SEC 1.</summary>
    /// <param name="passphrase">For an encrypted key; null when there is none.</param>
    /// <param name="place">Named in errors.</param>
    /// <exception cref="LineageException">No private key, one of another kind, or the passphrase is missing or wrong.</exception>
    public static SigningKey FromPem(string pem, string? passphrase, string place)
    {
        if (!PemEncoding.TryFind(pem, out var fields))
            throw new LineageException(place, "there is no PEM block in it. Make a key with: registry-unlearn keys create <file>");
        var block = pem.AsSpan()[fields.Location];
        var isEncrypted = pem[fields.Label] is EncryptedLabel;
        if (isEncrypted && passphrase is null)
            throw new LineageException(place, "the private key is encrypted. Give its passphrase.");
        var key = ECDsa.Create();
        try
        {
            if (isEncrypted)
                key.ImportFromEncryptedPem(block, passphrase);
            else
                key.ImportFromPem(block);
            // A public key imports as well, and fails here.
            CryptographicOperations.ZeroMemory(key.ExportPkcs8PrivateKey());
            return new(key, SigningCurve.Of(key) ?? throw new CryptographicException());
        }
        catch (Exception e) when (e is CryptographicException or ArgumentException)
        {
            key.Dispose();
            // Without the cause: nothing that has seen the key speaks of it.
            throw new LineageException(place, isEncrypted
                ? "the private key cannot be opened. Check its passphrase."
                : $"it holds no private ECDSA key on one of {string.Join(", ", SigningCurve.All)}. "
                    + "Make one with: registry-unlearn keys create <file>");
        }
    }

    /// <summary>Signs with the curve's hash. Signatures are randomised: the same bytes are signed differently each time.</summary>
    /// <returns>DER.</returns>
    public byte[] Sign(ReadOnlySpan<byte> data)
    {
        lock (gate)
            return key.SignData(data, PublicKey.Curve.Hash, DSASignatureFormat.Rfc3279DerSequence);
    }

    /// <summary>PKCS#8 in PEM, ended by LF.</summary>
    /// <param name="passphrase">Encrypts the key (PBES2, AES-256, PBKDF2 with SHA-256); null for none.</param>
    public string ToPem(string? passphrase)
    {
        lock (gate)
        {
            var pem = passphrase is null
                ? key.ExportPkcs8PrivateKeyPem() : key.ExportEncryptedPkcs8PrivateKeyPem(passphrase, Encryption);
            return pem + "\n";
        }
    }

    public void Dispose() => key.Dispose();
}
