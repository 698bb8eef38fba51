using System.Text;
using RegistryUnlearn.Conformance;

namespace RegistryUnlearn.Registry.Tests;

public sealed class ModelRegistryTests : IDisposable
{
    const string Manifest2 = """
        {
          "schemaVersion": 1,
          "model": "digits",
          "version": 2,
          "created": "2026-03-05T12:30:00Z",
          "jobId": "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
          "parent": {
            "version": 1,
            "digest": "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
          },
          "files": [
            {
              "path": "model.onnx",
              "sha256": "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
              "size": 3,
              "mediaType": "application/octet-stream",
              "role": "model"
            }
          ]
        }

        """;

    readonly TempFolder local = new();
    readonly MemoryStore store = new();
    readonly ModelRegistry registry;

    public ModelRegistryTests() => registry = new(store);

    static CancellationToken Stop => TestContext.Current.CancellationToken;

    public void Dispose() => local.Dispose();

    [Fact]
    public void A_manifest_is_spelled_this_way()
    {
        var manifest = Manifest.Parse(Encoding.UTF8.GetBytes(Manifest2), "m");
        Assert.Equal(Manifest2, Encoding.UTF8.GetString(manifest.ToJson()));
        Assert.Equal(new ManifestFile("model.onnx", Digest.Of("abc"u8), 3, "application/octet-stream", "model"),
            Assert.Single(manifest.Files));
    }

    [Theory]
    [InlineData("\"schemaVersion\": 1", "\"schemaVersion\": 2", "schemaVersion 2 is not 1")]
    [InlineData("\"model.onnx\"", "\"../model.onnx\"", "a path must not step out of its folder")]
    [InlineData("\"model.onnx\"", "\"/etc/passwd\"", "a path is relative")]
    [InlineData("\"model.onnx\"", "\"weights.bin\"", "files lacks model.onnx")]
    [InlineData("\"model.onnx\"", "\"manifest.json\"", "files names the manifest itself")]
    [InlineData("\"size\": 3", "\"size\": -3", "is negative")]
    [InlineData("\"sha256\": \"ba", "\"sha256\": \"BA", "64 lower-case hexadecimal digits")]
    [InlineData("\"model\": \"digits\"", "\"model\": \"../digits\"", "is not a model name")]
    [InlineData("\"files\": [", "\"files\": [null,", "files has a row that is null")]
    [InlineData("\"version\": 2", "\"version\": 3", "it is the manifest of digits@3")]
    [InlineData("{", "", "not a valid Manifest document")]
    public async Task A_manifest_that_breaks_a_rule_is_refused_by_name(string good, string bad, string message)
    {
        await PutAsync("digits/2/manifest.json", ReplaceFirst(Manifest2, good, bad));
        var refusal = await RefusedAsync("digits@2");
        Assert.Equal(RegistryErrorKind.Invalid, refusal.Kind);
        Assert.Contains(message, refusal.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Models_are_the_folders_with_versions()
    {
        foreach (var path in new[] { "b/1/model.onnx", "a/2/model.onnx", "a/10/model.onnx", "datasets/train/x", "requests/1.json",
            "c.d/1/model.onnx", "e/01/model.onnx" })
            await PutAsync(path, "x");
        await PutAsync("a/11/notes.txt", "no model yet");
        Assert.Equal(["a", "b"], (await registry.ListModelsAsync(Stop)).Select(m => m.ToString()));
        Assert.Equal([new(2, true), new(10, true)], await registry.ListVersionsAsync(ModelName.Parse("a"), Stop));
    }

    [Fact]
    public async Task What_is_not_there_is_answered_with_what_is()
    {
        Assert.EndsWith("there is no model 'digits'. Models here: none.", (await RefusedAsync("digits@1")).Message,
            StringComparison.Ordinal);
        await PutAsync("digits/1/model.onnx", "x");
        await PutAsync("digits/3/model.onnx", "x");
        await PutAsync("faces/1/model.onnx", "x");
        await registry.SetAliasAsync(ModelName.Parse("digits"), Alias.Parse("canary"), 3, Stop);
        Assert.Equal("digits@2: there is no version 2. Versions of digits: 1, 3.", (await RefusedAsync("digits@2")).Message);
        Assert.Equal("digit@2: there is no model 'digit'. Models here: digits, faces.", (await RefusedAsync("digit@2")).Message);
        Assert.Equal("digit:x: there is no model 'digit'. Models here: digits, faces.", (await RefusedAsync("digit:x")).Message);
        Assert.Equal("digits:production: there is no alias 'production'. Aliases of digits: canary; versions: 1, 3.",
            (await RefusedAsync("digits:production")).Message);
        Assert.Equal(RegistryErrorKind.NotFound, (await RefusedAsync("digits:production")).Kind);
    }

    [Fact]
    public async Task An_adopted_version_is_known_by_its_files()
    {
        await PutAsync("digits/1/model.onnx", "abc");
        await PutAsync("digits/1/data/w.bin", "");
        var resolved = await registry.ResolveAsync(ModelReference.Parse("digits@1"), Stop);
        Assert.True(resolved.IsAdopted);
        Assert.Equal([("data/w.bin", 0L, "data"), ("model.onnx", 3L, "model")], resolved.Manifest.Files.Select(f =>
            (f.Path, f.Size, f.Role)));
        Assert.Equal(Digest.Of("abc"u8), resolved.Manifest.Files[1].Digest);
        Assert.Null(await store.ReadAsync("digits/1/manifest.json", Stop));
        await registry.SetAliasAsync(resolved.Model, Alias.Parse("production"), 1, Stop);
        await store.DeleteAsync("digits/1/data/w.bin", Stop);
        Assert.Equal(RegistryErrorKind.Corrupt, (await RefusedAsync("digits:production")).Kind);
    }

    [Fact]
    public async Task A_version_that_is_being_written_is_not_adopted()
    {
        await PutAsync("digits/1/model.onnx", "abc");
        await PutAsync(".registry-unlearn/models/digits/claims/1", "0123");
        var refusal = await RefusedAsync("digits@1");
        Assert.Equal(RegistryErrorKind.Unavailable, refusal.Kind);
        Assert.Contains("being written by job 0123", refusal.Message, StringComparison.Ordinal);
        Assert.Empty(await registry.ListVersionsAsync(ModelName.Parse("digits"), Stop));
    }

    [Theory]
    [InlineData("abd")]
    [InlineData("ab")]
    [InlineData("abcd")]
    public async Task A_changed_file_never_arrives(string changed)
    {
        await PutAsync("digits/2/manifest.json", Manifest2);
        await PutAsync("digits/2/model.onnx", changed);
        var resolved = await registry.ResolveAsync(ModelReference.Parse("digits@2"), Stop);
        var refusal = await Assert.ThrowsAsync<RegistryException>(() => registry.DownloadAsync(resolved, local.Path, Stop));
        Assert.Equal((RegistryErrorKind.Corrupt, "digits/2/model.onnx"), (refusal.Kind, refusal.Path));
        Assert.Empty(Directory.GetFiles(local.Path));
    }

    [Fact]
    public async Task A_download_replaces_what_is_wrong_and_keeps_what_is_right()
    {
        await PutAsync("digits/2/manifest.json", Manifest2);
        await PutAsync("digits/2/model.onnx", "abc");
        var resolved = await registry.ResolveAsync(ModelReference.Parse("digits@2"), Stop);
        var file = local.Write("model.onnx", "old");
        await registry.DownloadAsync(resolved, local.Path, Stop);
        Assert.Equal("abc", await File.ReadAllTextAsync(file, Stop));
        await store.DeleteAsync("digits/2/model.onnx", Stop);
        await registry.DownloadAsync(resolved, local.Path, Stop);
        Assert.Equal([file], Directory.GetFiles(local.Path));
    }

    [Fact]
    public async Task A_withdrawn_version_says_what_replaced_it_and_its_number_stays_taken()
    {
        await PutAsync("digits/1/model.onnx", "one");
        await PutAsync("digits/2/model.onnx", "two");
        var model = ModelName.Parse("digits");
        await registry.SetAliasAsync(model, Alias.Parse("a"), 1, Stop);
        var second = await registry.SetAliasAsync(model, Alias.Parse("b"), 2, Stop);
        await registry.WithdrawAsync(model, 1, ParentPolicy.Quarantine, second.Pointer, Stop);
        Assert.Equal(
            "digits@1: version 1 was quarantined; its files are under .registry-unlearn/quarantine/digits/1/. "
                + "Use digits@2, which replaced it.",
            (await RefusedAsync("digits@1")).Message);
        Assert.All(await registry.ListAliasesAsync(model, Stop), a => Assert.Equal(second.Pointer, a.Target));
        Assert.Equal(RegistryErrorKind.Withdrawn,
            (await Assert.ThrowsAsync<RegistryException>(() => registry.SetAliasAsync(model, Alias.Parse("c"), 1, Stop))).Kind);
        await registry.WithdrawAsync(model, 1, ParentPolicy.Delete, second.Pointer, Stop);
        Assert.Empty(await store.ListAsync(".registry-unlearn/quarantine/", Stop).ToListAsync(Stop));
        Assert.Contains("was deleted", (await RefusedAsync("digits@1")).Message, StringComparison.Ordinal);
    }

    static string ReplaceFirst(string text, string old, string replacement)
    {
        var at = text.IndexOf(old, StringComparison.Ordinal);
        return text[..at] + replacement + text[(at + old.Length)..];
    }

    Task<RegistryException> RefusedAsync(string reference) =>
        Assert.ThrowsAsync<RegistryException>(() => registry.ResolveAsync(ModelReference.Parse(reference), Stop));

    Task PutAsync(string path, string text) => store.TryCreateAsync(path, Encoding.UTF8.GetBytes(text), Stop);
}
