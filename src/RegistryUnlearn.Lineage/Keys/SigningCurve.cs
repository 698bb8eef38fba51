using System.Security.Cryptography;

namespace RegistryUnlearn.Lineage;

/// <summary>An elliptic curve of NIST with the hash that goes with it (OpenSSF Model Signing v1.0, key method).</summary>
public sealed class SigningCurve
{
    public static readonly SigningCurve P256 = new("P-256", ECCurve.NamedCurves.nistP256, HashAlgorithmName.SHA256);
    public static readonly SigningCurve P384 = new("P-384", ECCurve.NamedCurves.nistP384, HashAlgorithmName.SHA384);
    public static readonly SigningCurve P521 = new("P-521", ECCurve.NamedCurves.nistP521, HashAlgorithmName.SHA512);

    SigningCurve(string name, ECCurve curve, HashAlgorithmName hash) => (Name, Curve, Hash) = (name, curve, hash);

    /// <summary>In order of strength.</summary>
    public static IReadOnlyList<SigningCurve> All { get; } = [P256, P384, P521];

    public string Name { get; }

    /// <summary>Name of the hash, such as SHA256.</summary>
    public HashAlgorithmName Hash { get; }

    internal ECCurve Curve { get; }

    /// <summary>Of an imported key; null for a curve that is none of these.</summary>
    internal static SigningCurve? Of(ECDsa key)
    {
        var curve = key.ExportParameters(includePrivateParameters: false).Curve;
        return curve.IsNamed ? All.FirstOrDefault(c => c.Curve.Oid.Value == curve.Oid.Value) : null;
    }

    public override string ToString() => Name;
}
