namespace RegistryUnlearn.Lineage.Tests;

/// <summary>The command <c>openssl</c> as an independent verifier, and a folder for what it reads.</summary>
sealed class OpenSsl : IDisposable
{
    readonly DirectoryInfo folder = Directory.CreateTempSubdirectory("registry-unlearn-openssl-");

    /// <summary>The test is skipped where there is no such command.</summary>
    public OpenSsl() => Assert.SkipUnless(Run("version").Code is 0, "the command openssl is not installed");

    public string this[string name] => Path.Combine(folder.FullName, name);

    public string Write(string name, ReadOnlySpan<byte> content)
    {
        File.WriteAllBytes(this[name], content);
        return this[name];
    }

    public (int Code, string Said) Run(params string[] args) => ExternalCommand.Run("openssl", args);

    public void Dispose() => folder.Delete(recursive: true);
}
