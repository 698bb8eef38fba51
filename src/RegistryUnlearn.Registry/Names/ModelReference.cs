using System.Diagnostics.CodeAnalysis;
using System.Text.Json.Serialization;

namespace RegistryUnlearn.Registry;

/// <summary>Which version is meant: <c>name@7</c> by number or <c>name:production</c> by alias. Exactly one of the two is set.</summary>
[JsonConverter(typeof(ParsableConverter<ModelReference>))]
public readonly record struct ModelReference : IParsable<ModelReference>
{
    ModelReference(ModelName model, int? version, Alias? alias) => (Model, Version, Alias) = (model, version, alias);

    public ModelName Model { get; }

    public int? Version { get; }

    public Alias? Alias { get; }

    /// <exception cref="ArgumentOutOfRangeException">The version is not positive.</exception>
    public static ModelReference To(ModelName model, int version) => new(model, VersionNumber.Check(version), null);

    public static ModelReference To(ModelName model, Alias alias) => new(model, null, alias);

    public static ModelReference Parse(string text) => TryParse(text, out var reference)
        ? reference
        : throw new FormatException($"'{text}' is not a model reference: write name@7 (a version) or name:production (an alias).");

    public static bool TryParse([NotNullWhen(true)] string? text, out ModelReference reference)
    {
        reference = default;
        var separator = text?.IndexOfAny(['@', ':']) ?? -1;
        if (separator < 0 || !ModelName.TryParse(text![..separator], out var model))
            return false;
        var rest = text[(separator + 1)..];
        if (text[separator] is '@' && VersionNumber.TryParse(rest, out var version))
            reference = To(model, version);
        else if (text[separator] is ':' && Registry.Alias.TryParse(rest, out var alias))
            reference = To(model, alias);
        else
            return false;
        return true;
    }

    public override string ToString() => Version is { } version ? $"{Model}@{VersionNumber.Format(version)}" : $"{Model}:{Alias}";

    static ModelReference IParsable<ModelReference>.Parse(string s, IFormatProvider? provider) => Parse(s);

    static bool IParsable<ModelReference>.TryParse(string? s, IFormatProvider? provider, out ModelReference result) =>
        TryParse(s, out result);
}
