using System.Text;

namespace RegistryUnlearn.Registry.Tests;

public sealed class NameTests
{
    const string Abc = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";

    [Theory]
    [InlineData("resnet_18-v2", true)]
    [InlineData("9", true)]
    [InlineData("", false)]
    [InlineData("-a", false)]
    [InlineData("_a", false)]
    [InlineData("a.b", false)]
    [InlineData("a/b", false)]
    [InlineData("a\n", false)]
    [InlineData("é", false)]
    public void Model_names_and_aliases_have_one_rule(string text, bool valid)
    {
        Assert.Equal(valid, ModelName.TryParse(text, out _));
        Assert.Equal(valid, Alias.TryParse(text, out _));
    }

    [Theory]
    [InlineData(255, true)]
    [InlineData(256, false)]
    public void Names_have_at_most_255_characters(int length, bool valid) =>
        Assert.Equal(valid, ModelName.TryParse(new('a', length), out _));

    [Theory]
    [InlineData("digits@7", 7, null)]
    [InlineData("digits@2147483647", int.MaxValue, null)]
    [InlineData("digits:production", null, "production")]
    [InlineData("digits:7", null, "7")]
    public void References_read_back_as_written(string text, int? version, string? alias)
    {
        var reference = ModelReference.Parse(text);
        Assert.Equal(("digits", version, alias), (reference.Model.ToString(), reference.Version, reference.Alias?.ToString()));
        Assert.Equal(text, reference.ToString());
    }

    [Theory]
    [InlineData("digits")]
    [InlineData("digits@")]
    [InlineData("digits@0")]
    [InlineData("digits@07")]
    [InlineData("digits@-1")]
    [InlineData("digits@2147483648")]
    [InlineData("digits@production")]
    [InlineData("digits:a@7")]
    [InlineData(":a")]
    [InlineData("../digits@1")]
    public void What_is_no_reference_says_how_to_write_one(string text) =>
        Assert.Equal($"'{text}' is not a model reference: write name@7 (a version) or name:production (an alias).",
            Assert.Throws<FormatException>(() => ModelReference.Parse(text)).Message);

    [Fact]
    public void Digests_are_those_of_FIPS_180_4()
    {
        Assert.Equal("sha256:" + Abc, Digest.Of("abc"u8).ToString());
        Assert.Equal(Digest.Of("abc"u8), Digest.Parse("sha256:" + Abc));
        Assert.False(Digest.TryParse(Abc, out _));
        Assert.False(Digest.TryParse("sha256:" + Abc.ToUpperInvariant(), out _));
        Assert.False(Digest.TryParse("sha256:" + Abc[1..], out _));
    }

    [Fact]
    public void Default_values_are_no_names()
    {
        Assert.Throws<InvalidOperationException>(() => default(ModelName).ToString());
        Assert.Throws<InvalidOperationException>(() => default(Alias).ToString());
        Assert.Throws<InvalidOperationException>(() => default(Digest).ToString());
        Assert.Throws<InvalidOperationException>(() => default(JobId).ToString());
    }

    // Computed with Python's hashlib over the canonical document.
    [Theory]
    [InlineData("""{"a":[1,true,null],"b":{"x":0.5,"y":"é"}}""")]
    [InlineData("""{ "b" : {"y":"\u00e9", "x":5e-1}, "a": [ 1, true, null ] }""")]
    public void A_job_is_known_by_what_was_asked_not_by_how_it_was_spelled(string request)
    {
        var id = JobStore.IdOf(Digest.Of("abc"u8), request);
        Assert.Equal("5390bede94aed76fede4f9c93cab356dd4d408b69c590e5e2213408d412194cc", id.ToString());
        Assert.NotEqual(id, JobStore.IdOf(Digest.Of("abd"u8), request));
    }

    // Numbers: RFC 8785, appendix B and section 3.2.2; strings: section 3.2.2.2.
    [Theory]
    [InlineData("[333333333.33333329, 1E30, 4.50, 2e-3, 0.000000000000000000000000001]", "[333333333.3333333,1e+30,4.5,0.002,1e-27]")]
    [InlineData("[-0, -0.0, 1.0, -1.50, 1e21, 1e20, 123456.789e3]", "[0,0,1,-1.5,1e+21,100000000000000000000,123456789]")]
    [InlineData(
        "[5e-324, 1.7976931348623157e308, 9007199254740993, 1e-6, 1.5e-7]",
        "[5e-324,1.7976931348623157e+308,9007199254740993,0.000001,1.5e-7]")]
    [InlineData("[18446744073709551615]", "[18446744073709551615]")]
    [InlineData("\"\\u20ac$\\u000F\\u000aA'\\u0042\\u0022\\u005c\\\\\\\"\\/\"", "\"€$\\u000f\\nA'B\\\"\\\\\\\\\\\"/\"")]
    [InlineData("""{"b":1,"a":{"d":[],"c":{}},"B":2}""", """{"B":2,"a":{"c":{},"d":[]},"b":1}""")]
    public void Canonical_JSON_follows_RFC_8785(string json, string expected) =>
        Assert.Equal(expected, Encoding.UTF8.GetString(CanonicalJson.Canonicalize(json)));

    [Theory]
    [InlineData("""{"a":1,"a":2}""")]
    [InlineData("[1e999]")]
    [InlineData("\"\\ud800\"")]
    [InlineData("[1,]")]
    [InlineData("")]
    public void What_has_no_canonical_form_is_refused(string json) => Assert.Throws<FormatException>(() =>
        CanonicalJson.Canonicalize(json));
}
