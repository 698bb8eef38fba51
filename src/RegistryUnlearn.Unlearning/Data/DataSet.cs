using RegistryUnlearn.Onnx.Losses;
using RegistryUnlearn.Training.Buffers;

namespace RegistryUnlearn.Unlearning.Data;

/// <summary>Samples with inputs, labels and stable ids, checked once when loaded, then only read.</summary>
public sealed class DataSet
{
    readonly SampleInputs inputs;
    float[]? spread;
    readonly SampleIds ids;
    readonly long[] labels;
    readonly long[]? trueLabels;
    readonly SampleGroups? groups;

    DataSet(string file, SampleInputs inputs, SampleIds ids, long[] labels, long[]? trueLabels, SampleGroups? groups) =>
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
    /// <param name="inputs">N×…, uint8 or float32, all finite; int64 or int32 for tokens.</param>
    /// <param name="labels">
    /// N integers, none negative; or N×… integers, one per position of each sample, −100 where a position has none. Every sample has a
    /// label.
    /// </param>
    /// <param name="ids">N distinct texts or integers; null numbers the rows from 0.</param>
    /// <param name="trueLabels">Shaped like the labels, and −100 where they are.</param>
    /// <param name="groups">N integers or texts.</param>
    /// <param name="normalization">Applied when batches are filled.</param>
    /// <exception cref="DataException">An array has a wrong type or shape, or holds unusable values.</exception>
    public static DataSet From(
        NpyArray inputs, NpyArray labels, NpyArray? ids = null, NpyArray? trueLabels = null, NpyArray? groups = null,
        Normalization? normalization = null)
    {
        var samples = new SampleInputs(inputs, normalization ?? Normalization.None);
        var set = new DataSet(
            inputs.File,
            samples,
            ids is null ? new SampleIds(samples.Count) : new SampleIds(ids, samples.Count),
            ReadLabels(labels, samples.Count),
            trueLabels is null ? null : ReadLabels(trueLabels, samples.Count),
            groups is null ? null : new SampleGroups(groups, samples.Count))
        {
            LabelShape = [.. labels.Shape.Skip(1).Select(d => (int)d)],
        };
        if (trueLabels is not null && !(trueLabels.Shape.SequenceEqual(labels.Shape) && set.SameMissing()))
            throw trueLabels.Unusable(
                "it does not fit the labels", $"give true labels of their shape, {LabelledLogits.Ignored} at the same places");
        return set;
    }

    /// <summary>Where the inputs came from, for messages.</summary>
    public string File { get; }

    public int Count => inputs.Count;

    /// <summary>The shape of one input, without the batch dimension.</summary>
    public IReadOnlyList<int> SampleShape => inputs.SampleShape;

    /// <summary>Standard deviation of every value of a sample over the data set; of numbers only.</summary>
    public ReadOnlySpan<float> Spread => (spread ??= inputs.MeasureSpread()).AsSpan();

    /// <summary>Values in one input.</summary>
    public int SampleSize => inputs.SampleSize;

    /// <summary>Whether the inputs are integers (int64 or int32), such as the tokens of a text.</summary>
    public bool HoldsTokens => inputs.HoldsTokens;

    /// <summary>Whether all tokens are int32 values.</summary>
    public bool FitsInt32 => inputs.FitsInt32;

    /// <summary>The shape of one sample's labels: empty for a single label.</summary>
    public IReadOnlyList<int> LabelShape { get; private init; } = [];

    /// <summary>P, labels in one sample.</summary>
    public int LabelSize => labels.Length / Count;

    /// <summary>The labels trained on, row by row.</summary>
    public ReadOnlySpan<long> Labels => labels;

    /// <summary>The correct labels, row by row; without an array of their own, those trained on.</summary>
    public ReadOnlySpan<long> TrueLabels => trueLabels ?? labels;

    /// <summary>The labels that one sample was trained on.</summary>
    public ReadOnlySpan<long> LabelsOf(int row) => Labels.Slice(row * LabelSize, LabelSize);

    /// <summary>The label of a sample; of several, the most frequent, and of these the lowest.</summary>
    public long MainLabel(int row)
    {
        var own = LabelsOf(row);
        return own.Length is 1 ? own[0] : own.ToArray().Where(label => label >= 0).CountBy(label => label)
            .OrderByDescending(l => l.Value).ThenBy(l => l.Key).First().Key;
    }

    /// <summary>The groups by row; empty when the data set has none.</summary>
    public ReadOnlySpan<long> Groups => groups?.Numbers;

    /// <summary>Checks that all labels are below the class count of the model.</summary>
    /// <exception cref="DataException">A label is out of range; the message counts them.</exception>
    public void RequireClasses(int classes)
    {
        foreach (var (name, values) in (ReadOnlySpan<(string, long[]?)>)[("labels", labels), ("true labels", trueLabels)])
        {
            var wrong = values?.Count(label => label >= classes) ?? 0;
            if (wrong > 0)
            {
                throw new DataException(File, null, $"{wrong} of {values!.Length} {name} are not below the model's {classes} classes",
                    "correct the labels or choose the model they belong to");
            }
        }
    }

    /// <summary>The id of a sample.</summary>
    public string IdOf(int row) => ids.IdOf(row);

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

    /// <summary>The samples with the given ids and all of the given groups, in row order.</summary>
    /// <param name="groupNames">Groups by text, or by integer in decimal.</param>
    /// <exception cref="DataException">
    /// Both lists are empty, an entry is repeated or unknown, or the data set has no groups. The message gives places in the list.
    /// </exception>
    public Subset Select(IReadOnlyList<string> sampleIds, IReadOnlyList<string> groupNames, string role)
    {
        if (groupNames.Count is 0)
            return Select(sampleIds, role);
        if (groups is null)
            throw new DataException(File, null, $"the {role} list names groups, and the data set has none",
                "save an array with the group of every sample, name it in data.arrays.groups, or list ids");
        var present = groups.Numbers.ToHashSet();
        var chosen = new HashSet<long>();
        List<int> unknown = [.. Enumerable.Range(0, groupNames.Count)
            .Where(i => !groups.TryNumber(groupNames[i], out var number) || !present.Contains(number) || !chosen.Add(number))];
        if (unknown.Count > 0)
            throw new DataException(File, null,
                $"the {role} list names {unknown.Count} of {groupNames.Count} groups that no sample has or that were named before, "
                + Subset.Places(unknown), "correct these entries or choose the data set the model was trained on");
        var rows = Enumerable.Range(0, Count).Where(row => chosen.Contains(groups.Numbers[row])).ToHashSet();
        if (sampleIds.Count > 0)
            rows.UnionWith(Select(sampleIds, role).Rows.ToArray());
        return Subset.Of(this, role, [.. rows]);
    }

    /// <summary>Fills a batch with normalised inputs and the labels trained on. Allocates nothing.</summary>
    /// <param name="rows">B rows, in the order of the batch; repeats are allowed.</param>
    /// <param name="batchInputs">B×<see cref="SampleSize"/> values; of int64 or int32 for tokens.</param>
    /// <param name="batchLabels">B×<see cref="LabelSize"/> values.</param>
    /// <exception cref="ArgumentException">A span has the wrong length.</exception>
    /// <exception cref="ArgumentOutOfRangeException">A row does not exist.</exception>
    public void Fill(ReadOnlySpan<int> rows, InputSpan batchInputs, Span<long> batchLabels)
    {
        if (batchInputs.Length != (long)rows.Length * SampleSize || batchLabels.Length != (long)rows.Length * LabelSize)
        {
            throw new ArgumentException(
                $"A batch of {rows.Length} needs {rows.Length}×{SampleSize} inputs and {rows.Length}×{LabelSize} labels.");
        }

        for (var i = 0; i < rows.Length; i++)
        {
            Fill(rows[i], batchInputs.Slice(i * SampleSize, SampleSize));
            LabelsOf(rows[i]).CopyTo(batchLabels[(i * LabelSize)..]);
        }
    }

    /// <summary>Writes the normalised input of one sample.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The row does not exist.</exception>
    public void Fill(int row, InputSpan input)
    {
        if ((uint)row >= (uint)Count)
            throw new ArgumentOutOfRangeException(nameof(row), "A row does not exist.");
        inputs.Read(row, input);
    }

    bool SameMissing()
    {
        for (var i = 0; i < labels.Length; i++)
        {
            if (labels[i] < 0 != trueLabels![i] < 0)
                return false;
        }

        return true;
    }

    static long[] ReadLabels(NpyArray array, int count)
    {
        if (array.Shape.Count < 2)
        {
            var values = ReadIntegers(array, count);
            var negative = values.Count(label => label < 0);
            return negative is 0
                ? values
                : throw array.Unusable($"{negative} of {count} labels are negative", "number the classes from 0");
        }

        if (array.Shape[0] != count || array.Count is 0)
        {
            throw array.Unusable($"its shape is ({string.Join(", ", array.Shape)})",
                $"save labels for each of the {count} inputs, shape ({count},) or ({count}, …) for labels by position");
        }

        var labels = array.ToInt64s();
        var unknown = labels.Count(label => label < 0 && label != LabelledLogits.Ignored);
        if (unknown > 0)
        {
            throw array.Unusable($"{unknown} of {labels.Length} labels are negative",
                $"number the classes from 0; {LabelledLogits.Ignored} marks a position without a label");
        }

        var empty = labels.Chunk(labels.Length / count).Count(sample => sample.All(label => label < 0));
        return empty is 0 ? labels
            : throw array.Unusable(
                $"{empty} of {count} samples have no label at any position", "leave them out, or label a position of each");
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
