using System.Security.Cryptography;
using System.Text;

namespace RegistryUnlearn.Lineage.Tests;

public sealed class SigningKeyTests
{
    public static TheoryData<string> Curves => [.. SigningCurve.All.Select(c => c.Name)];

    static readonly byte[] Text = "what is signed"u8.ToArray();

    static SigningKey New(string curve) => SigningKey.Create(SigningCurve.All.Single(c => c.Name == curve));

    [Theory, MemberData(nameof(Curves))]
    public void A_signature_is_its_keys_alone(string curve)
    {
        using SigningKey key = New(curve), other = New(curve);
        var signature = key.Sign(Text);
        Assert.True(key.PublicKey.Verify(Text, signature));
        Assert.False(other.PublicKey.Verify(Text, signature));
        Assert.False(key.PublicKey.Verify(Text.AsSpan(1), signature));
        for (var i = 0; i < signature.Length; i += 5)
        {
            var changed = signature.ToArray();
            changed[i] ^= 1;
            Assert.False(key.PublicKey.Verify(Text, changed));
        }
        Assert.False(key.PublicKey.Verify(Text, []));
    }

    [Theory, MemberData(nameof(Curves))]
    public void Keys_survive_their_files(string curve)
    {
        using var key = New(curve);
        foreach (var passphrase in new[] { null, "correct horse" })
        {
            var pem = key.ToPem(passphrase);
            Assert.StartsWith(passphrase is null ? "-----BEGIN PRIVATE KEY-----\n" : "-----BEGIN ENCRYPTED PRIVATE KEY-----\n", pem);
            using var read = SigningKey.FromPem(pem, passphrase, "key.pem");
            Assert.Equal(key.PublicKey.ToPem(), read.PublicKey.ToPem());
        }
        var again = VerificationKey.FromPem("some words\n" + key.PublicKey.ToPem(), "key.pub.pem");
        Assert.Equal((key.PublicKey.Hint, curve), (again.Hint, again.Curve.Name));
        Assert.Equal(Convert.ToHexStringLower(SHA256.HashData(Encoding.ASCII.GetBytes(key.PublicKey.ToPem()))), again.Hint);
    }

    [Theory, MemberData(nameof(Curves))]
    public void OpenSSL_accepts_keys_and_signatures(string curve)
    {
        using var openssl = new OpenSsl();
        using var key = New(curve);
        var publicKey = openssl.Write("key.pub.pem", Encoding.ASCII.GetBytes(key.PublicKey.ToPem()));
        var signature = openssl.Write("signature", key.Sign(Text));
        var text = openssl.Write("text", Text);
        string[] verify = ["dgst", $"-{key.PublicKey.Curve.Hash.Name!.ToLowerInvariant()}", "-verify", publicKey, "-signature", signature];
        Assert.Equal((0, "Verified OK\n"), openssl.Run([.. verify, text]));
        Assert.NotEqual(0, openssl.Run([.. verify, publicKey]).Code);

        var encrypted = openssl.Write("key.pem", Encoding.ASCII.GetBytes(key.ToPem("correct horse")));
        Assert.Equal((0, key.PublicKey.ToPem()), openssl.Run("pkey", "-in", encrypted, "-passin", "pass:correct horse", "-pubout"));
        Assert.Equal(0, openssl.Run("pkcs8", "-topk8", "-in", encrypted, "-passin", "pass:correct horse", "-v2", "aes-128-cbc", "-passout",
            "pass:battery", "-out", openssl["theirs.pem"]).Code);
        using var theirs = SigningKey.FromPem(File.ReadAllText(openssl["theirs.pem"]), "battery", "theirs.pem");
        Assert.Equal(key.PublicKey.Hint, theirs.PublicKey.Hint);
    }

    /// <summary>{0} is an encrypted key, {1} a public key, {2} a key of RSA, {3} a key on another curve.</summary>
    [Theory]
    [InlineData("", null, "key.pem: there is no PEM block in it. Make a key with: registry-unlearn keys create <file>")]
    [InlineData("{0}", null, "key.pem: the private key is encrypted. Give its passphrase.")]
    [InlineData("{0}", "secret-word", "key.pem: the private key cannot be opened. Check its passphrase.")]
    [InlineData("{1}", null, "key.pem: it holds no private ECDSA key on one of P-256, P-384, P-521.")]
    [InlineData("{2}", null, "key.pem: it holds no private ECDSA key on one of P-256, P-384, P-521.")]
    [InlineData("{3}", null, "key.pem: it holds no private ECDSA key on one of P-256, P-384, P-521.")]
    [InlineData("-----BEGIN PRIVATE KEY-----\nc2VjcmV0LXdvcmQ=\n-----END PRIVATE KEY-----", null, "key.pem: it holds no private ECDSA key")]
    public void What_is_no_such_key_is_refused_without_a_word_of_it(string text, string? passphrase, string expected)
    {
        using var key = New("P-256");
        using var rsa = RSA.Create(2048);
        using var other = ECDsa.Create(ECCurve.CreateFromFriendlyName("secp256k1"));
        var pem = text.Replace("{0}", key.ToPem("right")).Replace("{1}", key.PublicKey.ToPem())
            .Replace("{2}", rsa.ExportPkcs8PrivateKeyPem()).Replace("{3}", other.ExportPkcs8PrivateKeyPem());
        var refusal = Assert.Throws<LineageException>(() => SigningKey.FromPem(pem, passphrase, "key.pem"));
        Assert.StartsWith(expected, refusal.Message);
        Assert.Null(refusal.InnerException);
        Assert.DoesNotContain("secret-word", refusal.ToString());
    }

    [Fact]
    public void A_private_key_is_no_public_key()
    {
        using var key = New("P-256");
        Assert.Equal("key.pem: the first PEM block is 'PRIVATE KEY', not 'PUBLIC KEY'. Give the publisher's public key.",
            Assert.Throws<LineageException>(() => VerificationKey.FromPem(key.ToPem(null), "key.pem")).Message);
        using var rsa = RSA.Create(2048);
        Assert.StartsWith("key.pem: it holds no ECDSA key on one of P-256, P-384, P-521.",
            Assert.Throws<LineageException>(() => VerificationKey.FromPem(rsa.ExportSubjectPublicKeyInfoPem(), "key.pem")).Message);
    }

    [Fact]
    public void Statements_are_signed_line_by_line_and_openssl_agrees()
    {
        using var openssl = new OpenSsl();
        using SigningKey key = New("P-384"), other = New("P-384");
        var digest = new string('a', 64);
        var statement = Statement.Of([ResourceDescriptor.File("model.onnx", digest)], new TestResultPredicate([], ["a"], [], []));
        var entries = LineageFile.Read(LineageFile.Write([statement, statement], key), "lineage.intoto.jsonl");
        Assert.Equal(2, entries.Count);
        foreach (var (envelope, read) in entries)
        {
            Assert.Equal(statement.ToJson(), read.ToJson());
            Assert.Equal(key.PublicKey.Hint, Assert.Single(envelope.Signatures).KeyId);
            Assert.True(envelope.IsSignedBy(key.PublicKey));
            Assert.False(envelope.IsSignedBy(other.PublicKey));
            Assert.False((envelope with { PayloadType = "text/plain" }).IsSignedBy(key.PublicKey));
            Assert.False((envelope with { Signatures = [] }).IsSignedBy(key.PublicKey));
            var payload = Encoding.UTF8.GetString(envelope.Payload.Span);
            Assert.Equal((0, "Verified OK\n"), openssl.Run("dgst", "-sha384",
                "-verify", openssl.Write("key", Encoding.ASCII.GetBytes(key.PublicKey.ToPem())),
                "-signature", openssl.Write("signature", envelope.Signatures[0].Bytes.Span),
                openssl.Write("text", Encoding.UTF8.GetBytes(
                    $"DSSEv1 28 application/vnd.in-toto+json {envelope.Payload.Length} {payload}"))));
        }
    }

    [Fact]
    public void Too_many_signatures_are_not_tried()
    {
        var many = string.Join(',', Enumerable.Repeat("""{"sig":"AAAA"}""", DsseEnvelope.MaxSignatures + 1));
        var line = $$"""{"payload":"e30=","payloadType":"text/plain","signatures":[{{many}}]}""";
        Assert.Contains("not a list of at most 16",
            Assert.Throws<LineageException>(() => DsseEnvelope.Parse(Encoding.UTF8.GetBytes(line), "x")).Message);
    }
}
