using System.Diagnostics.CodeAnalysis;
using System.Text.Json.Serialization;

namespace RegistryUnlearn.Registry;

/// <summary>
/// A job's identity: 64 lower-case hexadecimal digits, the SHA-256 of what was asked of which model. The same request on the same bytes is
/// one job.
/// </summary>
[JsonConverter(typeof(ParsableConverter<JobId>))]
public readonly record struct JobId : IParsable<JobId>
{
    readonly Digest digest;

    JobId(Digest digest) => this.digest = digest;

    public static JobId From(Digest digest) => new(digest);

    public static JobId Parse(string text) => TryParse(text, out var id)
        ? id
        : throw new FormatException($"'{text}' is not a job id: write its 64 lower-case hexadecimal digits.");

    public static bool TryParse([NotNullWhen(true)] string? text, out JobId id)
    {
        var valid = Digest.TryParseHex(text, out var digest);
        id = new(digest);
        return valid;
    }

    public override string ToString() => digest.Hex;

    static JobId IParsable<JobId>.Parse(string s, IFormatProvider? provider) => Parse(s);

    static bool IParsable<JobId>.TryParse(string? s, IFormatProvider? provider, out JobId result) => TryParse(s, out result);
}
