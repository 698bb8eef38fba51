using System.Globalization;
using System.Text;
using System.Text.Json;

namespace RegistryUnlearn.Registry;

/// <summary>
/// One spelling per JSON value, after RFC 8785 (JSON Canonicalization Scheme): no white space, keys in UTF-16 order, shortest round-trip
/// numbers, minimal escapes. One deviation: integers written without fraction and exponent keep all their digits, so that 64-bit seeds
/// survive.
/// </summary>
public static class CanonicalJson
{
    /// <exception cref="FormatException">Not JSON, a duplicate key, a number beyond double range, or an unpaired surrogate.</exception>
    public static byte[] Canonicalize(string json)
    {
        try
        {
            using var document = JsonDocument.Parse(json, new JsonDocumentOptions { AllowDuplicateProperties = false });
            return Canonicalize(document.RootElement);
        }
        catch (JsonException e)
        {
            throw new FormatException($"This is not a JSON document with unique keys: {e.Message}", e);
        }
    }

    /// <inheritdoc cref="Canonicalize(string)"/>
    public static byte[] Canonicalize(JsonElement element)
    {
        var text = new StringBuilder();
        try
        {
            Write(text, element);
        }
        catch (InvalidOperationException e)
        {
            throw new FormatException("A JSON string holds an unpaired surrogate: write valid Unicode.", e);
        }
        return Encoding.UTF8.GetBytes(text.ToString());
    }

    static void Write(StringBuilder text, JsonElement element)
    {
        switch (element.ValueKind)
        {
            case JsonValueKind.Object:
                WriteObject(text, element);
                break;
            case JsonValueKind.Array:
                var items = 0;
                text.Append('[');
                foreach (var item in element.EnumerateArray())
                {
                    if (items++ > 0)
                        text.Append(',');
                    Write(text, item);
                }
                text.Append(']');
                break;
            case JsonValueKind.String:
                WriteString(text, element.GetString()!);
                break;
            case JsonValueKind.Number:
                text.Append(Number(element.GetRawText()));
                break;
            case JsonValueKind.True or JsonValueKind.False or JsonValueKind.Null:
                text.Append(element.GetRawText());
                break;
            default:
                throw new FormatException("An undefined JSON value has no canonical form.");
        }
    }

    static void WriteObject(StringBuilder text, JsonElement element)
    {
        string? previous = null;
        text.Append('{');
        foreach (var property in element.EnumerateObject().OrderBy(p => p.Name, StringComparer.Ordinal))
        {
            if (property.Name == previous)
                throw new FormatException($"The JSON key '{previous}' occurs twice: keep one of them.");
            if (previous is not null)
                text.Append(',');
            WriteString(text, previous = property.Name);
            text.Append(':');
            Write(text, property.Value);
        }
        text.Append('}');
    }

    static void WriteString(StringBuilder text, string value)
    {
        text.Append('"');
        foreach (var c in value)
        {
            _ = c switch
            {
                '"' => text.Append("\\\""),
                '\\' => text.Append(@"\\"),
                '\b' => text.Append("\\b"),
                '\t' => text.Append("\\t"),
                '\n' => text.Append("\\n"),
                '\f' => text.Append("\\f"),
                '\r' => text.Append("\\r"),
                < ' ' => text.Append(CultureInfo.InvariantCulture, $"\\u{(int)c:x4}"),
                _ => text.Append(c),
            };
        }
        text.Append('"');
    }

    /// <summary>The number format of ECMAScript (RFC 8785, section 3.2.2.3), laid out from the shortest digits that round-trip.</summary>
    static string Number(string raw)
    {
        if (raw.AsSpan().IndexOfAny('.', 'e', 'E') < 0)
            return raw is "-0" ? "0" : raw;
        var value = double.Parse(raw, NumberStyles.Float, CultureInfo.InvariantCulture);
        if (!double.IsFinite(value))
            throw new FormatException($"The number {raw} is beyond the range of a 64-bit float.");
        if (value is 0)
            return "0";
        var sign = value < 0 ? "-" : "";
        var (digits, point) = ShortestDigits(Math.Abs(value));
        var exponent = point - 1;
        return sign + point switch
        {
            > 0 and <= 21 when digits.Length <= point => digits.PadRight(point, '0'),
            > 0 and <= 21 => $"{digits[..point]}.{digits[point..]}",
            > -6 and <= 0 => $"0.{new string('0', -point)}{digits}",
            _ => $"{digits[0]}{(digits.Length > 1 ? "." + digits[1..] : "")}e{(exponent < 0 ? "-" : "+")}{Math.Abs(exponent)}",
        };
    }

    /// <summary>The digits d and the position p with value = 0.d · 10^p.</summary>
    static (string Digits, int Point) ShortestDigits(double value)
    {
        var parts = value.ToString("R", CultureInfo.InvariantCulture).Split('E');
        var exponent = parts.Length > 1 ? int.Parse(parts[1], NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture) : 0;
        var mantissa = parts[0].Split('.');
        var all = string.Concat(mantissa);
        var significant = all.TrimStart('0');
        return (significant.TrimEnd('0'), mantissa[0].Length + exponent - (all.Length - significant.Length));
    }
}
