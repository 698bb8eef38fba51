using RegistryUnlearn.Unlearning.Data;

namespace RegistryUnlearn.Unlearning.Tests.Data;

/// <summary>Small data sets whose input is the row number.</summary>
static class Sample
{
    public static DataSet Rows(params long[] labels) => DataSet.From(
        NpyArray.Of<float>("x", [labels.Length, 1], [.. Enumerable.Range(0, labels.Length).Select(row => (float)row)]),
        NpyArray.Of<long>("y", [labels.Length], labels));

    public static DataSet Rows(int count) => Rows(new long[count]);
}
