using System.Security.Cryptography;
using System.Text;

namespace RegistryUnlearn.Lineage;

/// <summary>A public key for ECDSA. Thread-safe.</summary>
public sealed class VerificationKey
{
    const string Label = "PUBLIC KEY";

    readonly byte[] info;

    internal VerificationKey(ECDsa key, SigningCurve curve)
    {
        (info, Curve) = (key.ExportSubjectPublicKeyInfo(), curve);
        Hint = Convert.ToHexStringLower(SHA256.HashData(Encoding.ASCII.GetBytes(ToPem())));
    }

    public SigningCurve Curve { get; }

    /// <summary>
    /// What signatures call the key: SHA-256 of its PEM text with the final LF (OpenSSF Model Signing v1.0), in hexadecimal.
    /// </summary>
    public string Hint { get; }

    /// <summary>Reads the first PEM block of a text; what stands around it is passed over.</summary>
    /// <param name="place">Named in errors.</param>
    /// <exception cref="LineageException">No public key, or one of another kind.</exception>
    public static VerificationKey FromPem(string pem, string place)
    {
        if (!PemEncoding.TryFind(pem, out var fields))
            throw new LineageException(place, "there is no PEM block in it. Give the publisher's public key, a PEM file.");
        if (pem[fields.Label] is not Label)
        {
            throw new LineageException(place,
                $"the first PEM block is '{pem[fields.Label]}', not '{Label}'. Give the publisher's public key.");
        }
        using var key = ECDsa.Create();
        try
        {
            key.ImportFromPem(pem.AsSpan()[fields.Location]);
        }
        catch (Exception e) when (e is CryptographicException or ArgumentException)
        {
            throw NotUsable(place);
        }
        return new(key, SigningCurve.Of(key) ?? throw NotUsable(place));
    }

    /// <summary>The key as SubjectPublicKeyInfo in PEM, ended by LF.</summary>
    public string ToPem() => PemEncoding.WriteString(Label, info) + "\n";

    /// <summary>Whether a signature (DER) over these bytes is this key's; false for what is no signature at all.</summary>
    public bool Verify(ReadOnlySpan<byte> data, ReadOnlySpan<byte> signature)
    {
        using var key = ECDsa.Create();
        key.ImportSubjectPublicKeyInfo(info, out _);
        try
        {
            return key.VerifyData(data, signature, Curve.Hash, DSASignatureFormat.Rfc3279DerSequence);
        }
        catch (CryptographicException)
        {
            return false;
        }
    }

    static LineageException NotUsable(string place) => new(place,
        $"it holds no ECDSA key on one of {string.Join(", ", SigningCurve.All)}. Give the publisher's public key of that kind.");
}
