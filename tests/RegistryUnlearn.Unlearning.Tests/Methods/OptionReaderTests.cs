using System.Text.Json;
using RegistryUnlearn.Unlearning.Methods;

namespace RegistryUnlearn.Unlearning.Tests.Methods;

public class OptionReaderTests
{
    enum Mood
    {
        Calm,
        VeryCalm,
    }

    [Theory]
    [InlineData("{}")]
    [InlineData("""{"rate": 0.5, "count": 3, "flag": true, "mood": "very-calm"}""", 0.5f, 3, true, Mood.VeryCalm)]
    [InlineData("""{"rate": 1e-8, "count": 1.0, "flag": false, "mood": "calm"}""", 1e-8f, 1, false, Mood.Calm)]
    [InlineData("""{"rate": 0.999, "count": 1e3}""", 0.999f, 1000)]
    [InlineData("""{"count": 1}""", 0.25f, 1)]
    [InlineData("""{"count": 1, "count": 2}""", 0.25f, 2)]
    public void Reads_what_is_given(string json, float rate = 0.25f, int count = 7, bool flag = false, object? mood = null)
    {
        var (read, errors) = Read(json);

        Assert.Empty(errors);
        Assert.Equal((rate, count, flag, (Mood)(mood ?? Mood.Calm)), read);
    }

    [Fact]
    public void Reads_an_absent_object_as_an_empty_one()
    {
        var errors = new List<string>();
        var reader = new OptionReader(default, "options", errors);

        Assert.Equal(4, reader.Int("count", 4, 1, 9));
        reader.Finish();
        Assert.Empty(errors);
    }

    [Theory]
    [InlineData("""{"rate": 1.5}""", "options.rate is 1.5; give a number from 1E-08 to 0.999")]
    [InlineData("""{"rate": 0}""", "options.rate is 0; give a number from 1E-08 to 0.999")]
    [InlineData("""{"rate": 1e400}""", "options.rate is 1e400; give a number from 1E-08 to 0.999")]
    [InlineData("""{"rate": "0.5"}""", "options.rate is \"0.5\"; give a number from 1E-08 to 0.999")]
    [InlineData("""{"rate": null}""", "options.rate is null; give a number from 1E-08 to 0.999")]
    [InlineData("""{"count": 0}""", "options.count is 0; give a number from 1 to 1000")]
    [InlineData("""{"count": 1001}""", "options.count is 1001; give a number from 1 to 1000")]
    [InlineData("""{"count": 2.5}""", "options.count is 2.5; give a whole number")]
    [InlineData("""{"count": [2]}""", "options.count is [2]; give a number from 1 to 1000")]
    [InlineData("""{"flag": 1}""", "options.flag is 1; give true or false")]
    [InlineData("""{"flag": "true"}""", "options.flag is \"true\"; give true or false")]
    [InlineData("""{"mood": "VeryCalm"}""", "options.mood is \"VeryCalm\"; give one of calm, very-calm")]
    [InlineData("""{"mood": 1}""", "options.mood is 1; give one of calm, very-calm")]
    [InlineData("""{"Rate": 0.5}""", "options.Rate is unknown; known are count, flag, mood, rate")]
    [InlineData("[]", "options is array; give an object")]
    [InlineData("null", "options is null; give an object")]
    [InlineData("\"fast\"", "options is string; give an object")]
    [InlineData("""{"a\nERROR b": 1}""", "options.a?ERROR b is unknown; known are count, flag, mood, rate")]
    [InlineData("""{"flag": "0123456789012345678901234567890123456789012345678901234567890123456789"}""",
        "options.flag is \"01234567890123456789012345678901234567890123456789012345678…; give true or false")]
    public void Names_field_value_and_remedy(string json, string message) => Assert.Equal(message, Assert.Single(Read(json).Errors));

    [Fact]
    public void Tells_everything_at_once() => Assert.Equal(
        [
            "options.rate is \"x\"; give a number from 1E-08 to 0.999", "options.count is -1; give a number from 1 to 1000",
            "options.flag is {}; give true or false", "options.mood is \"angry\"; give one of calm, very-calm",
            "options.colour is unknown; known are count, flag, mood, rate",
        ],
        Read("""{"mood": "angry", "colour": 1, "flag": {}, "count": -1, "rate": "x"}""").Errors);

    [Fact]
    public void Gives_the_default_for_what_is_wrong() =>
        Assert.Equal((0.25f, 7, false, Mood.Calm), Read("""{"mood": "angry", "flag": 2, "count": 2.5, "rate": -1}""").Options);

    static ((float, int, bool, Mood) Options, List<string> Errors) Read(string json)
    {
        var errors = new List<string>();
        var reader = new OptionReader(JsonDocument.Parse(json).RootElement, "options", errors);
        var read = (reader.Float("rate", 0.25f, 1e-8f, 0.999f), reader.Int("count", 7, 1, 1000), reader.Bool("flag", false),
            reader.Choice("mood", Mood.Calm));
        reader.Finish();
        return (read, errors);
    }
}
