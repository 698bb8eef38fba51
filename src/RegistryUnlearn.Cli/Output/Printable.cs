namespace RegistryUnlearn.Cli.Output;

/// <summary>Names come from files: control characters in them must not reach a terminal.</summary>
static class Printable
{
    /// <summary>The text with every control character but the line end replaced by '?'.</summary>
    public static string Of(string text) => text.Any(IsUnwanted)
        ? string.Create(text.Length, text, (target, source) =>
        {
            for (var i = 0; i < target.Length; i++) target[i] = IsUnwanted(source[i]) ? '?' : source[i];
        })
        : text;

    static bool IsUnwanted(char c) => char.IsControl(c) && c != '\n';
}
