namespace RegistryUnlearn.Unlearning.Data;

/// <summary>Some samples of a data set, at least one, in row order, so that nothing depends on the order of a request's list.</summary>
public sealed class Subset
{
    readonly int[] rows;

    /// <summary>Places in the list the subset was selected by, beside the rows; null when there was no list.</summary>
    readonly int[]? places;

    internal Subset(DataSet data, string role, int[] rows, int[]? places)
    {
        if (rows.Length is 0)
            throw new DataException(data.File, null, $"the {role} set is empty", "name at least one sample");
        (Data, Role, this.rows, this.places) = (data, role, rows, places);
    }

    internal static Subset Of(DataSet data, string role, int[] rows)
    {
        var places = new int[rows.Length];
        for (var i = 0; i < places.Length; i++)
            places[i] = i;
        Array.Sort(rows, places);
        var repeated = new List<int>();
        for (var i = 1; i < rows.Length; i++)
        {
            if (rows[i] == rows[i - 1])
                repeated.Add(Math.Max(places[i - 1], places[i]));
        }

        return repeated.Count is 0
            ? new Subset(data, role, rows, places)
            : throw new DataException(data.File, null,
                $"the {role} list repeats {repeated.Count} of {rows.Length} entries, {Places(repeated)}", "name every sample once");
    }

    public DataSet Data { get; }

    /// <summary>What the samples are for, as messages call them.</summary>
    public string Role { get; }

    /// <summary>Rows of the data set, ascending, distinct.</summary>
    public ReadOnlySpan<int> Rows => rows;

    public int Count => rows.Length;

    /// <summary>Whether a row of the data set belongs to the subset.</summary>
    public bool Contains(int row) => Array.BinarySearch(rows, row) >= 0;

    /// <summary>A uniform random share, at least one sample; the same for the same seed.</summary>
    /// <param name="fraction">In (0, 1]; the count is rounded to the nearest.</param>
    /// <param name="seed">Chooses the samples.</param>
    /// <param name="role">What the share is for.</param>
    /// <exception cref="DataException">The fraction is out of range.</exception>
    public Subset Sample(double fraction, ulong seed, string role)
    {
        if (fraction is not (> 0 and <= 1))
            throw new DataException(Data.File, null, $"the fraction of the {role} set is not in (0, 1]", "give a fraction such as 0.1");
        var pool = rows.AsSpan().ToArray();
        var count = Math.Max(1, (int)Math.Round(fraction * pool.Length));
        Rng.For(seed, "subset", 0).Sample(pool.AsSpan(), count);
        Array.Resize(ref pool, count);
        Array.Sort(pool);
        return new Subset(Data, role, pool, null);
    }

    /// <summary>The samples whose rows of the data set are marked.</summary>
    /// <param name="members">One mark per row of the data set.</param>
    /// <exception cref="DataException">Nothing is left.</exception>
    public Subset Only(IReadOnlyList<bool> members, string role) => new(Data, role, Array.FindAll(rows, row => members[row]), null);

    /// <summary>The samples that are not in the other subset of the same data set.</summary>
    /// <exception cref="DataException">Nothing is left.</exception>
    public Subset Except(Subset other, string role)
    {
        RequireSameData(other);
        return new Subset(Data, role, Array.FindAll(rows, row => !other.Contains(row)), null);
    }

    /// <summary>Checks that no sample is in both subsets.</summary>
    /// <exception cref="DataException">The message counts the common samples and gives their places in this subset's list.</exception>
    public void RequireDisjoint(Subset other)
    {
        RequireSameData(other);
        var common = new List<int>();
        for (var i = 0; i < rows.Length; i++)
        {
            if (other.Contains(rows[i]))
                common.Add(places?[i] ?? i);
        }

        if (common.Count > 0)
        {
            var where = places is null ? string.Empty : $", {Places(common)}";
            throw new DataException(Data.File, null,
                $"the {Role} set and the {other.Role} set have {common.Count} samples in common{where}",
                "name every sample in one of them only");
        }
    }

    /// <summary>The first places of a list, counted from 0, as messages show them.</summary>
    internal static string Places(List<int> places)
    {
        const int Shown = 5;
        places.Sort();
        var text = string.Join(", ", places.Take(Shown));
        return $"at place{(places.Count is 1 ? string.Empty : "s")} {text}{(places.Count > Shown ? ", …" : string.Empty)} (counted from 0)";
    }

    void RequireSameData(Subset other)
    {
        if (!ReferenceEquals(Data, other.Data))
            throw new ArgumentException("The subsets belong to different data sets.", nameof(other));
    }
}
