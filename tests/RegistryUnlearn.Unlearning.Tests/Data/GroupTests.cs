using RegistryUnlearn.Unlearning.Data;

namespace RegistryUnlearn.Unlearning.Tests.Data;

/// <summary>Forgetting everything of a person: samples chosen by their group.</summary>
public class GroupTests
{
    static readonly NpyArray Persons = NpyArray.OfStrings("group", ["ann", "ben", "ann", "cem", "ben"]);

    static readonly NpyArray Numbers = NpyArray.Of<long>("group", [5], [7, -3, 7, 0, -3]);

    [Theory]
    [InlineData(new string[0], new[] { "ann" }, new[] { 0, 2 })]
    [InlineData(new string[0], new[] { "cem", "ann" }, new[] { 0, 2, 3 })]
    [InlineData(new[] { "4" }, new[] { "ann" }, new[] { 0, 2, 4 })]
    [InlineData(new[] { "2" }, new[] { "ann" }, new[] { 0, 2 })]
    [InlineData(new[] { "1" }, new string[0], new[] { 1 })]
    public void Ids_and_groups_are_joined(string[] ids, string[] groups, int[] rows) =>
        Assert.Equal(rows, Data(Persons).Select(ids, groups, "forget").Rows.ToArray());

    [Theory]
    [InlineData("7", new[] { 0, 2 })]
    [InlineData("-3", new[] { 1, 4 })]
    public void Integers_are_written_in_decimal(string group, int[] rows) =>
        Assert.Equal(rows, Data(Numbers).Select([], [group], "forget").Rows.ToArray());

    [Theory]
    [InlineData("dan")]
    [InlineData("ann", "ann")]
    [InlineData("Ann")]
    public void Unknown_or_repeated_groups_are_counted_and_not_named(params string[] groups)
    {
        var message = Assert.Throws<DataException>(() => Data(Persons).Select([], groups, "forget")).Message;

        Assert.StartsWith(
            $"memory: the forget list names 1 of {groups.Length} groups that no sample has or that were named before", message);
        Assert.DoesNotContain("ann", message, StringComparison.OrdinalIgnoreCase);
    }

    [Theory]
    [InlineData("07")]
    [InlineData("+7")]
    [InlineData("8")]
    [InlineData("seven")]
    public void An_integer_has_one_spelling(string group) =>
        Assert.Throws<DataException>(() => Data(Numbers).Select([], [group], "forget"));

    [Fact]
    public void A_data_set_without_groups_says_how_to_give_them() => Assert.Equal(
        "memory: the forget list names groups, and the data set has none; "
        + "save an array with the group of every sample, name it in data.arrays.groups, or list ids.",
        Assert.Throws<DataException>(() => Data(null).Select([], ["ann"], "forget")).Message);

    [Fact]
    public void Texts_are_numbered_as_they_come() => Assert.Equal([0, 1, 0, 2, 1], Data(Persons).Groups.ToArray());

    [Fact]
    public void Groups_must_be_one_for_each_sample() => Assert.Contains(
        "save one integer or text for each of the 5 inputs",
        Assert.Throws<DataException>(() => Data(NpyArray.OfStrings("group", ["ann", "ben"]))).Message);

    static DataSet Data(NpyArray? groups) => DataSet.From(
        NpyArray.Of<float>("x", [5, 2], new float[10]), NpyArray.Of<long>("y", [5], new long[5]), groups: groups);
}
