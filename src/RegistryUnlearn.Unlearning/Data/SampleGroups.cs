using System.Globalization;

namespace RegistryUnlearn.Unlearning.Data;

/// <summary>Which samples belong together, such as those of one person: an integer or a text per sample.</summary>
sealed class SampleGroups
{
    readonly Dictionary<string, long>? numbers;

    /// <exception cref="DataException">The array is not one integer or text per sample.</exception>
    public SampleGroups(NpyArray array, int count)
    {
        if (array.Shape.Count is not 1 || array.Shape[0] != count)
        {
            throw array.Unusable($"its shape is ({string.Join(", ", array.Shape)})",
                $"save one integer or text for each of the {count} inputs, shape ({count},)");
        }

        if (array.ElementType is not (NpyElementType.Unicode or NpyElementType.Bytes))
        {
            Numbers = array.ToInt64s();
            return;
        }

        numbers = new(StringComparer.Ordinal);
        Numbers = [.. array.ToStrings().Select(name => numbers.TryGetValue(name, out var known) ? known : numbers[name] = numbers.Count)];
    }

    /// <summary>By row: the integers of the array, or a number for each of its texts.</summary>
    public long[] Numbers { get; }

    /// <summary>Finds the number of a group by its text, or by its integer in decimal without leading zeros.</summary>
    public bool TryNumber(string name, out long number) => numbers is not null
        ? numbers.TryGetValue(name, out number)
        : long.TryParse(name, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out number)
            && number.ToString(CultureInfo.InvariantCulture) == name;
}
