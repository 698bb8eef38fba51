using System.Globalization;

namespace RegistryUnlearn.Unlearning.Data;

/// <summary>The ids of a data set: texts of its own, or the row numbers in decimal.</summary>
sealed class SampleIds
{
    readonly int count;
    readonly Dictionary<string, int>? rows;
    readonly string[]? names;

    public SampleIds(int count) => this.count = count;

    public SampleIds(NpyArray array, int count)
    {
        this.count = count;
        if (array.Shape.Count is not 1 || array.Shape[0] != count)
        {
            throw array.Unusable($"its shape is ({string.Join(", ", array.Shape)})",
                $"save one id for each of the {count} inputs, shape ({count},)");
        }

        var ids = names = array.ToStrings();
        rows = new Dictionary<string, int>(count, StringComparer.Ordinal);
        for (var row = 0; row < count; row++)
        {
            if (ids[row].Length is 0)
                throw array.Unusable($"the id of row {row} is empty", "give every sample an id");
            if (!rows.TryAdd(ids[row], row))
                throw array.Unusable($"rows {rows[ids[row]]} and {row} have the same id", "give every sample an id of its own");
        }
    }

    public string IdOf(int row) => names?[row] ?? row.ToString(CultureInfo.InvariantCulture);

    /// <summary>Finds a row. Row numbers must be written without sign, blanks or leading zeros, so that a sample has only one id.</summary>
    public bool TryRow(string id, out int row)
    {
        if (rows is not null)
            return rows.TryGetValue(id, out row);
        return int.TryParse(id, NumberStyles.None, CultureInfo.InvariantCulture, out row) && row < count && (id is "0" || id[0] is not '0');
    }
}
