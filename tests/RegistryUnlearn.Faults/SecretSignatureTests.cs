using RegistryUnlearn.Conformance;

namespace RegistryUnlearn.Faults;

/// <summary>The command with a shared access signature in its environment, or where none may be: what it says never holds it.</summary>
public sealed class SecretSignatureTests : IDisposable
{
    const string Registry = "https://acme.blob.core.windows.net/models";
    const string Variable = "REGISTRY_UNLEARN_AZURE_SAS";
    const string Secret = "c2VjcmV0c2lnbmF0dXJl";
    const string OfAccount = "sv=2025-11-05&ss=b&srt=sco&sp=rwdlac&se=2099-01-01&sig=" + Secret;
    const string Ended = "skoid=22222222-2222-2222-2222-222222222222&sktid=11111111-1111-1111-1111-111111111111&skt=2020-01-01"
        + "&ske=2020-01-07&sks=b&skv=2025-11-05&sv=2025-11-05&se=2020-01-07&sr=c&sp=racwdl&sig=" + Secret;

    readonly TempFolder folder = new();

    public void Dispose() => folder.Dispose();

    [Theory]
    [InlineData(Registry, OfAccount, "made with the account's key. Make one with user delegation: az storage container generate-sas")]
    [InlineData(Registry, Ended, "it ended at 2020-01-07T00:00:00Z")]
    [InlineData(Registry + "?" + OfAccount, null, "or set REGISTRY_UNLEARN_AZURE_SAS")]
    [InlineData("BlobEndpoint=https://acme.blob.core.windows.net;SharedAccessSignature=" + OfAccount, null, "keys open the emulator only")]
    public async Task Refused(string registry, string? variable, string says)
    {
        var environment = variable is null ? [] : new Dictionary<string, string> { [Variable] = variable };
        foreach (var command in new[] { "models list", "worker --once", "jobs list", "gc" })
        {
            using var process = RealProcess.Start(folder.Path, environment, [.. command.Split(' '), "--registry", registry]);
            var (code, output, error) = await process.EndAsync();
            Assert.True(code is 2, error);
            Assert.Contains(says, error);
            Assert.DoesNotContain(Secret, output + error);
        }
    }
}
