using RegistryUnlearn.Lineage;
using RegistryUnlearn.Worker;
using RegistryUnlearn.Worker.Keys;

namespace RegistryUnlearn.Cli.Tests.Registry;

/// <summary><c>keys create</c>, and where signing keys are found.</summary>
public sealed class KeysCommandTests : IDisposable
{
    readonly DirectoryInfo folder = Directory.CreateTempSubdirectory("registry-unlearn-keys-");

    string this[string name] => Path.Combine(folder.FullName, name);

    public void Dispose() => folder.Delete(recursive: true);

    [Fact]
    public async Task A_key_is_its_owners_alone_and_is_never_overwritten()
    {
        var made = await CommandResult.OfAsync("keys", "create", this["signing.pem"], "--curve", "P-521", "--output", "json");
        Assert.Equal((0, ""), (made.Code, made.Error));
        Assert.Equal(("P-521", false), (made.Json.GetProperty("curve").GetString(), made.Json.GetProperty("isEncrypted").GetBoolean()));
        Assert.Equal(this["signing.pub.pem"], made.Json.GetProperty("publicKey").GetString());
        if (!OperatingSystem.IsWindows())
            Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(this["signing.pem"]));
        using var key = KeyFiles.ReadPrivate(this["signing.pem"], null);
        Assert.Equal(made.Json.GetProperty("hint").GetString(), KeyFiles.ReadPublic(this["signing.pub.pem"]).Hint);
        Assert.Equal(made.Json.GetProperty("hint").GetString(), key.PublicKey.Hint);

        var before = Files();
        foreach (var (name, gone) in new[] { ("signing.pem", "signing.pub.pem"), ("signing", "") })
        {
            var refused = await CommandResult.OfAsync("keys", "create", this[name]);
            Assert.Equal(2, refused.Code);
            Assert.Contains("exists already, and keys are never overwritten; choose another name\n", refused.Error);
            Assert.Equal(before, Files());
            if (gone.Length > 0)
            {
                File.Delete(this[gone]);
                Assert.Equal(2, (await CommandResult.OfAsync("keys", "create", this[name])).Code);
                Assert.False(File.Exists(this[gone]));
                File.WriteAllText(this[gone], before[gone]);
            }
        }

        Dictionary<string, string> Files() => folder.GetFiles().ToDictionary(f => f.Name, f => File.ReadAllText(f.FullName));
    }

    [Fact]
    public async Task What_cannot_be_done_is_said()
    {
        Assert.Contains("there is no passphrase; put it into REGISTRY_UNLEARN_SIGNING_KEY_PASSPHRASE",
            (await CommandResult.OfAsync("keys", "create", this["a.pem"], "--encrypt")).Error);
        Assert.Contains("the key cannot be written (DirectoryNotFoundException)",
            (await CommandResult.OfAsync("keys", "create", this["none/a.pem"])).Error);
        Assert.Equal(2, (await CommandResult.OfAsync("keys", "create", this["a.pem"], "--curve", "P-192")).Code);
        Assert.Empty(folder.GetFiles());
    }

    [Fact]
    public void A_key_is_found_in_the_file_given_before_the_environment()
    {
        using SigningKey one = SigningKey.Create(SigningCurve.P256), two = SigningKey.Create(SigningCurve.P384);
        KeyFiles.Write(one, this["one.pem"], null);
        KeyFiles.Write(two, this["two.pem"], "pass word");
        File.WriteAllText(this["passphrase"], "pass word\r\n");
        const string key = "REGISTRY_UNLEARN_SIGNING_KEY";
        var rows = new (string? File, (string, string)[] Set, SigningKey? Expected)[]
        {
            (null, [], null),
            (this["one.pem"], [], one),
            (this["one.pem"], [(key + "_FILE", this["two.pem"])], one),
            (null, [(key, one.ToPem(null))], one),
            (null, [(key + "_FILE", this["one.pem"]), (key, "")], one),
            (this["two.pem"], [(key + "_PASSPHRASE", "pass word")], two),
            (null, [(key + "_FILE", this["two.pem"]), (key + "_PASSPHRASE_FILE", this["passphrase"])], two),
            (null, [(key, two.ToPem("other")), (key + "_PASSPHRASE", "other")], two),
        };
        foreach (var (file, set, expected) in rows)
        {
            using var found = SigningKeySource.Find(file, name => set.FirstOrDefault(s => s.Item1 == name).Item2);
            Assert.Equal(expected?.PublicKey.Hint, found?.PublicKey.Hint);
        }
    }

    [Theory]
    [InlineData("KEY=x;KEY_FILE=y", "both REGISTRY_UNLEARN_SIGNING_KEY and REGISTRY_UNLEARN_SIGNING_KEY_FILE are set; set one of them")]
    [InlineData("KEY_FILE=none.pem", "none.pem: the signing key cannot be read (FileNotFoundException); check path and permissions")]
    [InlineData("KEY=secret-word", "REGISTRY_UNLEARN_SIGNING_KEY: there is no PEM block in it.")]
    [InlineData("KEY_FILE=two.pem", "two.pem: the private key is encrypted. Give its passphrase.")]
    [InlineData("KEY_FILE=two.pem;KEY_PASSPHRASE=secret-word", "two.pem: the private key cannot be opened. Check its passphrase.")]
    [InlineData("KEY_FILE=two.pem;KEY_PASSPHRASE_FILE=none", "none: the passphrase cannot be read (FileNotFoundException)")]
    public void A_source_that_cannot_be_used_is_named_without_what_is_in_it(string settings, string expected)
    {
        using var two = SigningKey.Create(SigningCurve.P256);
        KeyFiles.Write(two, this["two.pem"], "pass word");
        var set = settings.Split(';').Select(s => s.Split('=')).ToDictionary(
            s => "REGISTRY_UNLEARN_SIGNING_" + s[0], s => s[0].EndsWith("_FILE", StringComparison.Ordinal) ? this[s[1]] : s[1]);
        var refusal = Assert.ThrowsAny<Exception>(() => SigningKeySource.Find(null, set.GetValueOrDefault));
        Assert.True(refusal is InputException or LineageException);
        Assert.Contains(expected, refusal.Message);
        Assert.DoesNotContain("secret-word", refusal.ToString());
    }
}
