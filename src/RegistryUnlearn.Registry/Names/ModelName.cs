using System.Diagnostics.CodeAnalysis;
using System.Text.Json.Serialization;
using System.Text.RegularExpressions;

namespace RegistryUnlearn.Registry;

/// <summary>
/// A model's name: a letter or digit, then at most 254 letters, digits, underscores or hyphens. Case-sensitive. The default value is not a
/// name.
/// </summary>
[JsonConverter(typeof(ParsableConverter<ModelName>))]
public readonly partial record struct ModelName : IParsable<ModelName>
{
    public const string Rule = "a letter or digit followed by at most 254 letters, digits, '_' or '-'";

    readonly string? value;

    ModelName(string value) => this.value = value;

    public static ModelName Parse(string text) => TryParse(text, out var name)
        ? name
        : throw new FormatException($"'{text}' is not a model name: write {Rule}.");

    public static bool TryParse([NotNullWhen(true)] string? text, out ModelName name)
    {
        var valid = IsName(text);
        name = valid ? new(text!) : default;
        return valid;
    }

    public override string ToString() => value ?? throw new InvalidOperationException("The default ModelName is not a name.");

    static ModelName IParsable<ModelName>.Parse(string s, IFormatProvider? provider) => Parse(s);

    static bool IParsable<ModelName>.TryParse(string? s, IFormatProvider? provider, out ModelName result) => TryParse(s, out result);

    internal static bool IsName([NotNullWhen(true)] string? text) => text is not null && Pattern().IsMatch(text);

    [GeneratedRegex(@"^[a-zA-Z0-9][a-zA-Z0-9_-]{0,254}\z", RegexOptions.CultureInvariant)]
    private static partial Regex Pattern();
}
