using System.Text;
using System.Text.Json.Nodes;
using RegistryUnlearn.Faults;
using RegistryUnlearn.Lineage;

namespace RegistryUnlearn.Cli.Tests.Registry;

/// <summary><c>verify</c> on versions that <c>run</c> has made, signed and unsigned.</summary>
public sealed class VerifyCommandTests : IAsyncLifetime
{
    TinyFolder folder = null!;

    string Version => Path.Combine(folder.Path, "tiny/2");

    string Key => Path.Combine(folder.Path, "signing.pem");

    string PublicKey => Path.Combine(folder.Path, "signing.pub.pem");

    public async ValueTask InitializeAsync() => folder = await TinyFolder.CreateAsync();

    public ValueTask DisposeAsync()
    {
        folder.Dispose();
        return ValueTask.CompletedTask;
    }

    [Theory]
    [InlineData("P-256")]
    [InlineData("P-384")]
    [InlineData("P-521")]
    public async Task A_signed_version_is_verified_by_folder_by_number_and_by_alias(string curve)
    {
        await SignAsync(curve);
        var copy = Path.Combine(folder.Path, "copy");
        Copy(Version, copy);
        foreach (var target in new[] { $"verify {Version}", $"verify {copy}", $"verify tiny@2 --registry {folder.Path}",
            $"verify tiny:production --registry {folder.Path}" })
        {
            var text = await RunAsync($"{target} --public-key {PublicKey}");
            Assert.Equal((0, ""), (text.Code, text.Error));
            Assert.StartsWith("Verified: whole, unchanged, and signed by the given key.\n", text.Output);
            Assert.Contains("forget 4 samples, bound by the commitment hmac-sha256 ", text.Output);
            Assert.Contains("it gives no (ε,δ) guarantee", text.Output);
            var json = (await RunAsync($"{target} --public-key {PublicKey} --output json")).Json;
            Assert.Equal((true, true), (json.GetProperty("isVerified").GetBoolean(), json.GetProperty("isAuthenticated").GetBoolean()));
            Assert.Equal(
                ["lineage passed", "files passed", "manifest passed", "statement signatures passed", "model signature passed"],
                json.GetProperty("checks").EnumerateArray()
                    .Select(c => $"{c.GetProperty("name").GetString()} {c.GetProperty("outcome").GetString()}"));
        }
        Assert.Contains("The manifest is the one that the alias 'production' names.",
            (await RunAsync($"verify tiny:production --registry {folder.Path} --public-key {PublicKey}")).Output);
    }

    [Fact]
    public async Task Without_a_key_only_agreement_is_checked_and_said()
    {
        await SignAsync();
        var signed = await RunAsync($"verify {Version}");
        Assert.Equal(0, signed.Code);
        Assert.StartsWith("Whole and unchanged; who made it was not checked.\n", signed.Output);
        Assert.Contains("4 of 4 statements are signed; no public key was given", signed.Output);
        Assert.Contains("Who made this: no signature was checked", signed.Output);
        Assert.DoesNotContain("The signer states", signed.Output);
    }

    [Fact]
    public async Task An_unsigned_version_agrees_and_fails_against_a_key()
    {
        Assert.Equal(0, (await RunAsync($"keys create {Key}")).Code);
        var run = await folder.RunAsync(TinyRegistry.Request());
        Assert.Contains("Signed by    nobody: run takes --signing-key to sign what it publishes\n", run.Output);
        Assert.Equal(0, (await RunAsync($"verify tiny@2 --registry {folder.Path}")).Code);
        var refused = await RunAsync($"verify tiny@2 --registry {folder.Path} --public-key {PublicKey}");
        Assert.Equal(4, refused.Code);
        Assert.Contains("there is no model.sig: the version is not signed", refused.Output);
    }

    [Fact]
    public async Task Another_key_is_refused()
    {
        await SignAsync();
        var other = Path.Combine(folder.Path, "other.pem");
        Assert.Equal(0, (await RunAsync($"keys create {other}")).Code);
        var refused = await RunAsync($"verify {Version} --public-key {Path.ChangeExtension(other, ".pub.pem")}");
        Assert.Equal(4, refused.Code);
        Assert.Contains("but by one that calls itself", refused.Output);
        Assert.Equal(4, refused.Output.Split("is not signed by it.").Length - 1);
    }

    /// <summary>Every file; with the key, and, for the files' own agreement, without.</summary>
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Any_changed_byte_fails(bool isSigned)
    {
        var command = await PublishAsync(isSigned);
        var files = Directory.GetFiles(Version).Select(f => Path.GetFileName(f)).Order(StringComparer.Ordinal).ToList();
        Assert.Equal(
            ["lineage.intoto.jsonl", "manifest.json", "metrics.json", "model-card.cdx.json", "model.onnx",
                .. isSigned ? ["model.sig"] : Array.Empty<string>(), "report.html"], files);
        var random = new Random(5);
        foreach (var file in files)
        {
            var path = Path.Combine(Version, file);
            var original = File.ReadAllBytes(path);
            var places = Enumerable.Range(0, 12).Select(_ => random.Next(original.Length)).Append(0).Append(original.Length - 1);
            foreach (var place in places)
            {
                var changed = original.ToArray();
                changed[place] ^= (byte)(1 << random.Next(8));
                await FailsAsync(path, changed, $"byte {place} of {file}");
            }
            await FailsAsync(path, [.. original, (byte)'\n'], $"a line more in {file}");
            await FailsAsync(path, original[..^1], $"a byte less in {file}");
            await FailsAsync(path, [], $"{file} emptied");
            File.WriteAllBytes(path, original);
        }
        Assert.Equal(0, (await RunAsync(command)).Code);

        async Task FailsAsync(string path, byte[] content, string what)
        {
            File.WriteAllBytes(path, content);
            var result = await RunAsync(command);
            Assert.True(result.Code is ExitCodes.FailedVerification, $"{what}: {result.Code} {result.Output}{result.Error}");
        }
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Any_file_added_removed_renamed_or_linked_fails(bool isSigned)
    {
        var command = await PublishAsync(isSigned);
        var moved = Path.Combine(folder.Path, "moved");
        foreach (var path in Directory.GetFiles(Version))
        {
            File.Move(path, moved);
            await FailsAsync($"{path} removed");
            File.Move(moved, path + "x");
            await FailsAsync($"{path} renamed");
            File.Move(path + "x", moved);
            File.CreateSymbolicLink(path, moved);
            await FailsAsync($"{path} linked");
            File.Delete(path);
            File.Move(moved, path);
        }
        foreach (var added in new[] { "extra.txt", ".gitignore", ".git/config", "sub/model.onnx", "model.sig.bak", "zz" })
        {
            var path = Path.Combine(Version, added);
            Directory.CreateDirectory(Path.GetDirectoryName(path)!);
            File.WriteAllText(path, "");
            await FailsAsync($"{added} added");
            File.Delete(path);
        }
        File.CreateSymbolicLink(Path.Combine(Version, "link"), "/etc");
        await FailsAsync("a link added");
        File.Delete(Path.Combine(Version, "link"));
        if (ExternalCommand.Run("mkfifo", Path.Combine(Version, "pipe")).Code is 0)
        {
            await FailsAsync("a pipe added");
            File.Delete(Path.Combine(Version, "pipe"));
        }
        Assert.Equal(0, (await RunAsync(command)).Code);

        async Task FailsAsync(string what)
        {
            var result = await RunAsync(command);
            Assert.True(result.Code is ExitCodes.FailedVerification, $"{what}: {result.Code} {result.Output}{result.Error}");
        }
    }

    [Fact]
    public async Task What_is_made_anew_without_the_key_fails()
    {
        await SignAsync();
        // As an attacker with write access, but without the key, would: a version that agrees with itself.
        var forged = await TinyFolder.CreateAsync();
        using (forged)
        {
            var key = Path.Combine(forged.Path, "k.pem");
            await RunAsync($"keys create {key}");
            await forged.RunAsync(TinyRegistry.Request(r => r["seed"] = 6), "--signing-key", key);
            var result = await RunAsync($"verify {forged.Path}/tiny/2 --public-key {PublicKey}");
            Assert.Equal(4, result.Code);
            File.Copy(Path.Combine(Version, "model.sig"), Path.Combine(forged.Path, "tiny/2/model.sig"), overwrite: true);
            Assert.Equal(4, (await RunAsync($"verify {forged.Path}/tiny/2 --public-key {PublicKey}")).Code);
        }
    }

    [Fact]
    public async Task The_registrys_own_record_is_believed_before_the_folder()
    {
        var command = $"verify tiny@2 --registry {folder.Path}";
        await folder.RunAsync(TinyRegistry.Request());
        // Version 2 exchanged as a whole for another that agrees with itself, from a registry where the job was another.
        using var other = await TinyFolder.CreateAsync();
        await other.RunAsync(TinyRegistry.Request(r => r["seed"] = 6));
        Assert.Equal(0, (await RunAsync(command)).Code);
        Directory.Delete(Version, recursive: true);
        Copy(Path.Combine(other.Path, "tiny/2"), Version);
        Assert.Equal(4, (await RunAsync($"verify tiny:production --registry {folder.Path}")).Code);
    }

    [Fact]
    public async Task A_folder_that_others_signed_is_held_against_their_signature()
    {
        Assert.Equal(0, (await RunAsync($"keys create {Key}")).Code);
        var theirs = Path.Combine(folder.Path, "theirs");
        Directory.CreateDirectory(theirs);
        File.WriteAllText(Path.Combine(theirs, "weights.bin"), "abc");
        using (var key = SigningKey.FromPem(File.ReadAllText(Key), null, Key))
        {
            File.WriteAllBytes(Path.Combine(theirs, "model.sig"), ModelSignature.Sign("theirs",
                new Dictionary<string, string> { ["weights.bin"] = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad" }, [],
                key));
        }
        var command = $"verify {theirs} --public-key {PublicKey}";
        Assert.Equal(0, (await RunAsync(command)).Code);
        File.WriteAllText(Path.Combine(theirs, "notes.txt"), "");
        Assert.Equal(4, (await RunAsync(command)).Code);
        Assert.Equal(0, (await RunAsync(command + " --ignore notes.txt")).Code);
        File.Delete(Path.Combine(theirs, "model.sig"));
        Assert.Contains("nothing to verify with", (await RunAsync(command)).Output);
        Assert.Equal(4, (await RunAsync($"verify tiny@1 --registry {folder.Path}")).Code);
    }

    /// <summary>A file of a signed version is replaced by a text.</summary>
    [Theory]
    [InlineData("manifest.json", """{"schemaVersion":1}""", "this is not a valid Manifest document")]
    [InlineData("manifest.json", """{"schemaVersion":1,"model":"tiny","version":2,"files":[]}""", "files lacks model.onnx")]
    [InlineData("manifest.json", "<deep>", "this is not a valid Manifest document")]
    [InlineData("manifest.json", """{"schemaVersion":1,"model":"tiny","version":2,"files":[<row>../../secret<end>]}""",
        "a path must not step out of its folder")]
    [InlineData("manifest.json", """{"schemaVersion":1,"model":"tiny","version":2,"files":[<row>/etc/passwd<end>]}""",
        "a path is relative")]
    [InlineData("manifest.json", """{"schemaVersion":1,"model":"tiny","version":2,"files":[<many>]}""", "more than 10000")]
    [InlineData("lineage.intoto.jsonl", "<deep>", "this is not a DSSE envelope")]
    [InlineData("lineage.intoto.jsonl", "", "no statement speaks of 'model.onnx'")]
    [InlineData("model.sig", "<deep>", "this is not an OpenSSF Model Signing bundle")]
    [InlineData("model.sig", "{}", "the bundle lacks mediaType")]
    public async Task What_is_hostile_fails_and_says_why(string file, string text, string expected)
    {
        await SignAsync();
        const string row = """{"path":" """, end = """ ","sha256":"<zeros>","size":1,"mediaType":"a/b","role":"data"}""";
        text = text.Replace("<many>", string.Join(',', Enumerable.Range(0, 10_001).Select(i => $"<row>{i:d5}<end>")))
            .Replace("<row>", row.TrimEnd()).Replace("<end>", end.TrimStart()).Replace("<zeros>", new string('0', 64))
            .Replace("<deep>", new string('[', 200_000));
        File.WriteAllText(Path.Combine(Version, file), text);
        var result = await RunAsync($"verify {Version} --public-key {PublicKey}");
        Assert.Equal((4, ""), (result.Code, result.Error));
        Assert.Contains(expected, result.Output);
        Assert.EndsWith("Anything: something was changed, is missing, or does not belong to this version.\n", result.Output);
    }

    /// <summary>The statement about the version, with one field exchanged.</summary>
    [Theory]
    [InlineData("files", "[null]", "which is not there")]
    [InlineData("files", "[]", "it differs from what the statement")]
    [InlineData("files", """[{ "path": "../../x", "mediaType": "a/b", "role": "data" }]""", "which is not there")]
    [InlineData("files", "null", "the predicate is not a VersionPredicate")]
    [InlineData("model", "\"../x\"", "'../x' is not a model name")]
    [InlineData("version", "-1", "it differs from what the statement")]
    [InlineData("version", "1e99", "the predicate is not a VersionPredicate")]
    [InlineData("jobId", "\"zz\"", "'zz' is not a job id")]
    [InlineData("created", "\"yesterday\"", "the predicate is not a VersionPredicate")]
    [InlineData("parent", """{ "version": 1, "sha256": "12" }""", "'12' is not a digest")]
    public async Task A_statement_that_is_hostile_fails_and_says_why(string field, string value, string expected)
    {
        await folder.RunAsync(TinyRegistry.Request());
        var file = Path.Combine(Version, "lineage.intoto.jsonl");
        var lines = File.ReadAllLines(file);
        var envelope = JsonNode.Parse(lines[^1])!;
        var statement = JsonNode.Parse(Convert.FromBase64String(envelope["payload"]!.GetValue<string>()))!;
        Assert.Equal(VersionPredicate.TypeUri, statement["predicateType"]!.GetValue<string>());
        statement["predicate"]![field] = JsonNode.Parse(value);
        envelope["payload"] = Convert.ToBase64String(Encoding.UTF8.GetBytes(statement.ToJsonString()));
        File.WriteAllLines(file, [.. lines[..^1], envelope.ToJsonString()]);
        var result = await RunAsync($"verify {Version}");
        Assert.Equal((4, ""), (result.Code, result.Error));
        Assert.Contains(expected, result.Output);
    }

    [Fact]
    public async Task OpenSSL_alone_verifies_what_was_published()
    {
        await SignAsync("P-384");
        var bundle = JsonNode.Parse(File.ReadAllText(Path.Combine(Version, "model.sig")))!["dsseEnvelope"]!;
        var lines = File.ReadAllLines(Path.Combine(Version, "lineage.intoto.jsonl")).Select(l => JsonNode.Parse(l)!);
        var checkedOnes = 0;
        foreach (var envelope in lines.Append(bundle))
        {
            var payload = Convert.FromBase64String(envelope["payload"]!.GetValue<string>());
            string signature = Path.Combine(folder.Path, "s"), signed = Path.Combine(folder.Path, "t");
            File.WriteAllBytes(signature, Convert.FromBase64String(envelope["signatures"]![0]!["sig"]!.GetValue<string>()));
            File.WriteAllBytes(signed,
                [.. Encoding.ASCII.GetBytes($"DSSEv1 28 application/vnd.in-toto+json {payload.Length} "), .. payload]);
            Assert.SkipUnless(OpenSsl("version") is 0, "the command openssl is not installed");
            Assert.Equal(0, OpenSsl("dgst", "-sha384", "-verify", PublicKey, "-signature", signature, signed));
            checkedOnes++;
        }
        Assert.Equal(5, checkedOnes);
    }

    async Task SignAsync(string curve = "P-256")
    {
        Assert.Equal(0, (await RunAsync($"keys create {Key} --curve {curve}")).Code);
        var run = await folder.RunAsync(TinyRegistry.Request(), "--signing-key", Key, "--output", "json");
        Assert.Equal(0, run.Code);
        using var key = SigningKey.FromPem(File.ReadAllText(Key), null, Key);
        Assert.Equal(key.PublicKey.Hint, run.Json.GetProperty("signedBy").GetString());
    }

    async Task<string> PublishAsync(bool isSigned)
    {
        if (isSigned)
            await SignAsync();
        else
            Assert.Equal(0, (await folder.RunAsync(TinyRegistry.Request())).Code);
        return isSigned ? $"verify {Version} --public-key {PublicKey}" : $"verify {Version}";
    }

    static Task<CommandResult> RunAsync(string commandLine) => CommandResult.OfAsync(commandLine.Split(' '));

    static void Copy(string source, string target)
    {
        Directory.CreateDirectory(target);
        foreach (var file in Directory.GetFiles(source))
            File.Copy(file, Path.Combine(target, Path.GetFileName(file)));
    }

    static int OpenSsl(params string[] args) => ExternalCommand.Run("openssl", args).Code;
}
