using RegistryUnlearn.Unlearning.Data;

namespace RegistryUnlearn.Unlearning.Tests.Data;

public class SubsetTests
{
    static readonly DataSet Named = DataSet.From(
        NpyArray.Of<float>("x", [4, 1], [0, 1, 2, 3]), NpyArray.Of<long>("y", [4], [0, 0, 1, 1]),
        NpyArray.OfStrings("id", ["secret-a", "secret-b", "secret-c", "secret-d"]));

    [Fact]
    public void Does_not_depend_on_the_order_of_the_list()
    {
        Assert.Equal([0, 2, 3], Named.Select(["secret-d", "secret-a", "secret-c"], "forget").Rows.ToArray());
        Assert.Equal([0, 2, 3], Named.Select([3L, 0, 2], "forget").Rows.ToArray());
    }

    public static TheoryData<string[], string> BadLists => new()
    {
        { [], "the forget set is empty; name at least one sample" },
        { ["secret-a", "secret-x", "secret-b", "secret-y"], "names 2 of 4 ids that no sample has, at places 1, 3 (counted from 0)" },
        { ["secret-x"], "the forget list names 1 of 1 ids that no sample has, at place 0 (counted from 0)" },
        { [.. Enumerable.Repeat("secret-x", 7)], "names 7 of 7 ids that no sample has, at places 0, 1, 2, 3, 4, … (counted from 0)" },
        { ["secret-d", "secret-a", "secret-d"], "the forget list repeats 1 of 3 entries, at place 2 (counted from 0)" },
    };

    [Theory]
    [MemberData(nameof(BadLists))]
    public void Refuses_bad_lists_without_repeating_an_id(string[] ids, string message)
    {
        var exception = Assert.Throws<DataException>(() => Named.Select(ids, "forget"));

        Assert.Contains(message, exception.Message);
        Assert.DoesNotContain("secret", exception.ToString());
    }

    [Fact]
    public void Refuses_rows_outside_the_data() =>
        Assert.Contains("names 2 of 3 rows outside the 4 samples, at places 0, 2",
            Assert.Throws<DataException>(() => Named.Select([-1L, 3, 4], "forget")).Message);

    [Fact]
    public void Refuses_forget_and_retained_sets_that_overlap()
    {
        var forget = Named.Select(["secret-a", "secret-b"], "forget");
        var retained = Named.Select(["secret-d", "secret-b", "secret-a"], "retained");

        forget.RequireDisjoint(Named.Select(["secret-d"], "retained"));
        var exception = Assert.Throws<DataException>(() => retained.RequireDisjoint(forget));
        Assert.Contains("the retained set and the forget set have 2 samples in common, at places 1, 2", exception.Message);
        var whole = Assert.Throws<DataException>(() => Named.All("a").RequireDisjoint(Named.All("b")));
        Assert.Contains("have 4 samples in common;", whole.Message);
        Assert.Throws<ArgumentException>(() => forget.RequireDisjoint(Sample.Rows(4).All("retained")));
    }

    [Fact]
    public void A_share_of_what_is_left_is_disjoint_and_repeatable()
    {
        var data = Sample.Rows(1000);
        var forget = data.Select([.. Enumerable.Range(100, 100).Select(row => (long)row)], "forget");
        var rest = data.All("all").Except(forget, "rest");

        var retained = rest.Sample(0.1, 7, "retained");

        Assert.Equal(900, rest.Count);
        Assert.Equal(90, retained.Count);
        Assert.Equal("retained", retained.Role);
        retained.RequireDisjoint(forget);
        Assert.Equal(retained.Rows.ToArray(), rest.Sample(0.1, 7, "retained").Rows.ToArray());
        Assert.NotEqual(retained.Rows.ToArray(), rest.Sample(0.1, 8, "retained").Rows.ToArray());
        Assert.Equal(retained.Rows.ToArray().Distinct().Order(), retained.Rows.ToArray());
        Assert.Equal(1, rest.Sample(1e-9, 7, "one").Count);
        Assert.Equal(900, rest.Sample(1, 7, "whole").Count);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1.01)]
    [InlineData(-0.5)]
    [InlineData(double.NaN)]
    public void Refuses_fractions_out_of_range(double fraction) =>
        Assert.Contains("not in (0, 1]", Assert.Throws<DataException>(() => Named.All("retained").Sample(fraction, 0, "part")).Message);

    [Fact]
    public void Nothing_left_is_an_error() =>
        Assert.Contains("the retained set is empty",
            Assert.Throws<DataException>(() => Named.All("all").Except(Named.All("forget"), "retained")).Message);
}
