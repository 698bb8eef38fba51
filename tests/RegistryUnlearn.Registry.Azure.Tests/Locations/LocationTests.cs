namespace RegistryUnlearn.Registry.Azure.Tests.Locations;

public sealed class LocationTests
{
    const string Emulator = "http://127.0.0.1:10000/devstoreaccount1/";

    [Theory]
    [InlineData("models", "models")]
    [InlineData("/srv/models", "/srv/models")]
    [InlineData("./a=b;c", "./a=b;c")]
    [InlineData("file:///srv/my%20models", "/srv/my models")]
    [InlineData("file://localhost/srv/models/", "/srv/models/")]
    public void Folders(string text, string folder)
    {
        var location = Assert.IsType<FolderLocation>(RegistryLocation.Parse(text));
        Assert.Equal((folder, folder), (location.Folder, location.ToString()));
        Assert.Equal(Path.Combine(folder, "m/1/model.onnx"), location.Locate("m/1/model.onnx"));
    }

    [Theory]
    [InlineData("https://acme.blob.core.windows.net/models", "https://acme.blob.core.windows.net/models", "", false)]
    [InlineData("https://acme.blob.core.windows.net/models/", "https://acme.blob.core.windows.net/models", "", false)]
    [InlineData("HTTPS://Acme.Blob.Core.Windows.Net/models/A/b", "https://acme.blob.core.windows.net/models", "A/b/", false)]
    [InlineData("https://acme.z01.blob.storage.azure.net/m-1/a%20b/", "https://acme.z01.blob.storage.azure.net/m-1", "a b/", false)]
    [InlineData("https://acme.blob.core.chinacloudapi.cn/models", "https://acme.blob.core.chinacloudapi.cn/models", "", false)]
    [InlineData(Emulator + "models", Emulator + "models", "", true)]
    [InlineData("http://localhost:1234/devstoreaccount1/models/a/b", "http://127.0.0.1:1234/devstoreaccount1/models", "a/b/", true)]
    [InlineData("https://127.0.0.1:1234/devstoreaccount1/models", "https://127.0.0.1:1234/devstoreaccount1/models", "", true)]
    [InlineData("UseDevelopmentStorage=true;Container=models", Emulator + "models", "", true)]
    [InlineData("usedevelopmentstorage=TRUE; container=models; prefix=a/b;", Emulator + "models", "a/b/", true)]
    public void Containers(string text, string container, string prefix, bool isEmulator)
    {
        var location = Assert.IsType<BlobLocation>(RegistryLocation.Parse(text));
        Assert.Equal((container, prefix, isEmulator), (location.Container.AbsoluteUri, location.Prefix, location.IsEmulator));
        Assert.Equal($"{container}/{prefix.Replace(" ", "%20")}m/1/model.onnx", location.Locate("m/1/model.onnx"));
        Assert.Equal(location, RegistryLocation.Parse(location.ToString()));
    }

    [Theory]
    [InlineData("", "registry: it is empty")]
    [InlineData("  ", "registry: it is empty")]
    [InlineData("http://acme.blob.core.windows.net/models", "without TLS only the emulator at 127.0.0.1 is spoken to")]
    [InlineData("http://127.0.0.1.example.org/devstoreaccount1/models", "without TLS only the emulator")]
    [InlineData("http://[::1]:10000/devstoreaccount1/models", "without TLS only the emulator")]
    [InlineData("http://127.0.0.1:10000/another/models", "only the emulator's account 'devstoreaccount1' is known")]
    [InlineData("http://127.0.0.1:10000/", "only the emulator's account")]
    [InlineData("http://127.0.0.1:10000/devstoreaccount1", "lacks the container")]
    [InlineData("https://example.org/models", "its host is no account of Azure Blob Storage")]
    [InlineData("https://acme.dfs.core.windows.net/models", "its host is no account of Azure Blob Storage")]
    [InlineData("https://acme.blob.core.windows.net.example.org/models", "its host is no account of Azure Blob Storage")]
    [InlineData("https://acme.blob.core.windows.net:8443/models", "its host is no account of Azure Blob Storage")]
    [InlineData("https://acme.blob.core.windows.net", "lacks the container")]
    [InlineData("https://acme.blob.core.windows.net/Models", "a container has 3 to 63")]
    [InlineData("https://acme.blob.core.windows.net/a--b", "a container has 3 to 63")]
    [InlineData("https://acme.blob.core.windows.net/ab", "a container has 3 to 63")]
    [InlineData("https://acme.blob.core.windows.net/models/a//b", "its prefix breaks a rule")]
    [InlineData("https://acme.blob.core.windows.net/models/%2e%2e%2fx", "its prefix breaks a rule")]
    [InlineData("https://acme.blob.core.windows.net/models/a%5Cb", "its prefix breaks a rule")]
    [InlineData("https://acme.blob.core.windows.net/models/a%00b", "its prefix breaks a rule")]
    [InlineData("https://user:secret@acme.blob.core.windows.net/models", "it holds a user name or a password")]
    [InlineData("https://acme.blob.core.windows.net/models?sp=r&sig=secret", "it holds something behind '?'")]
    [InlineData("https://acme.blob.core.windows.net/models#secret", "it holds something behind '?' or '#'")]
    [InlineData("file://server/share", "it names a folder of another machine")]
    [InlineData("s3://models/secret", "'s3' is unknown")]
    [InlineData("https://", "it is not an address")]
    [InlineData("UseDevelopmentStorage=true", "Container is missing")]
    [InlineData("UseDevelopmentStorage=false;Container=models", "keys open the emulator only")]
    [InlineData("UseDevelopmentStorage=true;Container=models;AccountKey=secret", "'AccountKey' is unknown")]
    [InlineData("UseDevelopmentStorage=true;Container=models;Container=more", "'Container' is there twice")]
    [InlineData("UseDevelopmentStorage=true;Container=models;Prefix=/a", "its prefix breaks a rule")]
    [InlineData("DefaultEndpointsProtocol=https;AccountName=acme;AccountKey=secret==", "keys open the emulator only")]
    [InlineData("AccountName=acme;SharedAccessSignature=secret", "keys open the emulator only")]
    public void Refusals(string text, string says)
    {
        var refusal = Assert.Throws<RegistryException>(() => RegistryLocation.Parse(text));
        Assert.Equal(RegistryErrorKind.Invalid, refusal.Kind);
        Assert.Contains(says, refusal.Message, StringComparison.Ordinal);
        if (!text.StartsWith("s3", StringComparison.Ordinal))
            Assert.DoesNotContain("secret", refusal.ToString(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("azure-cli", "AzureCliCredential")]
    [InlineData("environment", "EnvironmentCredential")]
    [InlineData("managed-identity", "ManagedIdentityCredential")]
    [InlineData("workload-identity", "WorkloadIdentityCredential")]
    public void Credentials(string name, string type)
    {
        Assert.Contains(name, AzureCredentials.Names);
        Assert.Equal(type, AzureCredentials.Create(v => v == AzureCredentials.Variable ? name : null).GetType().Name);
    }

    [Theory]
    [InlineData(null, "it is not set")]
    [InlineData("", "it is not set")]
    [InlineData("default", "it names no credential that is known")]
    public void A_credential_is_named_or_asked_for(string? name, string says)
    {
        var location = RegistryLocation.Parse("https://acme.blob.core.windows.net/models");
        var refusal = Assert.Throws<RegistryException>(() => location.Open(v => v == AzureCredentials.Variable ? name : null));
        Assert.Equal(RegistryErrorKind.Denied, refusal.Kind);
        Assert.Equal($"{AzureCredentials.Variable}: {says}. Set it to one of azure-cli, environment, managed-identity, workload-identity.",
            refusal.Message);
    }
}
