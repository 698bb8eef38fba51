using System.Diagnostics.CodeAnalysis;
using RegistryUnlearn.Lineage;

namespace RegistryUnlearn.Worker.Keys;

/// <summary>Keys as PEM files. Messages name files, never what is in them.</summary>
public static class KeyFiles
{
    /// <summary>Largest file that is read, in bytes; a key has less than a thousand.</summary>
    const int MaxBytes = 1 << 16;

    /// <exception cref="InputException">The file cannot be read.</exception>
    /// <exception cref="LineageException">It holds no such key.</exception>
    public static VerificationKey ReadPublic(string path) => VerificationKey.FromPem(ReadText(path, "public key"), path);

    /// <param name="passphrase">Of an encrypted key; null when there is none.</param>
    /// <inheritdoc cref="ReadPublic"/>
    public static SigningKey ReadPrivate(string path, string? passphrase) =>
        SigningKey.FromPem(ReadText(path, "signing key"), passphrase, path);

    /// <summary>
    /// Writes a private key, which its owner alone may read, and the public one beside it. Neither replaces a file.
    /// </summary>
    /// <param name="passphrase">Encrypts the private key; null for none.</param>
    /// <returns>The path of the public key.</returns>
    /// <exception cref="InputException">One of the files exists, or cannot be written.</exception>
    public static string Write(SigningKey key, string path, string? passphrase)
    {
        var publicPath = Path.ChangeExtension(path, ".pub.pem");
        if (File.Exists(publicPath) || Directory.Exists(publicPath))
            throw Exists(publicPath);
        WriteNew(path, key.ToPem(passphrase), isPrivate: true);
        try
        {
            WriteNew(publicPath, key.PublicKey.ToPem(), isPrivate: false);
        }
        catch
        {
            File.Delete(path);
            throw;
        }
        return publicPath;
    }

    internal static string ReadText(string path, string what)
    {
        try
        {
            using var stream = File.OpenRead(path);
            return stream.Length <= MaxBytes
                ? new StreamReader(stream).ReadToEnd()
                : throw new InputException(path, $"it has {stream.Length} bytes, too many for a {what}; name the right file");
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new InputException(path, $"the {what} cannot be read ({e.GetType().Name}); check path and permissions", e);
        }
    }

    [SuppressMessage("Interoperability", "CA1416", Justification = "Asked for on Unix alone.")]
    static void WriteNew(string path, string text, bool isPrivate)
    {
        var options = new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write };
        if (isPrivate && !OperatingSystem.IsWindows())
            options.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
        try
        {
            using var writer = new StreamWriter(new FileStream(path, options));
            writer.Write(text);
        }
        catch (IOException) when (File.Exists(path))
        {
            throw Exists(path);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new InputException(path, $"the key cannot be written ({e.GetType().Name}); check folder and permissions", e);
        }
    }

    static InputException Exists(string path) => new(path, "exists already, and keys are never overwritten; choose another name");
}
