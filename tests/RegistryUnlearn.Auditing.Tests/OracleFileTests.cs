using System.Text;
using System.Text.Json.Nodes;

namespace RegistryUnlearn.Auditing.Tests;

public class OracleFileTests
{
    static readonly string Digest = "sha256:" + new string('a', 64);

    static OracleFile Sample() => new(OracleFile.CurrentSchema, Digest, Digest,
    [
        OracleRecord.Of(SampleAudit.Outputs("oracle-1", 0, 1, forget: 20), seed: 1, lossPoints: 50),
        OracleRecord.Of(SampleAudit.Outputs("oracle-2", 0, 2, forget: 20), seed: null, lossPoints: 50),
    ]);

    [Fact]
    public void Round_trip_keeps_everything_and_the_bytes()
    {
        var bytes = Sample().ToJson();
        var read = OracleFile.Parse(bytes, "oracles.json");
        Assert.Equivalent(Sample(), read, strict: true);
        Assert.Equal(bytes, read.ToJson());
        Assert.DoesNotContain("\r", Encoding.UTF8.GetString(bytes));
        Assert.Equal((20, 50), (read.Oracles[0].Summary.Forget.Losses.Length, read.Oracles[0].Summary.Test!.Losses.Length));
    }

    [Fact]
    public void Thinning_leaves_the_statistics_alone()
    {
        var outputs = SampleAudit.Outputs("o", 0, 1);
        var (thin, full) = (OracleRecord.Of(outputs, 1, lossPoints: 50).Summary, ModelSummary.Of(outputs));
        Assert.Equal(full.VersusTest, thin.VersusTest);
        Assert.Equal(full.Test!.MeanLoss, thin.Test!.MeanLoss);
        Assert.Equal(full.Forget.Losses, thin.Forget.Losses);
    }

    [Theory]
    [InlineData("schemaVersion", "2", "$.schemaVersion", "this release reads 1")]
    [InlineData("modelDigest", "\"sha256:AB\"", "$.modelDigest", "64 lower-case")]
    [InlineData("modelDigest", "null", "$.modelDigest", "not as the oracle format asks")]
    [InlineData("oracles", "[]", "$.oracles", "at least one oracle")]
    [InlineData("extra", "1", "$.extra", "not as the oracle format asks")]
    [InlineData("oracles/1/name", "\"oracle-1\"", "$.oracles[1].name", "used twice")]
    [InlineData("oracles/0/name", "\"\"", "$.oracles[0].name", "1 to 200")]
    [InlineData("oracles/0/summary/classes", "1", "$.oracles[0].summary.classes", "between 2 and 16777216")]
    [InlineData("oracles/0/summary/forget/count", "19", "$.oracles[0].summary.forget.confusion", "add up")]
    [InlineData("oracles/0/summary/forget/accuracy", "1.5", "$.oracles[0].summary.forget.accuracy", "between 0 and 1")]
    [InlineData("oracles/0/summary/forget/meanLoss", "-1", "$.oracles[0].summary.forget.meanLoss", "not negative")]
    [InlineData("oracles/0/summary/forget/meanLoss", "\"NaN\"", "$.oracles[0].summary.forget.meanLoss", "not as the oracle format asks")]
    [InlineData("oracles/0/summary/forget/losses/5", "0", "$.oracles[0].summary.forget.losses[5]", "ascending")]
    [InlineData("oracles/0/summary/forget/losses", "[1]", "$.oracles[0].summary.forget.losses", "one loss per forget sample")]
    [InlineData("oracles/0/summary/test/losses", "[]", "$.oracles[0].summary.test.losses", "between 1 and 'count'")]
    [InlineData("oracles/0/summary/forget/confusion/0", "-1", "$.oracles[0].summary.forget.confusion", "ascending")]
    [InlineData("oracles/0/summary/forget/confusion/1", "10", "$.oracles[0].summary.forget.confusion", "in range")]
    [InlineData("oracles/0/summary/forget/confusion/2", "0", "$.oracles[0].summary.forget.confusion", "add up")]
    [InlineData("oracles/0/summary/forget/confusion", "[0,0]", "$.oracles[0].summary.forget.confusion", "triples")]
    [InlineData("oracles/0/summary/versusTest/auc", "-0.1", "$.oracles[0].summary.versusTest.auc", "between 0 and 1")]
    [InlineData("oracles/0/summary/versusTest", "null", "$.oracles[0].summary.versusTest", "exactly when its reference set is")]
    [InlineData("oracles/0/summary/retained", "null", "$.oracles[0].summary.retained", "not as the oracle format asks")]
    public void A_bad_field_is_named_with_the_remedy(string path, string value, string field, string reason)
    {
        var node = JsonNode.Parse(Sample().ToJson())!;
        var steps = path.Split('/');
        var parent = steps[..^1].Aggregate(node, (at, step) => int.TryParse(step, out var i) ? at[i]! : at[step]!);
        if (int.TryParse(steps[^1], out var index))
            parent[index] = JsonNode.Parse(value);
        else
            parent[steps[^1]] = JsonNode.Parse(value);

        var message = Refusal(node.ToJsonString());
        Assert.StartsWith($"o.json: field '{field}'", message);
        Assert.Contains(reason, message);
        Assert.EndsWith("with the oracle command", message);
    }

    [Theory]
    [InlineData("")]
    [InlineData("null")]
    [InlineData("{")]
    [InlineData("[]")]
    [InlineData("{}")]
    [InlineData("{\"schemaVersion\":1,\"schemaVersion\":1}")]
    public void What_is_no_oracle_file_is_refused(string json) =>
        Assert.StartsWith("o.json: ", Refusal(json));

    static string Refusal(string json) =>
        Assert.Throws<AuditInputException>(() => OracleFile.Parse(Encoding.UTF8.GetBytes(json), "o.json")).Message;

    [Fact]
    public void A_missing_file_is_named()
    {
        var path = Path.Combine(AppContext.BaseDirectory, "no-such-oracles.json");
        var message = Assert.Throws<AuditInputException>(() => OracleFile.Read(path)).Message;
        Assert.StartsWith($"{path}: cannot be read (FileNotFoundException)", message);
    }

    [Fact]
    public void Nothing_invalid_is_written() =>
        Assert.Throws<AuditInputException>(() => (Sample() with { ModelDigest = "sha256:" }).ToJson());
}
