namespace RegistryUnlearn.Lineage.Tests;

public sealed class ForgetCommitmentTests
{
    static readonly byte[] Key = [.. Enumerable.Range(0, 32).Select(i => (byte)i)];

    // Computed with Python's hmac and struct modules.
    [Theory]
    [InlineData("", 0, "d38b42096d80f45f826b44a9d5607de72496a415d3f4a1a8c88e3bb9da8dc1cb")]
    [InlineData("a|b", 2, "74800850b23d59a1c92a2ee10c18338bc8f41bd68875116b75092aa27dc75b10")]
    [InlineData("b|a|b", 2, "74800850b23d59a1c92a2ee10c18338bc8f41bd68875116b75092aa27dc75b10")]
    [InlineData("ab", 1, "a6fe2e28929c4c8cbfb72e0bfdac95a0c06e218f5aaee3d71f81aef5896d1b8d")]
    [InlineData("é|z", 2, "9e29a2c89c398d66b3f148e984379966782c231f4c252e059ba6eae72023d4f0")]
    public void It_is_the_code_of_the_sorted_distinct_ids(string ids, long count, string expected)
    {
        var list = ids.Split('|', StringSplitOptions.RemoveEmptyEntries);
        var commitment = ForgetCommitment.Of(list, Key);
        Assert.Equal((count, expected), (commitment.Count, commitment.Value));
        Assert.True(commitment.Matches(list.Reverse(), Key));
        Assert.False(commitment.Matches([.. list, "one more"], Key));
        Assert.False(commitment.Matches(list, [.. Key.Reverse()]));
    }

    [Fact]
    public void A_short_key_and_broken_Unicode_are_refused()
    {
        Assert.Contains("31 bytes", Assert.Throws<ArgumentException>(() =>
            ForgetCommitment.Of(["a"], Key.AsSpan(1))).Message, StringComparison.Ordinal);
        Assert.ThrowsAny<ArgumentException>(() => ForgetCommitment.Of(["\ud800"], Key));
    }
}
