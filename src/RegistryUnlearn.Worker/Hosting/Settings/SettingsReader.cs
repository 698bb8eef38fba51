using System.Globalization;
using Microsoft.Extensions.Configuration;

namespace RegistryUnlearn.Worker.Hosting.Settings;

/// <summary>Reads the settings of one section; everything that is wrong is added to a list, so that all of it is said at once.</summary>
sealed class SettingsReader(IConfiguration section, string path, List<string> errors)
{
    readonly HashSet<string> known = new(StringComparer.OrdinalIgnoreCase);

    public SettingsReader Section(string name)
    {
        known.Add(name);
        return new(section.GetSection(name), Path(name), errors);
    }

    public string? Text(string name)
    {
        known.Add(name);
        return section[name] is { Length: > 0 } text ? text : null;
    }

    public string Required(string name, string what)
    {
        if (Text(name) is { } text)
            return text;
        Refuse(name, $"is missing; give {what}");
        return "";
    }

    public bool Flag(string name) => Parse(name, false, "true or false", text => bool.TryParse(text, out var value) ? value : null);

    public int Count(string name, int otherwise, int least, int most) => Parse(name, otherwise, $"a whole number from {least} to {most}",
        text => int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var value) && value >= least && value <= most
            ? value : null);

    public TimeSpan Seconds(string name, TimeSpan otherwise, double least, double most) => Parse(name, otherwise,
        string.Create(CultureInfo.InvariantCulture, $"seconds from {least} to {most}"),
        text => double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out var value) && value >= least && value <= most
            ? TimeSpan.FromSeconds(value) : null);

    public string Choice(string name, params string[] words)
    {
        var text = Text(name) ?? words[0];
        if (words.Contains(text, StringComparer.Ordinal))
            return text;
        Refuse(name, $"is '{text}'; give one of {string.Join(", ", words)}");
        return words[0];
    }

    /// <summary>An address of http or https; null when there is none.</summary>
    public Uri? Url(string name, string what)
    {
        if (Text(name) is not { } text)
            return null;
        if (Uri.TryCreate(text, UriKind.Absolute, out var url) && url.Scheme is "http" or "https")
            return url;
        Refuse(name, $"is '{text}'; give {what}");
        return null;
    }

    public void Refuse(string name, string why) => errors.Add($"{Path(name)} {why}");

    /// <summary>Names that nobody has asked for are misspelt.</summary>
    public void RefuseUnknown()
    {
        foreach (var child in section.GetChildren().Where(c => !known.Contains(c.Key)))
            errors.Add($"{Path(child.Key)} is no setting; there are {string.Join(", ", known.Order(StringComparer.Ordinal))}");
    }

    T Parse<T>(string name, T otherwise, string what, Func<string, T?> parse) where T : struct
    {
        if (Text(name) is not { } text)
            return otherwise;
        if (parse(text) is { } value)
            return value;
        Refuse(name, $"is '{text}'; give {what}");
        return otherwise;
    }

    string Path(string name) => path.Length == 0 ? name : $"{path}:{name}";
}
