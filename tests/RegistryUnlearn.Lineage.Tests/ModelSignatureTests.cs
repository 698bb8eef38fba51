using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;

namespace RegistryUnlearn.Lineage.Tests;

public sealed class ModelSignatureTests
{
    const string A = "bc9a717db6064a32cbe9eae6fc40651dd6d36ef1757183f590eff2b1765d7ebc";
    const string B = "32dcb1f8e1ae52d5963e56a6ba06ab58b424c15ed2a6b70d2feca1d089370028";
    const string Sample = "data/model-signing/sample-v1.0.1";

    static readonly Dictionary<string, string> Files = new() { ["signme-2"] = B, ["signme-1"] = A };

    // The root digest is that of the specification's own sample, which has these two files.
    [Fact]
    public void A_bundle_is_spelled_as_the_specification_has_it()
    {
        using var key = SigningKey.Create(SigningCurve.P256);
        var bundle = JsonNode.Parse(ModelSignature.Sign("7", Files, ["manifest.json"], key))!;
        var envelope = bundle["dsseEnvelope"]!;
        Assert.Equal("""
            {"_type":"https://in-toto.io/Statement/v1","subject":[{"name":"7",
            "digest":{"sha256":"92745110b1ab4368471cbe31664e10174e954b113a3df333db860317b2c6dec4"}}],
            "predicateType":"https://model_signing/signature/v1.0","predicate":{"resources":[
            {"name":"signme-1","algorithm":"sha256","digest":"bc9a717db6064a32cbe9eae6fc40651dd6d36ef1757183f590eff2b1765d7ebc"},
            {"name":"signme-2","algorithm":"sha256","digest":"32dcb1f8e1ae52d5963e56a6ba06ab58b424c15ed2a6b70d2feca1d089370028"}],
            "serialization":{"method":"files","hash_type":"sha256","allow_symlinks":false,"ignore_paths":["manifest.json"]}}}
            """.Replace("\n", ""), Encoding.UTF8.GetString(Convert.FromBase64String(envelope["payload"]!.GetValue<string>())));
        Assert.Equal("", envelope["signatures"]![0]!["keyid"]!.GetValue<string>());
        envelope["payload"] = "";
        envelope["signatures"]![0]!["sig"] = "";
        Assert.Equal("""
            {"mediaType":"application/vnd.dev.sigstore.bundle.v0.3+json","verificationMaterial":{"publicKey":{"hint":"<hint>"},
            "tlogEntries":[]},"dsseEnvelope":{"payload":"","payloadType":"application/vnd.in-toto+json",
            "signatures":[{"sig":"","keyid":""}]}}
            """.Replace("\n", "").Replace("<hint>", key.PublicKey.Hint), bundle.ToJsonString().Replace("\\u002B", "+"));
    }

    [Fact]
    public void Names_are_in_the_order_of_code_points()
    {
        // U+FF5E sorts before U+1F600 as a code point, and after its first UTF-16 unit, U+D83D.
        using var key = SigningKey.Create(SigningCurve.P256);
        var files = new[] { "\U0001F600", "～", "a/b", "a", "a-b", "Z" }.ToDictionary(f => f, _ => A);
        var signature = Parse(ModelSignature.Sign("x", files, [], key));
        Assert.Equal(["Z", "a", "a-b", "a/b", "～", "\U0001F600"], signature.Resources.Select(r => r.Name));
    }

    [Fact]
    public void The_published_schemas_accept_it()
    {
        using var key = SigningKey.Create(SigningCurve.P521);
        var bundle = ModelSignature.Sign("7", Files, ["manifest.json"], key);
        const string folder = "data/model-signing/schemas/";
        JsonSchemas.Check(bundle, folder + "bundle.schema.json", folder + "envelope.schema.json");
        JsonSchemas.Check(Parse(bundle).Envelope.Payload.Span, folder + "statement.schema.json", folder + "predicate.schema.json");
    }

    public static TheoryData<string> Curves => [.. SigningCurve.All.Select(c => c.Name)];

    [Theory, MemberData(nameof(Curves))]
    public void OpenSSL_agrees(string curve)
    {
        using var openssl = new OpenSsl();
        using var key = SigningKey.Create(SigningCurve.All.Single(c => c.Name == curve));
        var envelope = Parse(ModelSignature.Sign("7", Files, [], key)).Envelope;
        Assert.Equal((0, "Verified OK\n"), openssl.Run("dgst", $"-{key.PublicKey.Curve.Hash.Name!.ToLowerInvariant()}",
            "-verify", openssl.Write("key", Encoding.ASCII.GetBytes(key.PublicKey.ToPem())),
            "-signature", openssl.Write("signature", envelope.Signatures[0].Bytes.Span),
            openssl.Write("text", Encoding.UTF8.GetBytes(
                $"DSSEv1 28 application/vnd.in-toto+json {envelope.Payload.Length} {Encoding.UTF8.GetString(envelope.Payload.Span)}"))));
    }

    [Fact]
    public void The_sample_of_the_reference_implementation_is_verified()
    {
        var folder = Repository.Shared(Sample);
        var key = VerificationKey.FromPem(File.ReadAllText(Repository.Shared(Sample + ".pub.pem")), "sample.pub.pem");
        Assert.Equal(("P-384", "e8450dec4eb99dae995da9af1bc2cc9f76ed669ee2e744f57abba763df3e3f8e"), (key.Curve.Name, key.Hint));
        var signature = Parse(File.ReadAllBytes(Path.Combine(folder, "model.sig")));
        Assert.True(signature.Envelope.IsSignedBy(key));
        var files = Directory.EnumerateFiles(folder).ToDictionary(
            f => Path.GetFileName(f), f => Convert.ToHexStringLower(SHA256.HashData(File.ReadAllBytes(f))));
        // Its release did not yet write down what had been ignored when it signed.
        var finding = Assert.Single(signature.Compare(files));
        Assert.Equal((LineageFault.NotCovered, "ignore-me"), (finding.Fault, finding.File));
        Assert.Empty((signature with { IgnorePaths = ["ignore-me"] }).Compare(files));
    }

    [Fact]
    public void The_vectors_of_the_specification_are_judged_as_they_should_be()
    {
        const string vectors = "data/model-signing/vectors/";
        var key = VerificationKey.FromPem(File.ReadAllText(Repository.Shared(Sample + ".pub.pem")), "sample.pub.pem");
        var valid = Parse(File.ReadAllBytes(Repository.Shared(vectors + "valid/key.bundle.json")));
        Assert.Equal((key.Hint, true), (valid.Hint, valid.Envelope.IsSignedBy(key)));
        Assert.Empty(valid.Compare(new Dictionary<string, string>(Files) { ["ignore-me"] = A, [".gitignore"] = A, ["model.sig"] = A }));
        var refused = new (string File, string Why)[]
        {
            ("valid/certificate", "signed by a certificate"), ("valid/sigstore", "signed by a certificate"),
            ("invalid/empty", "can be verified here"), ("invalid/missing-envelope", "lacks dsseEnvelope"),
            ("invalid/missing-tlog-entries", "signed by a certificate"),
            ("invalid/missing-verification-material", "lacks verificationMaterial"),
            ("invalid-payload/wrong-predicate", "predicateType is 'https://example.com/wrong-predicate/v1.0'"),
        };
        foreach (var (file, why) in refused)
        {
            var bundle = File.ReadAllBytes(Repository.Shared($"{vectors}{file}.bundle.json"));
            var refusal = Assert.Throws<LineageException>(() => Parse(bundle));
            Assert.Contains(why, refusal.Message);
        }
    }

    [Fact]
    public void Every_disagreement_is_found()
    {
        using var key = SigningKey.Create(SigningCurve.P256);
        var signature = Parse(ModelSignature.Sign("x", Files, ["manifest.json", "notes"], key));
        var found = signature.Compare(new Dictionary<string, string>
        {
            ["signme-1"] = B,
            ["signme-3"] = A,
            ["model.sig"] = A,
            ["manifest.json"] = A,
            ["notes/today"] = A,
            ["notes2"] = A,
            [".git/config"] = A,
            [".gitignore"] = A,
            ["sub/.gitignore"] = A,
        });
        Assert.Equal(
            [
                (LineageFault.Changed, "signme-1"), (LineageFault.Missing, "signme-2"), (LineageFault.NotCovered, "notes2"),
                (LineageFault.NotCovered, "signme-3"), (LineageFault.NotCovered, "sub/.gitignore"),
            ],
            found.OrderBy(f => f.Fault is LineageFault.NotCovered).ThenBy(f => f.File, StringComparer.Ordinal)
                .Select(f => (f.Fault, f.File)));
    }

    /// <summary>Changes in the signed payload; the digest of the subject is made to fit.</summary>
    [Theory]
    [InlineData("predicate.serialization.method", "\"shards\"", "the method 'shards'; only whole files")]
    [InlineData("predicate.serialization.method", "\"folders\"", "method is 'folders', not 'files'")]
    [InlineData("predicate.serialization.hash_type", "\"blake3\"", "hash_type is 'blake3', not 'sha256'")]
    [InlineData("predicate.serialization.allow_symlinks", "true", "links are not followed")]
    [InlineData("predicate.serialization.allow_symlinks", "0", "can be verified here")]
    [InlineData("predicate.serialization.shard_size", "5", "shard_size does not belong")]
    [InlineData("predicate.serialization.ignore_paths", "[\"\"]", "ignore_paths has an empty path")]
    [InlineData("predicate.serialization.extra", "1", "serialization has the field 'extra'")]
    [InlineData("predicate.lineage", "1", "predicate has the field 'lineage'")]
    [InlineData("predicate.resources", "{}", "can be verified here")]
    [InlineData("_type", "\"https://in-toto.io/Statement/v0.1\"", "_type is")]
    [InlineData("subject", "[]", "subject is not exactly one")]
    [InlineData("extra", "1", "the statement has the field 'extra'")]
    public void A_payload_that_breaks_a_rule_is_refused(string path, string value, string expected) =>
        Assert.Contains(expected, Refusal(statement =>
        {
            var steps = path.Split('.');
            var parent = steps.SkipLast(1).Aggregate(statement, (node, step) => node[step]!.AsObject());
            parent[steps[^1]] = JsonNode.Parse(value);
        }));

    [Theory]
    [InlineData("../x", A, "sha256", "is not a relative path inside")]
    [InlineData("/etc/passwd", A, "sha256", "is not a relative path inside")]
    [InlineData("a//b", A, "sha256", "is not a relative path inside")]
    [InlineData("", A, "sha256", "is not a relative path inside")]
    [InlineData("signme-0", A, "sha256", "not in the order of names")]
    [InlineData("signme-2", B, "sha256", "has one twice")]
    [InlineData("z", "12", "sha256", "is not a SHA-256")]
    [InlineData("z", A, "blake2b", "algorithm is 'blake2b'")]
    [InlineData("z", A, "sha256", "The subject's digest is not that of the resources")]
    public void A_resource_that_breaks_a_rule_is_refused(string name, string digest, string algorithm, string expected) =>
        Assert.Contains(expected, Refusal(statement => statement["predicate"]!["resources"]!.AsArray().Add(new JsonObject
        {
            ["name"] = name,
            ["algorithm"] = algorithm,
            ["digest"] = digest,
        })));

    [Fact]
    public void Depth_and_doubled_keys_are_refused()
    {
        foreach (var text in new[] { string.Concat(Enumerable.Repeat("[", 100_000)), """{"mediaType":"a","mediaType":"b"}""", "", "7" })
            Assert.Throws<LineageException>(() => Parse(Encoding.UTF8.GetBytes(text)));
    }

    [Fact]
    public void Damaged_bundles_are_refused_or_not_signed()
    {
        using var key = SigningKey.Create(SigningCurve.P256);
        var bundle = ModelSignature.Sign("7", Files, ["manifest.json"], key);
        Mutation.Run([bundle], 2000,
            file =>
            {
                var signature = Parse(file);
                if (signature.Envelope.IsSignedBy(key.PublicKey))
                    Assert.Empty(signature.Compare(Files));
            },
            e => e is LineageException, length => 64 * length + (1 << 20));
    }

    static ModelSignature Parse(byte[] bundle) => ModelSignature.Parse(bundle, "model.sig");

    static string Refusal(Action<JsonObject> change)
    {
        using var key = SigningKey.Create(SigningCurve.P256);
        var bundle = JsonNode.Parse(ModelSignature.Sign("7", Files, [], key))!;
        var statement = JsonNode.Parse(Convert.FromBase64String(bundle["dsseEnvelope"]!["payload"]!.GetValue<string>()))!.AsObject();
        change(statement);
        var signed = DsseEnvelope.Sign(Statement.PayloadType, Encoding.UTF8.GetBytes(statement.ToJsonString()), key, "");
        bundle["dsseEnvelope"] = JsonNode.Parse(signed.ToJson());
        return Assert.Throws<LineageException>(() => Parse(Encoding.UTF8.GetBytes(bundle.ToJsonString()))).Message;
    }
}
