using RegistryUnlearn.Training.Buffers;
using RegistryUnlearn.Unlearning.Data;

namespace RegistryUnlearn.Unlearning.Tests.Data;

public class DataSetTests
{
    static readonly NpyArray Pixels = NpyArray.Of<byte>("x", [2, 2, 1, 2], [0, 255, 51, 102, 255, 0, 1, 2]);
    static readonly NpyArray Labels = NpyArray.Of<long>("y", [2], [1, 0]);

    [Fact]
    public void Fills_bytes_normalised_by_channel()
    {
        var data = DataSet.From(Pixels, Labels, normalization: new Normalization(255, [0.5f, 0.25f], [0.5f, 0.125f]));
        var (inputs, labels) = (new float[12], new long[3]);

        data.Fill([1, 0, 1], inputs, labels);

        // (x / 255 − mean) / std: 51/255 = 0.2, 102/255 = 0.4
        float[] row0 = [-1, 1, -0.4f, 1.2f];
        float[] row1 = [1, -1, ((1 / 255f) - 0.25f) / 0.125f, ((2 / 255f) - 0.25f) / 0.125f];
        float[] expected = [.. row1, .. row0, .. row1];
        Assert.All(Enumerable.Range(0, 12), i => Assert.Equal(expected[i], inputs[i], 1e-6f));
        Assert.Equal([0, 1, 0], labels);
        Assert.Equal([2, 1, 2], data.SampleShape);
    }

    [Fact]
    public void Fills_floats_normalised_by_channel_or_as_they_are()
    {
        var x = NpyArray.Of<float>("x", [2, 2], [1, 2, 3, 4]);
        var inputs = new float[4];

        DataSet.From(x, Labels, normalization: new Normalization(2, [0, 1], [1, 0.5f])).Fill([0, 1], inputs, new long[2]);
        Assert.Equal([0.5f, 0, 1.5f, 2], inputs);

        DataSet.From(x, Labels).Fill([1, 0], inputs, new long[2]);
        Assert.Equal([3, 4, 1, 2], inputs);
    }

    [Fact]
    public void Filling_allocates_nothing()
    {
        var (bytes, floats) = (DataSet.From(Pixels, Labels), Sample.Rows(2));
        var (inputs, labels, rows) = (new float[8], new long[2], new[] { 1, 0 });
        bytes.Fill(rows, inputs, labels);
        floats.Fill(rows, inputs.AsSpan(0, 2), labels);

        var before = GC.GetAllocatedBytesForCurrentThread();
        bytes.Fill(rows, inputs, labels);
        floats.Fill(rows, inputs.AsSpan(0, 2), labels);

        Assert.Equal(before, GC.GetAllocatedBytesForCurrentThread());
    }

    [Fact]
    public void Filling_checks_rows_and_lengths()
    {
        var data = Sample.Rows(3);

        Assert.Throws<ArgumentOutOfRangeException>(() => data.Fill([3], new float[1], new long[1]));
        Assert.Throws<ArgumentOutOfRangeException>(() => data.Fill([-1], new float[1], new long[1]));
        Assert.Throws<ArgumentException>(() => data.Fill([0], new float[2], new long[1]));
        Assert.Throws<ArgumentException>(() => data.Fill([0], new float[1], new long[2]));
    }

    public static TheoryData<NpyArray, NpyArray, NpyArray?, string> Unusable => new()
    {
        { NpyArray.Of<double>("x", [2, 1], [1, 2]), Labels, null, "array 'x': it holds Float64; save the inputs as uint8 or float32" },
        { NpyArray.Of<float>("x", [2], [1, 2]), Labels, null, "array 'x': its shape is (2)" },
        { NpyArray.Of<float>("x", [0, 3], []), Labels, null, "array 'x': its shape is (0, 3)" },
        { NpyArray.Of<float>("x", [2, 2], [1, 2, 3, float.NaN]), Labels, null, "array 'x': row 1 holds a value that is not finite" },
        { NpyArray.Of<float>("x", [2, 1], [float.NegativeInfinity, 2]), Labels, null, "array 'x': row 0 holds" },
        { Pixels, NpyArray.Of<float>("y", [2], [0, 1]), null, "array 'y': it holds Float32, not integers" },
        { Pixels, NpyArray.Of<long>("y", [3], [0, 1, 2]), null, "array 'y': its shape is (3); save one integer for each of the 2 inputs" },
        { Pixels, NpyArray.Of<long>("y", [3, 1], [0, 1, 0]), null, "array 'y': its shape is (3, 1); save labels for each of the 2 inputs" },
        { Pixels, NpyArray.Of<long>("y", [2, 0], []), null, "array 'y': its shape is (2, 0)" },
        {
            Pixels, NpyArray.Of<long>("y", [2, 2], [0, -1, 0, -100]), null,
            "array 'y': 1 of 4 labels are negative; number the classes from 0; -100"
        },
        { Pixels, NpyArray.Of<long>("y", [2, 2], [0, 1, -100, -100]), null, "array 'y': 1 of 2 samples have no label at any position" },
        { Pixels, NpyArray.Of<sbyte>("y", [2], [0, -1]), null, "array 'y': 1 of 2 labels are negative" },
        { Pixels, Labels, NpyArray.OfStrings("id", ["a", "a"]), "array 'id': rows 0 and 1 have the same id" },
        { Pixels, Labels, NpyArray.OfStrings("id", ["a", ""]), "array 'id': the id of row 1 is empty" },
        { Pixels, Labels, NpyArray.OfStrings("id", ["a"]), "array 'id': its shape is (1)" },
        { Pixels, Labels, NpyArray.Of<float>("id", [2], [0, 1]), "array 'id': it holds Float32, not integers" },
    };

    [Theory]
    [MemberData(nameof(Unusable), DisableDiscoveryEnumeration = true)]
    public void Refuses_arrays_that_make_no_data_set(NpyArray x, NpyArray y, NpyArray? ids, string message) =>
        Assert.StartsWith($"memory: {message}", Assert.Throws<DataException>(() => DataSet.From(x, y, ids)).Message);

    [Fact]
    public void Refuses_labels_the_model_does_not_know()
    {
        var data = DataSet.From(Pixels, Labels, trueLabels: NpyArray.Of<int>("y_true", [2], [1, 7]));

        data.RequireClasses(8);
        var seven = Assert.Throws<DataException>(() => data.RequireClasses(7));
        var one = Assert.Throws<DataException>(() => data.RequireClasses(1));
        Assert.Contains("1 of 2 true labels are not below the model's 7 classes", seven.Message);
        Assert.Contains("1 of 2 labels are not below the model's 1 classes", one.Message);
    }

    [Theory]
    [InlineData(0f, 0f, 1f, "scale is zero")]
    [InlineData(float.NaN, 0f, 1f, "scale is zero or not finite")]
    [InlineData(1f, float.PositiveInfinity, 1f, "a mean is not finite")]
    [InlineData(1f, 0f, 0f, "not positive")]
    [InlineData(1f, 0f, float.NaN, "not positive")]
    public void Refuses_normalizations_that_divide_by_nothing(float scale, float mean, float std, string message) =>
        Assert.Contains(message, Assert.Throws<DataException>(() => new Normalization(scale, [mean], [std])).Message);

    [Fact]
    public void Refuses_normalizations_of_another_channel_count()
    {
        var three = new Normalization(1, [0, 0, 0], [1, 1, 1]);

        var exception = Assert.Throws<DataException>(() => DataSet.From(Pixels, Labels, normalization: three));
        Assert.Contains("has 2 channels (axis 1) but 3 means", exception.Message);
    }

    [Theory]
    [InlineData("0", 0)]
    [InlineData("11", 11)]
    [InlineData("12", -1)]
    [InlineData("-1", -1)]
    [InlineData("01", -1)]
    [InlineData(" 1", -1)]
    [InlineData("", -1)]
    public void Without_ids_the_row_number_is_the_id(string id, int row)
    {
        var data = Sample.Rows(12);

        Assert.Equal(row >= 0, data.TryRow(id, out var found));
        if (row >= 0)
            Assert.Equal(row, found);
    }

    [Fact]
    public void Loads_arrays_by_their_names()
    {
        var path = Path.Combine(AppContext.BaseDirectory, "loads-arrays.npz");
        using (var npz = new NpzWriter(File.Create(path)))
        {
            npz.Add<float>("images", [2, 1], [1, 2]);
            npz.Add<int>("y", [2], [4, 5]);
            npz.Add<int>("y_true", [2], [4, 6]);
            npz.Add<long>("id", [2], [70, 80]);
            npz.Add<long>("person", [2], [3, 3]);
        }

        var data = DataSet.Load(path, new DataSetOptions { Inputs = "images", Groups = "person" });

        Assert.Equal(2, data.Count);
        Assert.Equal([4, 5], data.Labels.ToArray());
        Assert.Equal([4, 6], data.TrueLabels.ToArray());
        Assert.Equal([3, 3], data.Groups.ToArray());
        Assert.True(data.TryRow("80", out var row));
        Assert.Equal(1, row);
        Assert.Contains("'x': it is not in the file", Assert.Throws<DataException>(() => DataSet.Load(path)).Message);
        Assert.Throws<DataException>(() => DataSet.Load(path, new DataSetOptions { Inputs = "images", Ids = "name" }));
    }

    [Theory]
    [InlineData(true, true)]
    [InlineData(true, false)]
    [InlineData(false, true)]
    [InlineData(false, false)]
    public void Tokens_are_read_as_they_are_in_the_width_that_is_asked_for(bool storedWide, bool readWide)
    {
        var x = storedWide ? NpyArray.Of<long>("x", [2, 3], [1, -2, 3, 4, 5, 6]) : NpyArray.Of<int>("x", [2, 3], [1, -2, 3, 4, 5, 6]);
        var data = DataSet.From(x, NpyArray.Of<long>("y", [2, 3], [7, -100, 7, 8, 9, 9]));
        Assert.True(data.HoldsTokens && data.FitsInt32);
        Assert.Equal([3], data.LabelShape);
        long[] wide = new long[6], labels = new long[6];
        int[] narrow = new int[6];
        data.Fill([1, 0], readWide ? new InputSpan(wide) : new InputSpan(narrow), labels);
        Assert.Equal([4, 5, 6, 1, -2, 3], readWide ? wide : [.. narrow.Select(t => (long)t)]);
        Assert.Equal([8, 9, 9, 7, -100, 7], labels);
        Assert.Equal((7, 9), (data.MainLabel(0), data.MainLabel(1)));
        Assert.Throws<InvalidOperationException>(() => data.Fill(0, new float[3]));
    }

    [Fact]
    public void Tokens_are_neither_normalised_nor_cut()
    {
        var x = NpyArray.Of<long>("x", [1, 2], [1, 1L << 40]);
        var labels = NpyArray.Of<long>("y", [1], [0]);
        Assert.False(DataSet.From(x, labels).FitsInt32);
        Assert.Throws<OverflowException>(() => DataSet.From(x, labels).Fill(0, new InputSpan(new int[2])));
        Assert.Contains("it holds tokens, which are not normalised; leave scale, mean and std out",
            Assert.Throws<DataException>(() => DataSet.From(x, labels, normalization: new Normalization(2, [0], [1]))).Message);
        Assert.Contains("it does not fit the labels", Assert.Throws<DataException>(() =>
            DataSet.From(x, labels, trueLabels: NpyArray.Of<long>("y_true", [1, 1], [0]))).Message);
    }
}
