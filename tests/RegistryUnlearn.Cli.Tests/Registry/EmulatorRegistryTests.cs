using Azure.Storage.Blobs;
using RegistryUnlearn.Faults;
using RegistryUnlearn.Registry.Azure;

namespace RegistryUnlearn.Cli.Tests.Registry;

/// <summary>The commands on a container instead of a folder.</summary>
public sealed class EmulatorRegistryTests
{
    static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_request_is_carried_out_in_a_container()
    {
        var missing = Azurite.Missing(Repository.Root);
        Assert.SkipUnless(missing is null, missing ?? "");
        await using var azurite = await Azurite.StartAsync(Repository.Root);
        var registry = $"{azurite.Account}models/team";
        var absent = await CommandResult.OfAsync("models", "list", "--registry", registry);
        Assert.Equal(2, absent.Code);
        Assert.Contains("there is no container 'models' in the account 'devstoreaccount1'. Create it", absent.Error,
            StringComparison.Ordinal);

        var service = new BlobServiceClient(azurite.ConnectionString, BlobService.Options());
        await service.CreateBlobContainerAsync("models", cancellationToken: Stop);
        await TinyRegistry.FillAsync(RegistryLocation.Parse(registry).Open(_ => null));
        using var local = new TinyFolder();
        local.Write("request.json", System.Text.Encoding.UTF8.GetBytes(TinyRegistry.Request()));
        var request = Path.Combine(local.Path, "request.json");
        var run = await CommandResult.OfAsync("run", request, "--registry", registry, "--output", "json");
        Assert.True(run.Code == 0, run.Error);
        Assert.Equal($"{registry}/tiny/2/model.onnx", run.Json.GetProperty("model").GetString());
        Assert.True((await service.GetBlobContainerClient("models").GetBlobClient("team/tiny/2/manifest.json").ExistsAsync(Stop)).Value);
        var again = await CommandResult.OfAsync("run", request, "--registry", registry, "--output", "json");
        Assert.True(again.Json.GetProperty("alreadyDone").GetBoolean());
        var models = await CommandResult.OfAsync("models", "list", "--registry", registry, "--output", "json");
        Assert.Equal("""[{"model":"tiny","versions":[1,2],"aliases":{"production":2}}]""",
            System.Text.Json.JsonSerializer.Serialize(models.Json));
    }

    [Theory]
    [InlineData("http://models.example.org/container", "without TLS only the emulator at 127.0.0.1 is spoken to")]
    [InlineData("https://acme.blob.core.windows.net/models?sig=secret", "A shared access signature would end in logs and process lists")]
    [InlineData("AccountName=acme;AccountKey=secret", "keys open the emulator only")]
    public async Task A_bad_location_is_explained_and_not_repeated(string registry, string says)
    {
        var result = await CommandResult.OfAsync("jobs", "list", "--registry", registry, "--output", "json", "--verbose");
        Assert.Equal(2, result.Code);
        Assert.Contains(says, result.Error, StringComparison.Ordinal);
        Assert.DoesNotContain("secret", result.Error + result.Output, StringComparison.Ordinal);
    }
}
