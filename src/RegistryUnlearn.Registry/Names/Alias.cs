using System.Diagnostics.CodeAnalysis;
using System.Text.Json.Serialization;

namespace RegistryUnlearn.Registry;

/// <summary>A movable pointer to one version of a model, such as <c>production</c>. Same rule as <see cref="ModelName"/>.</summary>
[JsonConverter(typeof(ParsableConverter<Alias>))]
public readonly record struct Alias : IParsable<Alias>
{
    readonly string? value;

    Alias(string value) => this.value = value;

    public static Alias Parse(string text) => TryParse(text, out var alias)
        ? alias
        : throw new FormatException($"'{text}' is not an alias: write {ModelName.Rule}.");

    public static bool TryParse([NotNullWhen(true)] string? text, out Alias alias)
    {
        var valid = ModelName.IsName(text);
        alias = valid ? new(text!) : default;
        return valid;
    }

    public override string ToString() => value ?? throw new InvalidOperationException("The default Alias is not an alias.");

    static Alias IParsable<Alias>.Parse(string s, IFormatProvider? provider) => Parse(s);

    static bool IParsable<Alias>.TryParse(string? s, IFormatProvider? provider, out Alias result) => TryParse(s, out result);
}
