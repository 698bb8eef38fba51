using Azure;
using Azure.Core;
using Azure.Storage;
using Azure.Storage.Blobs;

namespace RegistryUnlearn.Registry.Azure;

/// <summary>
/// Where a registry lies: a folder or a container of Azure Blob Storage. Written as a path, <c>file://</c>,
/// <c>https://account.blob.core.windows.net/container[/prefix]</c>, and for the emulator
/// <c>http://127.0.0.1:10000/devstoreaccount1/container[/prefix]</c> or <c>UseDevelopmentStorage=true;Container=c[;Prefix=p]</c>.
/// </summary>
public abstract record RegistryLocation
{
    /// <exception cref="RegistryException">
    /// Invalid: not a location, or one that holds a key or a token. The message does not repeat them.
    /// </exception>
    public static RegistryLocation Parse(string text) => LocationParser.Parse(text);

    /// <summary>The store at this place. Sends no request yet.</summary>
    /// <param name="environment">Gives the value of an environment variable, or null: for the credential.</param>
    /// <exception cref="RegistryException">
    /// NotFound: the folder does not exist. Denied: no credential is named, or a signature is there that is none of user delegation, or has
    /// ended.
    /// </exception>
    public abstract IObjectStore Open(Func<string, string?> environment);

    /// <summary>Where an object lies, for people: a path or an address.</summary>
    /// <param name="path">The object's path in the registry.</param>
    public abstract string Locate(string path);
}

/// <summary>A folder of a file system, by its path as given.</summary>
public sealed record FolderLocation(string Folder) : RegistryLocation
{
    public override IObjectStore Open(Func<string, string?> environment) => new FolderStore(Folder);

    public override string Locate(string path) => Path.Combine(Folder, path);

    public override string ToString() => Folder;
}

/// <summary>A container of Azure Blob Storage or of its emulator.</summary>
/// <param name="Container">The container's address.</param>
/// <param name="Prefix">Where the registry lies in it: empty, or a folder that ends in '/'.</param>
/// <param name="IsEmulator">Whether the key of the emulator's account opens it, which everybody knows.</param>
public sealed record BlobLocation(Uri Container, string Prefix, bool IsEmulator) : RegistryLocation
{
    /// <summary>The account of every emulator.</summary>
    internal const string EmulatorAccount = "devstoreaccount1";

    internal const string EmulatorKey = "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw==";

    public override IObjectStore Open(Func<string, string?> environment) =>
        new AzureBlobStore(Connect(BlobService.Options(), environment), Prefix);

    public override string Locate(string path) =>
        $"{Container.AbsoluteUri}/{string.Join('/', (Prefix + path).Split('/').Select(Uri.EscapeDataString))}";

    public override string ToString() => Locate("");

    /// <summary>The container's client.</summary>
    /// <param name="options">Those of <see cref="BlobService.Options"/>, perhaps with more.</param>
    /// <param name="environment">As for <see cref="Open"/>.</param>
    internal BlobContainerClient Connect(BlobClientOptions options, Func<string, string?> environment) => IsEmulator
        ? new(Container, new StorageSharedKeyCredential(EmulatorAccount, EmulatorKey), options)
        : DelegationSas.Read(environment, TimeProvider.System) is { } sas
            ? Connect(options, sas)
            : Connect(options, AzureCredentials.Create(environment));

    /// <summary>The container's client for somebody.</summary>
    internal BlobContainerClient Connect(BlobClientOptions options, TokenCredential credential) => new(Container, credential, options);

    /// <summary>The container's client for whoever has a signature.</summary>
    internal BlobContainerClient Connect(BlobClientOptions options, DelegationSas sas)
    {
        options.AddPolicy(new DelegationSasPolicy(sas), HttpPipelinePosition.BeforeTransport);
        return new(Container, new AzureSasCredential(sas.Query), options);
    }
}
