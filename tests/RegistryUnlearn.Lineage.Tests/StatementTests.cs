using System.Text;
using System.Text.Json.Nodes;

namespace RegistryUnlearn.Lineage.Tests;

public sealed class StatementTests
{
    const string Abc = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
    const string Empty = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
    const string Head =
        "{'_type':'https://in-toto.io/Statement/v1','subject':[{'name':'model.onnx','digest':{'sha256':'<abc>'}}],'predicateType':";

    static readonly ResourceDescriptor[] Subject = [ResourceDescriptor.File("model.onnx", Abc)];

    static readonly ProvenancePredicate Provenance = new(
        new(BuildDefinition.UnlearningBuildType, new JsonObject { ["method"] = "ltu" },
            [new("parent", "digits@1", new(Empty)), new("retain.npz", Digest: new(Abc), MediaType: "application/octet-stream")]),
        new(new("https://registryunlearn.dev/worker", new Dictionary<string, string> { ["registry-unlearn"] = "0.1.0" }),
            new(Empty, new DateTimeOffset(2026, 3, 5, 14, 0, 0, TimeSpan.FromHours(1)), new DateTimeOffset(2026, 3, 5, 13, 0, 1, 500,
                TimeSpan.Zero))));

    static readonly UnlearningPredicate Unlearning = new()
    {
        Method = "ltu",
        Options = new JsonObject { ["steps"] = 20, ["rate"] = 0.001 },
        Harmonization = "gradient-projection",
        Seed = ulong.MaxValue,
        ForgetSet = new(3, Abc),
        Metrics = new Dictionary<string, double> { ["forget.accuracy"] = 0.125 },
        Versions = new Dictionary<string, string> { ["onnxruntime"] = "1.31.1" },
    };

    [Fact]
    public void Provenance_is_spelled_as_SLSA_has_it() => AssertJson(
        Head + "'https://slsa.dev/provenance/v1','predicate':{'buildDefinition':{" +
        "'buildType':'https://registryunlearn.dev/build/unlearning/v1'," +
        "'externalParameters':{'method':'ltu'},'resolvedDependencies':[{'name':'parent','uri':'digits@1','digest':{'sha256':'<empty>'}}," +
        "{'name':'retain.npz','digest':{'sha256':'<abc>'},'mediaType':'application/octet-stream'}]}," +
        "'runDetails':{'builder':{'id':'https://registryunlearn.dev/worker','version':{'registry-unlearn':'0.1.0'}}," +
        "'metadata':{'invocationId':'<empty>','startedOn':'2026-03-05T13:00:00Z','finishedOn':'2026-03-05T13:00:01.5Z'}}}}",
        Statement.Of(Subject, Provenance));

    [Fact]
    public void An_unlearning_run_names_no_sample() => AssertJson(
        Head + "'https://registryunlearn.dev/unlearning/v1','predicate':{'method':'ltu','options':{'steps':20,'rate':0.001}," +
        "'harmonization':'gradient-projection','seed':18446744073709551615," +
        "'forgetSet':{'count':3,'algorithm':'hmac-sha256','value':'<abc>'}," +
        "'metrics':{'forget.accuracy':0.125},'versions':{'onnxruntime':'1.31.1'}}}",
        Statement.Of(Subject, Unlearning));

    [Theory]
    [InlineData("a", "", "", "'result':'PASSED',<c>,'passedTests':['a'],'warnedTests':[],'failedTests':[]")]
    [InlineData("a", "b", "", "'result':'WARNED',<c>,'passedTests':['a'],'warnedTests':['b'],'failedTests':[]")]
    [InlineData("a", "b", "c,d", "'result':'FAILED',<c>,'passedTests':['a'],'warnedTests':['b'],'failedTests':['c','d']")]
    public void Test_results_are_as_bad_as_the_worst_gate(string passed, string warned, string failed, string predicate)
    {
        static string[] Gates(string text) => text.Split(',', StringSplitOptions.RemoveEmptyEntries);
        const string configuration = "'configuration':[{'name':'gates.json','digest':{'sha256':'<abc>'}}]";
        AssertJson(
            Head + "'https://in-toto.io/attestation/test-result/v0.1','predicate':{" +
                predicate.Replace("<c>", configuration, StringComparison.Ordinal) + "}}",
            Statement.Of(Subject, new TestResultPredicate([ResourceDescriptor.File("gates.json", Abc)], Gates(passed), Gates(warned),
                Gates(failed))));
    }

    [Fact]
    public void A_file_reads_back_as_written()
    {
        var bytes = LineageFile.Write([Statement.Of(Subject, Provenance), Statement.Of(Subject, Unlearning)]);
        var read = LineageFile.Read(bytes, LineageKeys.FileName);
        Assert.Equal(2, read.Count);
        Assert.Equal(bytes, LineageFile.Write(read.Select(e => e.Statement)));
        Assert.Equal(Provenance.RunDetails.Metadata, read[0].Statement.PredicateAs<ProvenancePredicate>().RunDetails.Metadata);
        Assert.Equal(Unlearning.ForgetSet, read[1].Statement.PredicateAs<UnlearningPredicate>().ForgetSet);
        Assert.Throws<LineageException>(read[0].Statement.PredicateAs<UnlearningPredicate>);
    }

    [Fact]
    public void A_line_that_nobody_signed_has_an_empty_list_of_signatures()
    {
        var line = Encoding.UTF8.GetString(new DsseEnvelope("text/plain", "hello world"u8.ToArray()).ToJson());
        Assert.Equal("""{"payload":"aGVsbG8gd29ybGQ=","payloadType":"text/plain","signatures":[]}""", line);
    }

    // The vector of the DSSE specification, protocol.md.
    [Fact]
    public void The_encoding_to_sign_is_that_of_the_specification() =>
        Assert.Equal("DSSEv1 29 http://example.com/HelloWorld 11 hello world",
        Encoding.UTF8.GetString(DsseEnvelope.PreAuthenticationEncoding("http://example.com/HelloWorld", "hello world"u8)));

    [Fact]
    public void Lengths_to_sign_are_in_bytes() =>
        Assert.Equal("DSSEv1 2 é 0 ", Encoding.UTF8.GetString(DsseEnvelope.PreAuthenticationEncoding("é", [])));

    [Theory]
    [InlineData("nonsense", "lineage.intoto.jsonl, line 2: this is not a DSSE envelope")]
    [InlineData("""{"payload":"e30=","payloadType":"application/vnd.in-toto+json"}""", "this is not a DSSE envelope")]
    [InlineData("""{"payload":"?","payloadType":"application/vnd.in-toto+json","signatures":[]}""", "this is not a DSSE envelope")]
    [InlineData(
        """{"payload":"e30=","payloadType":"application/vnd.in-toto+json","signatures":[]}""", "this is not an in-toto Statement v1")]
    public void A_broken_line_is_named(string line, string expected)
    {
        var bytes = Encoding.UTF8.GetBytes("\n" + line + "\n");
        Assert.Contains(expected, Assert.Throws<LineageException>(() =>
            LineageFile.Read(bytes, LineageKeys.FileName)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Damaged_files_are_refused_or_read()
    {
        using var key = SigningKey.Create(SigningCurve.P256);
        var file = LineageFile.Write([Statement.Of(Subject, Provenance), Statement.Of(Subject, Unlearning)], key);
        Mutation.Run([file], 3000,
            bytes =>
            {
                foreach (var (_, statement) in LineageFile.Read(bytes, LineageKeys.FileName))
                    Assert.NotEmpty(statement.Subject);
            },
            e => e is LineageException, length => 64 * length + (1 << 20));
    }

    /// <summary>Damage under the base64 as well: the payloads themselves.</summary>
    [Fact]
    public void Damaged_statements_are_refused_or_read() => Mutation.Run(
        [Statement.Of(Subject, Provenance).ToJson(), Statement.Of(Subject, Unlearning).ToJson()], 5000,
        bytes =>
        {
            var statement = Statement.Parse(bytes, "x");
            if (statement.PredicateType == UnlearningPredicate.TypeUri)
                Assert.NotNull(statement.PredicateAs<UnlearningPredicate>().ForgetSet);
            if (statement.PredicateType == ProvenancePredicate.TypeUri)
                Assert.NotNull(statement.PredicateAs<ProvenancePredicate>().RunDetails);
        },
        e => e is LineageException, length => 64 * length + (1 << 20));

    [Fact]
    public void Envelopes_of_other_types_are_passed_over() =>
        Assert.Empty(LineageFile.Read(new DsseEnvelope("text/plain", "x"u8.ToArray()).ToJson(), LineageKeys.FileName));

    [Theory]
    [InlineData("""{"_type":"https://in-toto.io/Statement/v0.1","subject":""" +
        """[{"name":"a","digest":{"sha256":"#"}}],"predicateType":"p","predicate":{}}""")]
    [InlineData("""{"_type":"https://in-toto.io/Statement/v1","subject":[],"predicateType":"p","predicate":{}}""")]
    [InlineData("""{"_type":"https://in-toto.io/Statement/v1","subject":[null],"predicateType":"p","predicate":{}}""")]
    [InlineData("""{"_type":"https://in-toto.io/Statement/v1","subject":[{"name":"a"}],"predicateType":"p","predicate":{}}""")]
    [InlineData("""{"_type":"https://in-toto.io/Statement/v1","subject":""" +
        """[{"name":"a","digest":{"sha256":"12"}}],"predicateType":"p","predicate":{}}""")]
    public void A_payload_that_is_no_statement_is_refused(string json) =>
        Assert.Throws<LineageException>(() =>
            Statement.Parse(Encoding.UTF8.GetBytes(json.Replace("#", Abc, StringComparison.Ordinal)), "x"));

    /// <summary>
    /// Compares with JSON in which ' stands for a quotation mark and &lt;abc&gt;, &lt;empty&gt; for the digests of those texts.
    /// </summary>
    static void AssertJson(string expected, Statement actual) => Assert.Equal(
        expected.Replace('\'', '"').Replace("<abc>", Abc, StringComparison.Ordinal).Replace("<empty>", Empty, StringComparison.Ordinal),
        Encoding.UTF8.GetString(actual.ToJson()));
}
