using System.Globalization;
using System.Text.Json;

namespace RegistryUnlearn.Unlearning.Methods;

/// <summary>
/// Reads the fields of one JSON object and collects everything that is wrong: unknown fields, wrong types, values out of range.
/// </summary>
/// <param name="element">The object; undefined for an empty one.</param>
/// <param name="path">Where the object stands in the request, for messages.</param>
/// <param name="errors">Receives the messages.</param>
public sealed class OptionReader(JsonElement element, string path, List<string> errors)
{
    /// <summary>Characters of a request's own text that a message repeats at most.</summary>
    const int Shown = 60;

    readonly HashSet<string> known = [];

    public float Float(string name, float otherwise, float min, float max) =>
        (float)Number(name, otherwise, min, max, Text(min), Text(max));

    public int Int(string name, int otherwise, int min, int max)
    {
        var value = Number(name, otherwise, min, max, Text(min), Text(max));
        if (value == Math.Truncate(value))
            return (int)value;
        errors.Add($"{path}.{name} is {Text(value)}; give a whole number");
        return otherwise;
    }

    public bool Bool(string name, bool otherwise)
    {
        if (Field(name) is not { } field)
            return otherwise;
        if (field.ValueKind is JsonValueKind.True or JsonValueKind.False)
            return field.GetBoolean();
        errors.Add($"{path}.{name} is {Quoted(field)}; give true or false");
        return otherwise;
    }

    /// <summary>One of an enumeration's members, written in lower case with dashes.</summary>
    public T Choice<T>(string name, T otherwise) where T : struct, Enum => Choice(name, otherwise, Enum.GetValues<T>());

    /// <summary>One of some members of an enumeration, written in lower case with dashes.</summary>
    public T Choice<T>(string name, T otherwise, IReadOnlyList<T> among) where T : struct, Enum
    {
        if (Field(name) is not { } field)
            return otherwise;
        if (field.ValueKind is JsonValueKind.String)
            foreach (var value in among)
                if (Spelling(value) == field.GetString())
                    return value;
        errors.Add($"{path}.{name} is {Quoted(field)}; give one of {string.Join(", ", among.Select(Spelling))}");
        return otherwise;
    }

    /// <summary>Reports the fields that nobody asked for; called once after all others.</summary>
    public void Finish()
    {
        if (element.ValueKind is JsonValueKind.Object)
            foreach (var field in element.EnumerateObject().Where(f => !known.Contains(f.Name)))
                errors.Add($"{path}.{Printable(field.Name)} is unknown; "
                    + $"known are {string.Join(", ", known.Order(StringComparer.Ordinal))}");
        else if (element.ValueKind is not JsonValueKind.Undefined)
            errors.Add($"{path} is {element.ValueKind.ToString().ToLowerInvariant()}; give an object");
    }

    /// <summary>ProtectRemember → protect-remember</summary>
    public static string Spelling<T>(T value) where T : struct, Enum => JsonNamingPolicy.KebabCaseLower.ConvertName(value.ToString());

    double Number(string name, double otherwise, double min, double max, string from, string to)
    {
        if (Field(name) is not { } field)
            return otherwise;
        if (field.ValueKind is JsonValueKind.Number && field.TryGetDouble(out var value) && value >= min && value <= max)
            return value;
        errors.Add($"{path}.{name} is {Quoted(field)}; give a number from {from} to {to}");
        return otherwise;
    }

    JsonElement? Field(string name)
    {
        known.Add(name);
        return element.ValueKind is JsonValueKind.Object && element.TryGetProperty(name, out var field) ? field : null;
    }

    static string Quoted(JsonElement field) => Printable(field.GetRawText());

    /// <summary>Text of a request must neither flood a message nor forge log lines.</summary>
    static string Printable(string text) =>
        string.Concat(text.Take(Shown).Select(c => char.IsControl(c) ? '?' : c)) + (text.Length > Shown ? "…" : "");

    static string Text<T>(T value) where T : IFormattable => value.ToString(null, CultureInfo.InvariantCulture);
}
