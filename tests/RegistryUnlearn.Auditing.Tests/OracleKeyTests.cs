namespace RegistryUnlearn.Auditing.Tests;

public class OracleKeyTests
{
    static readonly string A = new('a', 64);
    static readonly string B = new('b', 64);
    static readonly string C = new('c', 64);

    // Expected digests: hashlib.sha256 over json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False).
    [Theory]
    [InlineData(true, true, "digit-0001 digit-0002", "534b04638e47206331cc3a64a28f14aaea3054cc741ff5a96acd0db4eb8eaade")]
    [InlineData(true, true, "digit-0002 digit-0001", "534b04638e47206331cc3a64a28f14aaea3054cc741ff5a96acd0db4eb8eaade")]
    [InlineData(true, true, "digit-0002 digit-0001 digit-0002", "534b04638e47206331cc3a64a28f14aaea3054cc741ff5a96acd0db4eb8eaade")]
    [InlineData(false, false, "digit-0001", "34e0c81b35b576e90e863dc80f1faad6a59a0ad192bd205888c3b0019391626b")]
    [InlineData(false, true, "digit-0001", "1b9f3548b6e16a7a0250739f7bce5743e2cad11de66096747584a1e146542c13")]
    [InlineData(true, true, "a\"b\\c \t\u0001 ü€ Z", "392bfb126bc31cd3027f17ee33a0579608d62d15c9a02b70ec1f9a83c3b967cc")]
    public void The_key_is_the_digest_of_canonical_JSON(bool holdout, bool test, string ids, string expected) =>
        Assert.Equal($"sha256:{expected}", OracleKey.Of(A, holdout ? B : null, test ? C : null, ids.Split(' ')));

    [Fact]
    public void Every_part_counts()
    {
        string[] keys =
        [
            OracleKey.Of(A, B, C, ["1"]), OracleKey.Of(B, B, C, ["1"]), OracleKey.Of(A, C, B, ["1"]),
            OracleKey.Of(A, B, null, ["1"]), OracleKey.Of(A, null, B, ["1"]), OracleKey.Of(A, B, C, ["2"]),
            OracleKey.Of(A, B, C, ["1", "2"]), OracleKey.Of(A, B, C, ["1,2"]), OracleKey.Of(A, B, C, ["1\",\"2"]),
        ];
        Assert.Distinct(keys);
    }

    [Theory]
    [InlineData("abc")]
    [InlineData("AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA")]
    [InlineData("sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa")]
    public void What_is_no_digest_is_refused(string train) =>
        Assert.StartsWith("the digest of the train data must be 64 lower-case hexadecimal digits", Refusal(train, ["1"]));

    [Fact]
    public void An_empty_forget_set_has_no_key() => Assert.Equal("the forget set is empty; name at least one id", Refusal(A, []));

    // No theory row: attributes cannot hold an unpaired surrogate.
    [Fact]
    public void An_id_that_is_not_Unicode_is_refused_and_not_repeated() => Assert.Equal(
        "an id of the forget set is not valid Unicode; write ids without unpaired surrogates", Refusal(A, ["secret\ud800"]));

    static string Refusal(string train, string[] ids) => Assert.Throws<AuditInputException>(() => OracleKey.Of(train, B, C, ids)).Message;
}
