namespace RegistryUnlearn.Unlearning.Data;

/// <summary>Samples with inputs, labels and stable ids, checked once when loaded, then only read.</summary>
public sealed class DataSet
{
    readonly SampleInputs inputs;
    readonly SampleIds ids;
    readonly long[] labels;
    readonly long[]? trueLabels;
    readonly long[]? groups;

    DataSet(string file, SampleInputs inputs, SampleIds ids, long[] labels, long[]? trueLabels, long[]? groups) =>
        (File, this.inputs, this.ids, this.labels, this.trueLabels, this.groups) = (file, inputs, ids, labels, trueLabels, groups);

    /// <summary>Loads a data set from an .npz file.</summary>
    /// <exception cref="DataException">An array is missing, has a wrong type or shape, or holds unusable values.</exception>
    public static DataSet Load(string path, DataSetOptions? options = null)
    {
        options ??= new DataSetOptions();
        using var npz = NpzReader.Open(path);
        return From(
            npz.Read(options.Inputs),
            npz.Read(options.Labels),
            options.Ids is null ? npz.Find("id") : npz.Read(options.Ids),
            options.TrueLabels is null ? npz.Find("y_true") : npz.Read(options.TrueLabels),
            options.Groups is null ? npz.Find("group") : npz.Read(options.Groups),
            options.Normalization);
    }

    /// <summary>Builds a data set from arrays, which may come from different files.</summary>
    /// <param name="inputs">N×…, uint8 or float32, all finite.</param>
    /// <param name="labels">N integers, none negative.</param>
    /// <param name="ids">N distinct texts or integers; null numbers the rows from 0.</param>
    /// <param name="trueLabels">N integers, none negative.</param>
    /// <param name="groups">N integers.</param>
    /// <param name="normalization">Applied when batches are filled.</param>
    /// <exception cref="DataException">An array has a wrong type or shape, or holds unusable values.</exception>
    public static DataSet From(
        NpyArray inputs, NpyArray labels, NpyArray? ids = null, NpyArray? trueLabels = null, NpyArray? groups = null,
        Normalization? normalization = null)
    {
        var samples = new SampleInputs(inputs, normalization ?? Normalization.None);
        return new DataSet(
            inputs.File,
            samples,
            ids is null ? new SampleIds(samples.Count) : new SampleIds(ids, samples.Count),
            ReadLabels(labels, samples.Count),
            trueLabels is null ? null : ReadLabels(trueLabels, samples.Count),
            groups is null ? null : ReadIntegers(groups, samples.Count));
    }

    /// <summary>Where the inputs came from, for messages.</summary>
    public string File { get; }

    public int Count => inputs.Count;

    /// <summary>The shape of one input, without the batch dimension.</summary>
    public IReadOnlyList<int> SampleShape => inputs.SampleShape;

    /// <summary>Float32 values in one input.</summary>
    public int SampleSize => inputs.SampleSize;

    /// <summary>The labels trained on, by row.</summary>
    public ReadOnlySpan<long> Labels => labels;

    /// <summary>The correct labels by row; without an array of their own, those trained on.</summary>
    public ReadOnlySpan<long> TrueLabels => trueLabels ?? labels;

    /// <summary>The groups by row; empty when the data set has none.</summary>
    public ReadOnlySpan<long> Groups => groups;

    /// <summary>Checks that all labels are below the class count of the model.</summary>
    /// <exception cref="DataException">A label is out of range; the message counts them.</exception>
    public void RequireClasses(int classes)
    {
        foreach (var (name, values) in (ReadOnlySpan<(string, long[]?)>)[("labels", labels), ("true labels", trueLabels)])
        {
            var wrong = values?.Count(label => label >= classes) ?? 0;
            if (wrong > 0)
            {
                throw new DataException(File, null, $"{wrong} of {Count} {name} are not below the model's {classes} classes",
                    "correct the labels or choose the model they belong to");
            }
        }
    }

    /// <summary>Finds the row of a sample.</summary>
    public bool TryRow(string id, out int row) => ids.TryRow(id, out row);

    /// <summary>All samples.</summary>
    public Subset All(string role)
    {
        var rows = new int[Count];
        for (var row = 0; row < rows.Length; row++)
            rows[row] = row;
        return new Subset(this, role, rows, null);
    }

    /// <summary>The samples with the given ids, in row order.</summary>
    /// <param name="sampleIds">At least one id, each once.</param>
    /// <param name="role">What the samples are for ("forget", "retained", "holdout"); appears in messages.</param>
    /// <exception cref="DataException">
    /// The list is empty, repeats an id, or names ids that do not exist. The message gives places in the list.
    /// </exception>
    public Subset Select(IReadOnlyList<string> sampleIds, string role)
    {
        var rows = new int[sampleIds.Count];
        var unknown = new List<int>();
        for (var i = 0; i < rows.Length; i++)
        {
            if (!TryRow(sampleIds[i], out rows[i]))
                unknown.Add(i);
        }

        if (unknown.Count > 0)
        {
            throw new DataException(File, null,
                $"the {role} list names {unknown.Count} of {rows.Length} ids that no sample has, {Subset.Places(unknown)}",
                "correct these entries or choose the data set the model was trained on");
        }

        return Subset.Of(this, role, rows);
    }

    /// <summary>The samples in the given rows, in row order.</summary>
    /// <exception cref="DataException">
    /// The list is empty, repeats a row, or names rows that do not exist. The message gives places in the list.
    /// </exception>
    public Subset Select(ReadOnlySpan<long> sampleRows, string role)
    {
        var rows = new int[sampleRows.Length];
        var unknown = new List<int>();
        for (var i = 0; i < rows.Length; i++)
        {
            if (sampleRows[i] < 0 || sampleRows[i] >= Count)
                unknown.Add(i);
            else
                rows[i] = (int)sampleRows[i];
        }

        if (unknown.Count > 0)
        {
            throw new DataException(File, null,
                $"the {role} list names {unknown.Count} of {rows.Length} rows outside the {Count} samples, {Subset.Places(unknown)}",
                "correct these entries or choose the data set the model was trained on");
        }

        return Subset.Of(this, role, rows);
    }

    /// <summary>Fills a batch with normalised inputs and the labels trained on. Allocates nothing.</summary>
    /// <param name="rows">B rows, in the order of the batch; repeats are allowed.</param>
    /// <param name="batchInputs">B×<see cref="SampleSize"/> values.</param>
    /// <param name="batchLabels">B values.</param>
    /// <exception cref="ArgumentException">A span has the wrong length.</exception>
    /// <exception cref="ArgumentOutOfRangeException">A row does not exist.</exception>
    public void Fill(ReadOnlySpan<int> rows, Span<float> batchInputs, Span<long> batchLabels)
    {
        if (batchInputs.Length != (long)rows.Length * SampleSize || batchLabels.Length != rows.Length)
            throw new ArgumentException($"A batch of {rows.Length} needs {rows.Length}×{SampleSize} inputs and {rows.Length} labels.");
        for (var i = 0; i < rows.Length; i++)
        {
            if ((uint)rows[i] >= (uint)Count)
                throw new ArgumentOutOfRangeException(nameof(rows), "A row does not exist.");
            inputs.Read(rows[i], batchInputs.Slice(i * SampleSize, SampleSize));
            batchLabels[i] = labels[rows[i]];
        }
    }

    static long[] ReadLabels(NpyArray array, int count)
    {
        var values = ReadIntegers(array, count);
        var negative = values.Count(label => label < 0);
        return negative is 0
            ? values
            : throw array.Unusable($"{negative} of {count} labels are negative", "number the classes from 0");
    }

    static long[] ReadIntegers(NpyArray array, int count)
    {
        if (array.Shape.Count is not 1 || array.Shape[0] != count)
        {
            throw array.Unusable($"its shape is ({string.Join(", ", array.Shape)})",
                $"save one integer for each of the {count} inputs, shape ({count},)");
        }

        return array.ToInt64s();
    }
}
