using System.Text.Json;

namespace RegistryUnlearn.Worker.Requests;

/// <summary>Reads the fields of one JSON object of a request; everything that is wrong is added to a list that all objects share.</summary>
sealed class JsonFields
{
    readonly Dictionary<string, JsonElement> fields = [];
    readonly HashSet<string> known = [];
    readonly string path;
    readonly List<string> errors;
    readonly bool holdsIds;

    /// <param name="holdsIds">Sample ids may stand here, also by mistake: messages count names and do not repeat them.</param>
    public JsonFields(JsonElement element, string path, List<string> errors, bool holdsIds = false)
    {
        (this.path, this.errors, this.holdsIds) = (path, errors, holdsIds);
        if (element.ValueKind is not JsonValueKind.Object)
        {
            errors.Add($"{Place} is {Kind(element)}; give an object");
            return;
        }
        foreach (var field in element.EnumerateObject())
            if (!fields.TryAdd(field.Name, field.Value))
                errors.Add($"{(holdsIds ? $"a field of {Place}" : Path(field.Name))} is given twice; give it once");
    }

    string Place => path.Length == 0 ? "the request" : path;

    public string Path(string name) => path.Length == 0 ? name : $"{path}.{name}";

    /// <summary>A field that may be absent or null.</summary>
    public JsonElement? Optional(string name)
    {
        known.Add(name);
        return fields.TryGetValue(name, out var value) && value.ValueKind is not JsonValueKind.Null ? value : null;
    }

    /// <summary>A field that must be there.</summary>
    public JsonElement? Required(string name, string what)
    {
        var value = Optional(name);
        if (value is null)
            errors.Add($"{Path(name)} is missing; give {what}");
        return value;
    }

    /// <summary>An object field as fields of their own; null where absent.</summary>
    public JsonFields? Object(string name, string? requiredAs = null, bool holdsIds = false)
    {
        var value = requiredAs is null ? Optional(name) : Required(name, requiredAs);
        return value is { } element ? new JsonFields(element, Path(name), errors, holdsIds) : null;
    }

    public string? Text(string name, string? requiredAs = null)
    {
        if ((requiredAs is null ? Optional(name) : Required(name, requiredAs)) is not { } value)
            return null;
        if (value.ValueKind is JsonValueKind.String && value.GetString() is { Length: > 0 } text)
            return text;
        errors.Add($"{Path(name)} is {Kind(value)}; give a text");
        return null;
    }

    public ulong? WholeNumber(string name, string? requiredAs = null)
    {
        if ((requiredAs is null ? Optional(name) : Required(name, requiredAs)) is not { } value)
            return null;
        if (value.ValueKind is JsonValueKind.Number && value.TryGetUInt64(out var number))
            return number;
        errors.Add($"{Path(name)} is {Shown(value)}; give a whole number from 0 to {ulong.MaxValue}");
        return null;
    }

    public int? Integer(string name, int min, int max)
    {
        if (Optional(name) is not { } value)
            return null;
        if (value.ValueKind is JsonValueKind.Number && value.TryGetInt32(out var number) && number >= min && number <= max)
            return number;
        errors.Add($"{Path(name)} is {Shown(value)}; give a whole number from {min} to {max}");
        return null;
    }

    public double? Number(string name, double min, double max)
    {
        if (Optional(name) is not { } value)
            return null;
        if (value.ValueKind is JsonValueKind.Number && value.TryGetDouble(out var number) && number >= min && number <= max)
            return number;
        errors.Add(FormattableString.Invariant($"{Path(name)} is {Shown(value)}; give a number from {min} to {max}"));
        return null;
    }

    /// <summary>A list whose entries are converted one by one; entries that cannot be are reported by place.</summary>
    public List<T>? List<T>(string name, string what, Func<JsonElement, string, T?> convert, string? requiredAs = null) where T : class
    {
        if ((requiredAs is null ? Optional(name) : Required(name, requiredAs)) is not { } value)
            return null;
        if (value.ValueKind is not JsonValueKind.Array)
        {
            errors.Add($"{Path(name)} is {Kind(value)}; give a list of {what}");
            return null;
        }
        var list = new List<T>();
        var place = 0;
        foreach (var entry in value.EnumerateArray())
            if (convert(entry, $"{Path(name)}[{place++}]") is { } converted)
                list.Add(converted);
        return list;
    }

    /// <summary>Texts; what is no text is counted, not shown, since lists of ids must not get into messages.</summary>
    public List<string>? Texts(string name, string what, string? requiredAs = null)
    {
        var wrong = 0;
        var list = List(name, what, (entry, _) =>
        {
            if (entry.ValueKind is JsonValueKind.String && entry.GetString() is { Length: > 0 } text)
                return text;
            wrong++;
            return null;
        }, requiredAs);
        if (wrong > 0)
            errors.Add($"{Path(name)} has {wrong} entries that are no texts; give {what} as texts");
        return list;
    }

    public float[]? Floats(string name)
    {
        var list = List<object>(name, "numbers", (entry, at) =>
        {
            if (entry.ValueKind is JsonValueKind.Number && entry.TryGetSingle(out var number) && float.IsFinite(number))
                return number;
            errors.Add($"{at} is {Shown(entry)}; give a number");
            return null;
        });
        return list is null ? null : [.. list.Cast<float>()];
    }

    public void Error(string name, string message) => errors.Add($"{Path(name)} {message}");

    /// <summary>Reports fields that nobody asked for; called last.</summary>
    public void Finish()
    {
        var unknown = fields.Keys.Where(n => !known.Contains(n)).ToList();
        var remedy = $"known are {string.Join(", ", known.Order(StringComparer.Ordinal))}";
        if (holdsIds && unknown.Count > 0)
            errors.Add($"{Place} has {unknown.Count} unknown fields; {remedy}");
        else
            errors.AddRange(unknown.Select(name => $"{Path(name)} is unknown; {remedy}"));
    }

    /// <summary>A number as it is written; of anything else only the kind, since a list of ids may stand in the wrong place.</summary>
    static string Shown(JsonElement value) => value.ValueKind is JsonValueKind.Number ? value.GetRawText() : Kind(value);

    static string Kind(JsonElement value) => value.ValueKind switch
    {
        JsonValueKind.String => "a text",
        JsonValueKind.Number => "a number",
        JsonValueKind.Array => "a list",
        JsonValueKind.Object => "an object",
        JsonValueKind.True or JsonValueKind.False => "true or false",
        _ => "null",
    };
}
